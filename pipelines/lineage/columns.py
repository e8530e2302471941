"""From a select to what each of its columns is computed from.

sqlglot tells which table each name stands for (`qualify`) and what a query is made of
(its scopes). What is followed is where a value comes from: a condition that only
decides which rows there are is no origin of a column, one inside an expression is.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

import sqlglot
from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope, find_all_in_scope
from sqlglot.schema import MappingSchema

_NUMBERED = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.PercentRank)

Column = tuple[str, str]  # the table, as layer.table, and its column


@dataclass(frozen=True)
class Origins:
    """What a column is computed from; nothing: its value stands in the select."""

    columns: frozenset[Column] = frozenset()
    parameters: frozenset[str] = frozenset()  # $names of the select
    rows: frozenset[str] = frozenset()  # the tables whose rows are counted or numbered
    # Of a number that stands in the select: the tables of whose rows each gets it.
    per_row: frozenset[str] = frozenset()

    def __or__(self, other: "Origins") -> "Origins":
        """Those of both."""
        return Origins(
            self.columns | other.columns,
            self.parameters | other.parameters,
            self.rows | other.rows,
            self.per_row | other.per_row,
        )

    @property
    def is_empty(self) -> bool:
        """Whether the value stands in the select."""
        return not (self.columns or self.parameters or self.rows)


NONE = Origins()


class UnknownColumnError(LookupError):
    """A name of a select that stands for no column of what the select reads."""


def parsed(select: str, name_of: Callable[[str, str], str]) -> exp.Query:
    """A select whose tables have their full names.

    Args:
        select: its text.
        name_of: schema, empty where there is none, and name → the table, as
            layer.table.
    """
    query = sqlglot.parse_one(select, dialect="duckdb")
    if not isinstance(query, exp.Query):
        raise TypeError("this is no select")
    named = {cte.alias for cte in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        is_inside = not table.db and table.name in named
        if is_inside or not isinstance(table.this, exp.Identifier):
            continue
        alias = table.alias_or_name
        layer, _, name = name_of(table.db, table.name).partition(".")
        table.set("catalog", None)
        table.set("db", exp.to_identifier(layer))
        table.set("this", exp.to_identifier(name))
        if alias != name:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
    return query


def tables_of(query: exp.Query) -> frozenset[str]:
    """The tables that a parsed select reads, as layer.table."""
    return frozenset(
        f"{table.db}.{table.name}" for table in query.find_all(exp.Table) if table.db
    )


def origins_of(
    query: exp.Query, columns: Mapping[str, Iterable[str]]
) -> dict[str, Origins]:
    """What each column of a parsed select is computed from, in the select's order.

    Args:
        query: as `parsed` gives it; it is changed.
        columns: of the tables that it reads, as layer.table.

    Raises:
        UnknownColumnError: a name is no column of a table.
    """
    schema = MappingSchema(dialect="duckdb")
    for table, names in columns.items():
        # The types play no part in where a value comes from.
        schema.add_table(
            table, dict.fromkeys(names, "VARCHAR"), dialect="duckdb", match_depth=False
        )
    try:
        qualified = qualify(
            query,
            dialect="duckdb",
            schema=schema,
            validate_qualify_columns=False,
            identify=False,
            quote_identifiers=False,
        )
    except OptimizeError as err:
        raise UnknownColumnError(str(err)) from err
    scope = build_scope(qualified)
    if scope is None:
        raise TypeError("this is no select")
    found = _Finder()
    return {
        name: found.of_output(scope, place)
        for place, name in enumerate(_names(scope.expression))
    }


def _names(expression: exp.Expr) -> list[str]:
    """The names of the columns that a query gives."""
    if isinstance(expression, exp.SetOperation) and expression.args.get("by_name"):
        parts = (expression.left.unnest(), expression.right.unnest())
        return list(dict.fromkeys(name for part in parts for name in _names(part)))
    return [select.alias_or_name for select in _selects(expression)]


def _selects(expression: exp.Expr) -> list[exp.Expr]:
    """The expressions of the columns that a query gives."""
    if not isinstance(expression, exp.Selectable):
        raise TypeError("this is no query")
    return list(expression.selects)


def _branches(scope: Scope) -> list[Scope]:
    """The queries of a `union all`; one of hundreds is nested as deep."""
    by_name = scope.expression.args.get("by_name")
    found, waiting = [], [scope]
    while waiting:
        part = waiting.pop()
        inner = part.expression
        if isinstance(inner, exp.SetOperation) and inner.args.get("by_name") == by_name:
            waiting += part.set_operation_scopes
        else:
            found.append(part)
    return found


def _gives(scope: Scope, name: str) -> bool:
    """Whether a query of its own, no table function, gives a column."""
    if isinstance(scope.expression, exp.UDTF):
        return False
    return name in _names(scope.expression)


def _all(parts: Iterable[Origins]) -> Origins:
    return reduce(Origins.__or__, parts, NONE)


class _Finder:
    """Looks each column of each part of a select up once."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._found: dict[tuple[int, int], Origins] = {}

    def of_output(self, scope: Scope, place: int) -> Origins:
        """What a column of a scope is computed from, by its place."""
        key = (id(scope), place)
        if key not in self._found:
            self._found[key] = NONE  # of a query that reads itself
            self._found[key] = self._of_output(scope, place)
        return self._found[key]

    def _of_output(self, scope: Scope, place: int) -> Origins:
        expression = scope.expression
        if isinstance(expression, exp.SetOperation):
            parts = _branches(scope)
            if expression.args.get("by_name"):
                name = _names(expression)[place]
                having = [part for part in parts if name in _names(part.expression)]
                return _all(self._of_name(part, name) for part in having)
            return _all(self.of_output(part, place) for part in parts)
        if isinstance(expression, exp.Subquery):
            return _all(self.of_output(part, place) for part in scope.subquery_scopes)
        if isinstance(expression, exp.UDTF):  # unnest, values
            return self._of_expression(scope, expression)
        return self._of_expression(scope, _selects(expression)[place])

    def _of_name(self, scope: Scope, name: str) -> Origins:
        """What the column of that name of a scope is computed from."""
        if isinstance(scope.expression, exp.UDTF):
            return self.of_output(scope, 0)
        names = _names(scope.expression)
        if name not in names:
            raise UnknownColumnError(name)
        return self.of_output(scope, names.index(name))

    def _of_expression(self, scope: Scope, expression: exp.Expr) -> Origins:
        """What an expression of a scope is computed from."""
        parameters = frozenset(
            node.name for node in expression.find_all(exp.Parameter, exp.Placeholder)
        )
        found = [Origins(parameters=parameters - {""})]
        columns = find_all_in_scope(expression, exp.Column)
        found += [self._of_column(scope, column) for column in columns]
        if self._counts(expression):
            found.append(Origins(rows=self._rows(scope)))
        inside = {id(node) for node in expression.find_all(exp.Query)}
        found += [
            self._of_subquery(part)
            for part in scope.subquery_scopes
            if id(part.expression) in inside and part.expression is not expression
        ]
        whole = _all(found)
        if not whole.is_empty:
            return whole
        if expression.find(exp.AggFunc):  # the sum of 1 counts rows
            return Origins(rows=whole.per_row or self._rows(scope))
        if isinstance(expression.unalias(), exp.Literal):
            return Origins(per_row=self._rows(scope))
        return whole

    def _of_subquery(self, scope: Scope) -> Origins:
        """What the value of a query inside an expression is computed from."""
        n_columns = len(_selects(scope.expression))
        parts = [self.of_output(scope, place) for place in range(n_columns)]
        where = scope.expression.args.get("where")
        if isinstance(scope.expression.parent, exp.Exists) and where is not None:
            parts.append(self._of_expression(scope, where))
        return _all(parts)

    def _of_column(self, scope: Scope, column: exp.Column) -> Origins:
        """What a column, as the expressions of a scope name it, is computed from."""
        looked: Scope | None = scope
        while looked is not None:
            source = looked.sources.get(column.table)
            if isinstance(source, Scope):
                return self._of_name(source, column.name)
            if isinstance(source, exp.Table):
                if isinstance(source.this, exp.Identifier):
                    table = f"{source.db}.{source.name}"
                    return Origins(columns=frozenset({(table, column.name)}))
                return self._of_expression(looked, source.this)
            if source is not None:
                return self._of_expression(looked, source)
            if not column.table:
                for inner in looked.sources.values():
                    if isinstance(inner, Scope) and _gives(inner, column.name):
                        return self._of_name(inner, column.name)
            looked = looked.parent
        raise UnknownColumnError(column.sql("duckdb"))

    @staticmethod
    def _counts(expression: exp.Expr) -> bool:
        """Whether rows themselves are counted or numbered."""
        nodes = find_all_in_scope(expression, exp.Count, *_NUMBERED)
        return any(
            not isinstance(node, exp.Count) or isinstance(node.this, exp.Star)
            for node in nodes
        )

    def _rows(self, scope: Scope) -> frozenset[str]:
        """The tables that the rows of a scope come from."""
        if isinstance(scope.expression, exp.SetOperation):
            return frozenset().union(*map(self._rows, _branches(scope)))
        rows: frozenset[str] = frozenset()
        for _, source in scope.selected_sources.values():
            if isinstance(source, Scope):
                rows |= self._rows(source) if source is not scope else frozenset()
            elif isinstance(source.this, exp.Identifier):
                rows |= {f"{source.db}.{source.name}"}
        return rows
