"""Selects of metrics: one pass over each fact table, then one row per customer.

The fragments in `sql/metrics/*.yaml` are Fenji's own SQL; what a scheme adds to them
is windows and literals.
"""

from collections.abc import Iterable, Mapping
from functools import cache

import sqlglot
from sqlglot import exp

from schemes.metrics import Asked, MetricFile, always, definitions, inputs_of
from schemes.values import binary, both, cast, column, either, function, number, text
from schemes.windows import Window, parse_window
from sql.contracts import TYPES, contract

CUSTOMERS = "core.customers"
_AS_OF_DATE = "as_of_date"


def fact_selects(asked: Iterable[Asked]) -> Mapping[str, str]:
    """The selects of the fact metrics: table of `core` → SQL, one row per customer."""
    selects: dict[str, str] = {}
    for table, (file, members) in sorted(_by_table(asked).items()):
        made = _two_steps(file, members) if file.per else _one_step(file, members)
        selects[table] = made.sql("duckdb", pretty=True)
    return selects


def customer_select(asked: Iterable[Asked]) -> str:
    """The select of `core.customer_metrics`: one row per customer.

    The columns of the contract come first, then all that was asked for, by name.
    """
    wanted = {one.column: one for one in (*always(), *asked)}
    fixed = [one.name for one in contract("core", "customer_metrics").columns]
    names = [name for name in fixed if name in wanted]
    names += sorted(set(wanted) - set(fixed))
    select = exp.select(
        exp.column("customer_id", "customers"),
        exp.alias_(_as_of(), _AS_OF_DATE),
    ).from_(_table(CUSTOMERS, "customers"))
    for name in names:
        one = wanted[name]
        value = cast(_of_customer(one), TYPES[one.metric.type])
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


def tables_read(asked: Iterable[Asked]) -> frozenset[str]:
    """The fact tables that the metrics read, as schema.table."""
    files = (file for file, _ in _by_table(asked).values())
    return frozenset(file.reads for file in files if file.reads)


def _by_table(
    asked: Iterable[Asked],
) -> dict[str, tuple[MetricFile, dict[str, Asked]]]:
    """What is to be computed of each fact table: table → its file, column → metric."""
    found: dict[str, tuple[MetricFile, dict[str, Asked]]] = {}
    ahead = [*always(), *asked]
    seen: set[Asked] = set()
    while ahead:
        one = ahead.pop()
        if one in seen:
            continue
        seen.add(one)
        if one.file.table is None:
            ahead.extend(_inputs(one))
        else:
            _, members = found.setdefault(one.file.table, (one.file, {}))
            members[one.column] = one
    return found


def _one_step(file: MetricFile, members: Mapping[str, Asked]) -> exp.Select:
    select = exp.select("customer_id").from_(_table(file.reads or "", None))
    for name, one in sorted(members.items()):
        aggregate = _filtered(_fragment(one.metric.aggregate or ""), _rows(one))
        value = cast(aggregate, TYPES[one.metric.type])
        select = select.select(exp.alias_(value, name, quoted=True), copy=False)
    return select.where("customer_id is not null").group_by("customer_id")


def _two_steps(file: MetricFile, members: Mapping[str, Asked]) -> exp.Select:
    keys = ["customer_id", *file.per]
    inner = exp.select(*keys).from_(_table(file.reads or "", None))
    outer = exp.select("customer_id")
    for name, one in sorted(members.items()):
        each = _filtered(_fragment(one.metric.each or ""), _rows(one))
        inner = inner.select(exp.alias_(each, name, quoted=True), copy=False)
        aggregate = _fragment(one.metric.aggregate or "").copy()
        for found in list(aggregate.find_all(exp.Column)):
            if found.name == "value":
                found.replace(column(name))
        value = cast(aggregate, TYPES[one.metric.type])
        outer = outer.select(exp.alias_(value, name, quoted=True), copy=False)
    inner = inner.where(*(f"{key} is not null" for key in keys))
    rows = [_rows(one) for one in members.values()]
    if all(one is not None for one in rows):
        distinct = list({one.sql(): one for one in rows if one is not None}.values())
        inner = inner.where(either(distinct))
    inner = inner.group_by(*keys)
    return outer.from_(inner.subquery("grouped")).group_by("customer_id")


