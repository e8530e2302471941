"""Selects built from expressions: small helpers around sqlglot.

They change trees in place, as sqlglot copies whole trees by default, which took most of
the time of compiling. What a select means is not known here.
"""

from collections.abc import Iterable, Sequence

from sqlglot import exp

Relation = str | exp.Select  # a table by its name, or a select


def named(value: exp.Expr, name: str) -> exp.Expr:
    """The value under a quoted name."""
    return exp.Alias(this=value, alias=exp.Identifier(this=name, quoted=True))


def select(
    columns: Iterable[exp.Expr],
    given: Relation | None = None,
    alias: str | None = None,
    *,
    where: Iterable[exp.Expr] = (),
    group_by: Iterable[exp.Expr] = (),
) -> exp.Select:
    """A select from a table or from another select.

    Args:
        columns: what is selected.
        given: what it is selected from; None: literals only.
        alias: the name of `given` in the select.
        where: conditions, all of which must hold.
        group_by: what is grouped by.
    """
    made = exp.Select(expressions=list(columns))
    if given is not None:
        made.from_(relation(given, alias), copy=False)
    conditions = list(where)
    if conditions:
        made.where(*conditions, copy=False)
    grouping = list(group_by)
    if grouping:
        made.group_by(*grouping, copy=False)
    return made


def relation(given: Relation, alias: str | None = None) -> exp.Expr:
    """A table by its name, or a select in brackets."""
    if isinstance(given, str):
        table = exp.to_table(given)
        if alias is not None:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
        return table
    name = exp.TableAlias(this=exp.to_identifier(alias)) if alias else None
    return exp.Subquery(this=given, alias=name)


def join_customers(
    query: exp.Select, left: str, table: str, alias: str | None = None
) -> None:
    """Join a table of customers to the select, which keeps all its rows."""
    right = alias or table
    same = exp.EQ(
        this=exp.column("customer_id", left),
        expression=exp.column("customer_id", right),
    )
    query.join(relation(table, alias), on=same, join_type="left", copy=False)


def text_of(query: exp.Expr) -> str:
    """The SQL of a query, laid out to be read."""
    return query.sql("duckdb", pretty=True, copy=False)


def union_text(queries: Sequence[exp.Expr]) -> str:
    """The SQL of all queries one below the other."""
    return "\nunion all\n".join(text_of(query) for query in queries)
