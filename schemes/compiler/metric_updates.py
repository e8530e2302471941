"""Selects that bring the metrics of a fact table from one as-of date to a later one.

The metrics as of `$kept_date` are in the table already, and are right for everybody
but `temp.restated_customers`, whose rows up to that date are others now. So the new
table is put together of three parts:

- customers whose metrics are computed anew, by the select that computes all: those who
  are restated, and those of whom a row enters or leaves the window of a metric that
  cannot be reckoned on, such as a median;
- the others, with what the rows that enter or leave windows add or take off: sums and
  counts are reckoned on, and so are the least and the greatest of all rows ever;
- those of them of whom no such row is: as they were.

A sum or count that was null may become zero, and customers of whom nothing is left in
any window keep a row of zeros: both read as zero in `core.customer_metrics`.
"""

from collections.abc import Callable, Iterable, Mapping

from sqlglot import exp

from schemes.compiler.metric_selects import (
    aggregates_select,
    fact_rows,
    filtered,
    fragment,
    is_in,
    replaced,
    rows_in_window,
)
from schemes.compiler.program import CUSTOMERS
from schemes.compiler.values import (
    as_of_date,
    both,
    cast,
    column,
    either,
    function,
    number,
)
from schemes.compiler.window_days import day_before, last_day
from schemes.language.metrics import Asked, MetricFile
from schemes.language.names import AS_OF_DATE
from schemes.language.windows import Window
from sql.contracts import TYPES

KEPT_DATE = "kept_date"
RESTATED = "temp.restated_customers"
_CUSTOMER = "customer_id"
Moved = Callable[[exp.Expr], exp.Expr]  # the same as of another date
_EXTREMES: Mapping[type[exp.Expr], str] = {exp.Min: "least", exp.Max: "greatest"}


def update_select(table: str, members: Mapping[str, Asked]) -> str | None:
    """The select of a table of metrics as it goes on from `$kept_date`.

    Args:
        table: of `core`.
        members: its metrics, by column.

    Returns:
        None where the table has to be computed as a whole: what it says of a customer
        does not hang on that customer's rows and their days alone.
    """
    file = next(iter(members.values())).file
    if not hangs_on_days(file, members.values()):
        return None
    reckoned = {name: asked for name, asked in members.items() if _is_reckoned(asked)}
    others = [asked for name, asked in members.items() if name not in reckoned]
    computed = aggregates_select(file, members, among="anew")
    kept = exp.select("*").from_(exp.to_table(f"core.{table}"))
    carried = (
        exp.select(
            exp.alias_(
                function(
                    "coalesce",
                    exp.column(_CUSTOMER, "kept"),
                    exp.column(_CUSTOMER, "moved"),
                ),
                _CUSTOMER,
            ),
            *(_carried(name, members[name], reckoned) for name in sorted(members)),
        )
        .from_("kept")
        .join("moved", on="kept.customer_id = moved.customer_id", join_type="full")
    )
    select = exp.union(exp.select("*").from_("computed"), carried, distinct=False)
    for name, part in (
        ("anew", _anew(file, others)),
        ("computed", computed),
        ("moved", _moved(file, reckoned)),
        ("kept", kept.where(exp.Not(this=is_in(column(_CUSTOMER), "anew")))),
    ):
        select = select.with_(name, as_=part)
    return select.sql("duckdb", pretty=True)


def hangs_on_days(file: MetricFile, members: Iterable[Asked]) -> bool:
    """Whether each row counts for one customer, on its day, whatever the date is."""
    if (
        file.date is None
        or file.entity != CUSTOMERS.name
        or file.customer != _CUSTOMER
        or len(file.reads) != 1
    ):
        return False
    metrics = [asked.metric for asked in members]
    if any(metric.select is not None for metric in metrics):
        return False
    written = [file.relation]
    for metric in metrics:
        written += [metric.aggregate, metric.each, metric.where]
    return not any(
        placeholder.name == AS_OF_DATE
        for sql in written
        if sql is not None
        for placeholder in fragment(sql).find_all(exp.Placeholder)
    )


def _is_reckoned(asked: Asked) -> bool:
    """Whether it follows from what it was and the rows that enter or leave."""
    return _is_sum(asked) or _extreme(asked) is not None


def _is_sum(asked: Asked) -> bool:
    """Whether it is a sum or a count, which is zero for a customer without rows."""
    if asked.file.per or asked.metric.empty != 0:
        return False
    aggregate = fragment(asked.metric.aggregate or "")
    return isinstance(aggregate, exp.Sum | exp.Count) and not aggregate.find(
        exp.Distinct
    )


