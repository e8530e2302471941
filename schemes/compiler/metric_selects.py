"""Selects of metrics: one pass over each fact table, then one row per customer.

The fragments in `sql/metrics/` are Fenji's own SQL; what a scheme adds to them is
windows and literals. A metric over one fact table is an aggregate of its rows; one that
has `per` is taken in two steps, within each value of `per` and then over these; others
follow from metrics. Metrics on earlier dates are in `history_selects`.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache

import sqlglot
from sqlglot import exp

from schemes.compiler.program import CATEGORIES, CUSTOMERS
from schemes.compiler.values import (
    as_of_date,
    both,
    cast,
    column,
    either,
    function,
    number,
    text,
)
from schemes.compiler.window_days import day_before, within_window
from schemes.language.metrics import (
    FOLDER,
    Asked,
    MetricFile,
    always,
    definitions,
    inputs_of,
    needs_of,
)
from schemes.language.names import AS_OF_DATE
from schemes.language.windows import parse_window
from sql.contracts import TYPES, contract


def fact_selects(asked: Iterable[Asked]) -> Mapping[str, str]:
    """The selects of the fact metrics: table of `core` → SQL, one row per customer."""
    selects: dict[str, str] = {}
    for table, members in sorted(members_of_tables(asked).items()):
        first = next(iter(members.values()))
        if first.metric.select is not None:
            made = _own_select(first)
        else:
            made = aggregates_select(first.file, members)
        selects[table] = made.sql("duckdb", pretty=True)
    return selects


def members_of_tables(asked: Iterable[Asked]) -> Mapping[str, Mapping[str, Asked]]:
    """The metrics of each table of `fact_selects`, by column."""
    return _by_table([*always(), *asked])


def customer_select(
    asked: Iterable[Asked], unknown: frozenset[str] = frozenset()
) -> str:
    """The select of `core.customer_metrics`: one row per customer.

    The columns of the contract come first, then all that was asked for, by name.

    Args:
        asked: the metrics beside those that are always there.
        unknown: needs that are not met though there are rows; metrics that have one are
            null, since nothing is known of them.
    """
    of_customers = [
        asked_metric
        for asked_metric in asked
        if asked_metric.file.entity == CUSTOMERS.name
    ]
    wanted = {
        asked_metric.column: asked_metric for asked_metric in (*always(), *of_customers)
    }
    fixed = [field.name for field in contract("core", "customer_metrics").columns]
    names = [name for name in fixed if name in wanted]
    names += sorted(set(wanted) - set(fixed))
    select = exp.select(
        exp.column("customer_id", "customers"), exp.alias_(as_of_date(), AS_OF_DATE)
    ).from_(_table(CUSTOMERS.rows, "customers"))
    for name in names:
        asked_metric = wanted[name]
        found: exp.Expr = exp.null()
        if not unknown & needs_of(asked_metric.name):
            found = _of_customer(asked_metric)
        value = cast(found, TYPES[asked_metric.metric.type])
        select = select.select(exp.alias_(value, name, quoted=True), copy=False)
    for table in sorted(_by_table(wanted.values())):
        condition = exp.EQ(
            this=exp.column("customer_id", "customers"),
            expression=exp.column("customer_id", table),
        )
        select = select.join(
            _table(f"core.{table}", table), on=condition, join_type="left", copy=False
        )
    return select.sql("duckdb", pretty=True)


def category_select(asked: Iterable[Asked]) -> str | None:
    """The select of metrics per customer and category; None where none is asked for."""
    tables = _by_table(
        asked_metric
        for asked_metric in asked
        if asked_metric.file.entity == CATEGORIES.name
    )
    if not tables:
        return None
    ((table, members),) = tables.items()
    return (
        exp.select(*CATEGORIES.key, exp.alias_(as_of_date(), AS_OF_DATE))
        .select(*(column(name) for name in sorted(members)))
        .from_(_table(f"core.{table}", None))
        .sql("duckdb", pretty=True)
    )


def tables_read(asked: Iterable[Asked]) -> frozenset[str]:
    """The tables that the metrics read, as schema.table."""
    return frozenset(
        name
        for members in _by_table(asked).values()
        for asked_metric in members.values()
        for name in asked_metric.file.reads
    )


def _by_table(asked: Iterable[Asked]) -> dict[str, dict[str, Asked]]:
    """What is to be computed of each fact table: table → column → metric."""
    found: dict[str, dict[str, Asked]] = {}
    ahead = list(asked)
    seen: set[Asked] = set()
    while ahead:
        asked_metric = ahead.pop()
        if asked_metric in seen:
            continue
        seen.add(asked_metric)
        if asked_metric.table is None:
            ahead.extend(inputs(asked_metric))
        else:
            found.setdefault(asked_metric.table, {})[asked_metric.column] = asked_metric
    return found


def aggregates_select(
    file: MetricFile, members: Mapping[str, Asked], *, among: str | None = None
) -> exp.Select:
    """The metrics of a fact table, one row per customer.

    Args:
        file: of the metrics.
        members: the metrics, by column.
        among: a table with the only customers that are computed; None: all are.
    """
    return (_two_steps if file.per else _one_step)(file, members, among)


def _one_step(
    file: MetricFile, members: Mapping[str, Asked], among: str | None
) -> exp.Select:
    """The metrics of a fact table whose rows are aggregated as they are."""
    select = _keys(file, among)
    for name, asked_metric in sorted(members.items()):
        aggregate = filtered(
            fragment(asked_metric.metric.aggregate or ""), rows_in_window(asked_metric)
        )
        value = cast(aggregate, TYPES[asked_metric.metric.type])
        select = select.select(exp.alias_(value, name, quoted=True), copy=False)
    return _of_counted_rows(select, members).group_by(*_grouping(file))


def _of_counted_rows(select: exp.Select, members: Mapping[str, Asked]) -> exp.Select:
    """The select without the rows that no member counts: they need not be grouped."""
    rows = [rows_in_window(asked_metric) for asked_metric in members.values()]
    if any(condition is None for condition in rows):
        return select
    distinct = {
        condition.sql(): condition for condition in rows if condition is not None
    }
    return select.where(either(list(distinct.values())))


def _two_steps(
    file: MetricFile, members: Mapping[str, Asked], among: str | None
) -> exp.Select:
    """The metrics of a fact table that is first aggregated within each `per`."""
    inner = _keys(file, among).select(*file.per)
    outer = exp.select("customer_id")
    for name, asked_metric in sorted(members.items()):
        each = filtered(
            fragment(asked_metric.metric.each or ""), rows_in_window(asked_metric)
        )
        inner = inner.select(exp.alias_(each, name, quoted=True), copy=False)
        aggregate = replaced(
            fragment(asked_metric.metric.aggregate or ""),
            lambda found, name=name: (
                column(name)  # type: ignore[misc]
                if isinstance(found, exp.Column) and found.name == "value"
                else None
            ),
        )
        value = cast(aggregate, TYPES[asked_metric.metric.type])
        outer = outer.select(exp.alias_(value, name, quoted=True), copy=False)
    inner = inner.where(*(f"{key} is not null" for key in file.per))
    inner = _of_counted_rows(inner, members)
    inner = inner.group_by(*_grouping(file), *file.per)
    return outer.from_(inner.subquery("grouped")).group_by("customer_id")


def _own_select(asked_metric: Asked) -> exp.Expr:
    """The select of a metric that has a file of its own, its $params filled in."""
    given = dict(asked_metric.arguments)

    def fill(found: exp.Expr) -> exp.Expr | None:
        if not isinstance(found, exp.Placeholder):
            return None
        name = found.name
        if name == AS_OF_DATE:
            return as_of_date()
        if name == "after_date":
            return day_before(asked_metric.window)
        is_number = asked_metric.metric.arguments[name].type == "number"
        return exp.Literal.number(given[name]) if is_number else text(given[name])

    made = replaced(_file(asked_metric.metric.select or ""), fill)
    return exp.select(
        "customer_id",
        exp.alias_(
            cast(column("measure"), TYPES[asked_metric.metric.type]),
            asked_metric.column,
            quoted=True,
        ),
    ).from_(
        exp.Subquery(this=made, alias=exp.TableAlias(this=exp.to_identifier("own")))
    )


def _keys(file: MetricFile, among: str | None) -> exp.Select:
    """The select of a fact table's keys, of rows that name a customer."""
    select = exp.select(exp.alias_(exp.column(file.customer), "customer_id"))
    select = select.select(*file.key[1:]).from_(fact_rows(file))
    select = select.where(*(f"{key} is not null" for key in _grouping(file)))
    return (
        select if among is None else select.where(is_in(column(file.customer), among))
    )


