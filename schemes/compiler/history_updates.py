"""Statements that bring a scheme's history from one as-of date to a later one.

The tables as of `$kept_date` are there. What is stored of a customer's days is right
for everybody but `temp.restated_customers`, whose rows up to that date are others now,
and those of whom a fact enters or leaves a window, or counts otherwise, from that date
on. These customers' days are computed anew, by the select that computes all.

What is held is folded anew for these customers, for those who are rated again because
time went on, and for those whose term is over. Where a figure about the population is
another one for a month before, everybody's is.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from schemes.compiler.changes import turns
from schemes.compiler.history_facts import FORMER_UNTIL, Facts
from schemes.compiler.memory import Memory
from schemes.compiler.metric_selects import fact_rows, replaced, rows_that_count
from schemes.compiler.metric_updates import KEPT_DATE, RESTATED, edges, hangs_on_days
from schemes.compiler.program import CUSTOMERS
from schemes.compiler.queries import named, select, text_of
from schemes.compiler.rating import end_of
from schemes.compiler.rating_dates import (
    RATING_DATE,
    UNTIL_DATE,
    RatingDates,
    ratings,
)
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
from schemes.language.names import AS_OF_DATE

_CUSTOMER = "customer_id"


@dataclass(frozen=True)
class HistoryUpdate:
    """How the tables of a scheme's history go on from a former as-of date."""

    customers: str  # the temporary table of those whose days are computed anew
    find: str  # the statement that makes it
    tables: dict[str, list[str]]  # table of `core` → statements, in order


def hangs_on_own_days(facts: Iterable[Facts]) -> bool:
    """Whether what is told of a customer hangs on its own rows and their days alone."""
    return all(hangs_on_days(made.file, made.members.values()) for made in facts)


def customers_anew(facts: Iterable[Facts], dates: RatingDates) -> exp.Expr:
    """The customers whose stored days are others than at the former date."""
    since, to = _stored_up_to(dates, _kept_date()), _stored_up_to(dates, as_of_date())

    def between(day: exp.Expr) -> exp.Expr:
        after = exp.GT(this=day.copy(), expression=since.copy())
        return both([after, exp.LTE(this=day.copy(), expression=to.copy())])

    parts: list[exp.Expr] = [
        select([column(_CUSTOMER)], RESTATED),
        select(
            [column(_CUSTOMER)],
            CUSTOMERS.rows,
            where=[between(column("first_known_date"))],
        ),
    ]
    for made in facts:
        moved = edges(
            column(made.file.date or ""),
            [asked_metric.window for asked_metric in made.members.values()],
            lambda bound: _as_of(bound, since),
            lambda bound: _as_of(bound, to),
        )
        turned = {
            day.sql(): between(day)
            for asked_metric in made.by_date.values()
            for day in turns(rows_that_count(asked_metric))
        }
        rows = exp.Select(expressions=[column(_CUSTOMER)])
        rows.from_(fact_rows(made.file), copy=False)
        parts.append(rows.where(either([moved, *turned.values()]), copy=False))
        if made.file.former is not None:
            ended = either([moved.copy(), between(column(FORMER_UNTIL))])
            parts.append(select([column(_CUSTOMER)], made.file.former, where=[ended]))
    known = exp.Not(this=exp.Is(this=column(_CUSTOMER), expression=exp.null()))
    return select([column(_CUSTOMER)], _union(parts), "named", where=[known])


def customers_held_anew(
    scheme: str, memory: Memory, figures: Iterable[str], dates: RatingDates, anew: str
) -> exp.Expr:
    """The customers whose held tier is folded anew.

    Args:
        scheme: its name.
        memory: how it remembers.
        figures: the columns that are told of a day.
        dates: on which dates it rates.
        anew: the table of the customers whose stored days are others.
    """
    # Of all others only time went on since their last stored day.
    before = exp.Paren(this=exp.Sub(this=_kept_date(), expression=number(1)))
    later = function("greatest", column(RATING_DATE), before)
    replacing = exp.Star(replace=[named(later, RATING_DATE)])
    is_last = exp.Is(this=column(UNTIL_DATE), expression=exp.null())
    last = select([replacing], f"core.{scheme}_history", where=[is_last])
    since = exp.GTE(this=column(RATING_DATE), expression=_kept_date())
    parts: list[exp.Expr] = [
        select([column(_CUSTOMER)], anew),
        select(
            [column(_CUSTOMER)], ratings(last, figures, dates), "rated", where=[since]
        ),
    ]
    if memory.ends_on_any_day:
        over = exp.LT(
            this=end_of(memory, column("valid_from")), expression=as_of_date()
        )
        parts.append(select([column(_CUSTOMER)], f"core.{scheme}_held", where=[over]))
    return _union(parts)


def customers_where_figures_changed(table: str, before: str) -> exp.Expr:
    """All customers, where a figure of a month before the former date is another one.

    Args:
        table: of the figures.
        before: the same table as it was.
    """
    parts = [
        f"(from {table} where {AS_OF_DATE} < $kept_date::date) except"
        f" (from {other} where {AS_OF_DATE} < $kept_date::date)"
        for table, other in ((table, before), (before, table))
    ]
    return sqlglot.parse_one(
        f"select {_CUSTOMER} from {CUSTOMERS.rows} where exists ({parts[0]})"
        f" or exists ({parts[1]})",
        dialect="duckdb",
    )


def exchange(table: str, customers: str, computed: str) -> list[str]:
    """Statements that put the rows of some customers in place of those before.

    Args:
        table: with one or more rows a customer.
        customers: the table of the customers.
        computed: the select of their rows.
    """
    theirs = f"select {_CUSTOMER} from {customers}"
    return [
        f"delete from {table} where {_CUSTOMER} in ({theirs})",
        f"insert into {table} by name {computed}",
    ]


def kept_aside(table: str, query: exp.Expr) -> str:
    """The statement that makes a temporary table, such as `temp.members`."""
    name = table.removeprefix("temp.")
    return f"create or replace temporary table {name} as {text_of(query)}"


def _stored_up_to(dates: RatingDates, as_of: exp.Expr) -> exp.Expr:
    """The last day that is stored as of a date: before it, on a first if only these."""
    before = exp.Paren(this=exp.Sub(this=as_of, expression=number(1)))
    if dates.on_changes:
        return before
    return cast(function("date_trunc", text("month"), before), "date")


def _kept_date() -> exp.Expr:
    return cast(exp.Placeholder(this=KEPT_DATE), "date")


def _as_of(tree: exp.Expr, date: exp.Expr) -> exp.Expr:
    """The expression as of another date."""

    def other(found: exp.Expr) -> exp.Expr | None:
        is_date = isinstance(found, exp.Placeholder) and found.name == AS_OF_DATE
        return date.copy() if is_date else None

    return replaced(tree, other)


def _union(parts: list[exp.Expr]) -> exp.Select:
    """The customers that any of the selects names, each once."""
    first, *rest = parts
    for part in rest:
        first = exp.union(first, part, distinct=True, copy=False)
    alias = exp.TableAlias(this=exp.to_identifier("parts"))
    query = exp.Select(expressions=[column(_CUSTOMER)])
    return query.from_(exp.Subquery(this=first, alias=alias), copy=False)