def _extreme(asked: Asked) -> str | None:
    """DuckDB's function of the lesser or greater of two; None: it is no extreme.

    Only where no row ever leaves.
    """
    if asked.file.per or asked.window.kind != "ever":
        return None
    return _EXTREMES.get(type(fragment(asked.metric.aggregate or "")))


def _anew(file: MetricFile, others: list[Asked]) -> exp.Query:
    """The customers whose metrics are computed anew."""
    restated = exp.select(_CUSTOMER).from_(exp.to_table(RESTATED))
    if not others:
        return restated
    moved = (
        exp.select(_CUSTOMER)
        .from_(fact_rows(file))
        .where(f"{_CUSTOMER} is not null", _edges(file, others))
    )
    return exp.union(restated, moved, distinct=True)


def _moved(file: MetricFile, reckoned: Mapping[str, Asked]) -> exp.Select:
    """What rows that enter or leave windows change, one row a customer."""
    select = exp.select(_CUSTOMER).from_(fact_rows(file))
    for name, asked in sorted(reckoned.items()):
        select = select.select(
            exp.alias_(_difference(asked), name, quoted=True), copy=False
        )
    conditions: list[exp.Expr] = [
        exp.Not(this=exp.Is(this=column(_CUSTOMER), expression=exp.null())),
        exp.Not(this=is_in(column(_CUSTOMER), "anew")),
    ]
    edges = _edges(file, reckoned.values()) if reckoned else exp.false()
    return select.where(edges, *conditions).group_by(_CUSTOMER)


def _difference(asked: Asked) -> exp.Expr:
    """What the window holds now less what it held; of an extreme, what is new."""
    aggregate = fragment(asked.metric.aggregate or "")
    day = column(asked.file.date or "")
    rows = rows_in_window(asked)
    if not _is_sum(asked):
        is_new = exp.GT(this=day, expression=_at_kept_date(as_of_date()))
        since = is_new if rows is None else both([rows, is_new])
        return filtered(aggregate.copy(), since)
    was_there: list[exp.Expr] = [
        exp.LTE(this=day, expression=_at_kept_date(as_of_date()))
    ]
    if rows is not None:
        was_there.append(_at_kept_date(rows))
    return exp.Sub(
        this=_or_zero(filtered(aggregate.copy(), rows)),
        expression=_or_zero(filtered(aggregate.copy(), both(was_there))),
    )


def _carried(name: str, asked: Asked, reckoned: Mapping[str, Asked]) -> exp.Expr:
    """The column for those who are not computed anew."""
    value: exp.Expr = exp.column(name, "kept", quoted=True)
    if name in reckoned:
        moved = exp.column(name, "moved", quoted=True)
        extreme = _extreme(asked)
        if _is_sum(asked):
            value = exp.Add(this=_or_zero(value), expression=_or_zero(moved))
        elif extreme is not None:
            value = function(extreme, value, moved)
    return exp.alias_(cast(value, TYPES[asked.metric.type]), name, quoted=True)


def _edges(file: MetricFile, members: Iterable[Asked]) -> exp.Expr:
    """The condition that a row may enter or leave the window of one of the metrics."""
    windows = (asked.window for asked in members)
    return edges(column(file.date or ""), windows, _at_kept_date, lambda at: at)


def edges(
    day: exp.Expr, windows: Iterable[Window], since: Moved, to: Moved
) -> exp.Expr:
    """The condition that a day enters or leaves one of the windows after a date.

    Args:
        day: that is looked at.
        windows: that begin and end by the as-of date.
        since: puts the date after which it happens in place of the as-of date.
        to: puts the last date on which it happens in its place.
    """
    ranges: dict[str, exp.Expr] = {}
    for window in dict.fromkeys(windows):
        bounds = [last_day(window)]
        if window.kind != "ever":
            bounds.append(day_before(window))
        for bound in bounds:
            passed = both(
                [
                    exp.GT(this=day.copy(), expression=since(bound)),
                    exp.LTE(this=day.copy(), expression=to(bound)),
                ]
            )
            ranges[passed.sql("duckdb")] = exp.Paren(this=passed)
    return either(list(ranges.values()))


def _at_kept_date(tree: exp.Expr) -> exp.Expr:
    """The same as of the former as-of date."""

    def former(found: exp.Expr) -> exp.Expr | None:
        if isinstance(found, exp.Placeholder) and found.name == AS_OF_DATE:
            return exp.Placeholder(this=KEPT_DATE)
        return None

    return replaced(tree, former)


def _or_zero(value: exp.Expr) -> exp.Expr:
    return function("coalesce", value, number(0))