def _rows(one: Asked) -> exp.Expr | None:
    """The condition on the rows that count; None where all do."""
    conditions = _within(one.window, column(one.file.date or ""))
    if one.metric.where is not None:
        conditions.append(_fragment(one.metric.where))
    for argument, value in one.arguments:
        named = column(one.metric.arguments[argument])
        conditions.append(exp.EQ(this=named, expression=text(value)))
    return both(conditions) if conditions else None


def _filtered(aggregate: exp.Expr, rows: exp.Expr | None) -> exp.Expr:
    if rows is None:
        return aggregate
    return exp.Filter(this=aggregate, expression=exp.Where(this=rows))


def _within(window: Window, day: exp.Expr) -> list[exp.Expr]:
    """The conditions that the day lies in the window; days to come are not there."""
    if window.kind == "ever":
        return []
    conditions: list[exp.Expr]
    if window.kind == "calendar_year":
        start = _year_start(window.periods_back)
        conditions = [exp.GTE(this=day, expression=start)]
        if window.periods_back:
            end = _year_start(0)
            conditions.append(exp.LT(this=day.copy(), expression=end))
        return conditions
    start = _back(window, window.periods_back + 1)
    conditions = [exp.GT(this=day, expression=start)]
    if window.periods_back:
        end = _back(window, window.periods_back)
        conditions.append(exp.LTE(this=day.copy(), expression=end))
    return conditions


def _back(window: Window, periods: int) -> exp.Expr:
    size = window.size * periods
    if window.kind == "days":
        return binary(exp.Sub, _as_of(), number(size))
    length = exp.Interval(this=text(str(size)), unit=exp.var("month"))
    return cast(exp.Paren(this=binary(exp.Sub, _as_of(), length)), "date")


def _year_start(years_back: int) -> exp.Expr:
    day: exp.Expr = _as_of()
    if years_back:
        length = exp.Interval(this=text(str(12 * years_back)), unit=exp.var("month"))
        day = binary(exp.Sub, day, length)
    return cast(function("date_trunc", text("year"), day), "date")


def _of_customer(one: Asked) -> exp.Expr:
    """The metric as an expression over the joined fact metrics."""
    if one.file.table is not None:
        found = exp.column(one.column, one.file.table, quoted=True)
        if one.metric.empty is None:
            return found
        return function("coalesce", found, number(one.metric.empty))
    expression = _fragment(one.metric.expression or "").copy()
    for call in list(expression.find_all(exp.Anonymous)):
        if call.name in definitions():
            inner = exp.Paren(this=_of_customer(_input(one, call)))
            if call is expression:
                return inner
            call.replace(inner)
    return expression


def _inputs(one: Asked) -> list[Asked]:
    expression = _fragment(one.metric.expression or "")
    names = inputs_of(one.metric)
    calls = expression.find_all(exp.Anonymous)
    return [_input(one, call) for call in calls if call.name in names]


def _input(one: Asked, call: exp.Anonymous) -> Asked:
    """The metric that an expression calls, over its own window or the outer one."""
    if not call.expressions:
        return Asked(call.name, parse_window("ever"))
    (argument,) = call.expressions
    window = one.window
    if isinstance(argument, exp.Literal):
        window = parse_window(str(argument.this))
    return Asked(call.name, window)


@cache
def _fragment(sql: str) -> exp.Expr:
    return sqlglot.parse_one(sql, dialect="duckdb")


def _table(name: str, alias: str | None) -> exp.Expr:
    table = exp.to_table(name)
    return table if alias is None else exp.alias_(table, alias, table=True)


def _as_of() -> exp.Expr:
    return cast(exp.Placeholder(this=_AS_OF_DATE), "date")