def is_in(customer: exp.Expr, table: str) -> exp.Expr:
    """The condition that a table with a row per customer has the customer."""
    names = exp.select("customer_id").from_(exp.to_table(table))
    return exp.In(this=customer, query=exp.Subquery(this=names))


def fact_rows(file: MetricFile) -> exp.Expr:
    """The fact table, or the select that stands for it."""
    if file.relation is None:
        return _table(file.reads[0], None)
    alias = exp.TableAlias(this=exp.to_identifier("events"))
    return exp.Subquery(this=fragment(file.relation).copy(), alias=alias)


def _grouping(file: MetricFile) -> tuple[str, ...]:
    """The columns of the fact table that are grouped by: customer, and category."""
    return (file.customer, *file.key[1:])


def rows_in_window(asked_metric: Asked) -> exp.Expr | None:
    """The condition on the rows that count in the window; None where all do."""
    conditions = within_window(
        asked_metric.window, column(asked_metric.file.date or "")
    )
    counted = rows_that_count(asked_metric)
    if counted is not None:
        conditions.append(counted)
    return both(conditions) if conditions else None


def rows_that_count(asked_metric: Asked) -> exp.Expr | None:
    """The condition on the rows that count, whenever they are; None where all do."""
    conditions: list[exp.Expr] = []
    if asked_metric.metric.where is not None:
        conditions.append(fragment(asked_metric.metric.where))
    for name, value in asked_metric.arguments:
        argument = asked_metric.metric.arguments[name]
        if argument.column is not None:
            literal = text(value)
            if argument.type == "number":
                literal = exp.Literal.number(value)
            conditions.append(exp.EQ(this=column(argument.column), expression=literal))
    return both(conditions) if conditions else None


def filtered(aggregate: exp.Expr, rows: exp.Expr | None) -> exp.Expr:
    """The aggregate over some rows; over all where no condition is given."""
    if rows is None:
        return aggregate
    return exp.Filter(this=aggregate, expression=exp.Where(this=rows))


def _of_customer(asked_metric: Asked) -> exp.Expr:
    """The metric as an expression over the joined fact metrics."""
    if asked_metric.table is not None:
        found = exp.column(asked_metric.column, asked_metric.table, quoted=True)
        if asked_metric.metric.empty is None:
            return found
        return function("coalesce", found, number(asked_metric.metric.empty))

    def fill(found: exp.Expr) -> exp.Expr | None:
        if isinstance(found, exp.Anonymous) and found.name in definitions():
            return exp.Paren(this=_of_customer(_input(asked_metric, found)))
        return None

    return replaced(fragment(asked_metric.metric.expression or ""), fill)


def inputs(asked_metric: Asked) -> list[Asked]:
    """The metrics that an expression reads, over their windows."""
    expression = fragment(asked_metric.metric.expression or "")
    names = inputs_of(asked_metric.metric)
    calls = expression.find_all(exp.Anonymous)
    return [_input(asked_metric, call) for call in calls if call.name in names]


def _input(asked_metric: Asked, call: exp.Anonymous) -> Asked:
    """The metric that an expression calls, over its own window or the outer one."""
    if not call.expressions:
        return Asked(call.name, parse_window("ever"))
    (argument,) = call.expressions
    window = asked_metric.window
    if isinstance(argument, exp.Literal):
        window = parse_window(str(argument.this))
    return Asked(call.name, window)


def replaced(
    tree: exp.Expr, replacement: Callable[[exp.Expr], exp.Expr | None]
) -> exp.Expr:
    """A copy of the tree in which some nodes, with all they hold, are replaced."""
    made = tree.copy()
    for found in list(made.walk(prune=lambda node: replacement(node) is not None)):
        other = replacement(found)
        if other is not None:
            if found is made:
                return other
            found.replace(other)
    return made


@cache
def fragment(sql: str) -> exp.Expr:
    """A piece of Fenji's own SQL, parsed once; copy it before changing it."""
    return sqlglot.parse_one(sql, dialect="duckdb")


@cache
def _file(name: str) -> exp.Expr:
    sql = (FOLDER / name).read_text(encoding="utf-8")
    return sqlglot.parse_one(sql, dialect="duckdb")


def _table(name: str, alias: str | None) -> exp.Expr:
    table = exp.to_table(name)
    return table if alias is None else exp.alias_(table, alias, table=True)
