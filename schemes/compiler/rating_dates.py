"""On which dates before the as-of date a scheme with memory rates, as selects.

A customer is rated on the days on which a fact of it changes what the scheme reads;
these are stored (see `history_selects`). Between them nothing happens but that time
goes on: everybody is rated on a fixed grid of dates, and on the days that a clock turns
on. These rows have the figures of the stored day before, so they are made where they
are read: there are more of them than of stored days, and they take no sorting.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from schemes.compiler.changes import EVERY_DAY, Clock
from schemes.compiler.program import CUSTOMERS
from schemes.compiler.queries import Relation, join_customers, named, select
from schemes.compiler.values import as_of_date, column, function, number, text
from schemes.language.metrics import Asked
from schemes.language.windows import parse_window

RATING_DATE = "rating_date"
UNTIL_DATE = "until_date"
MOVE_DATE = "move_date"  # the day on which a figure may change
_EVER = parse_window("ever")
_MONTHS_A_YEAR = 12


@dataclass(frozen=True)
class RatingDates:
    """On which dates before the as-of date a scheme rates."""

    months: int = 1  # everybody, on the first of every so many months
    on_changes: bool = False  # and a customer when facts of it change what is read
    clocks: frozenset[Clock] = frozenset()  # the times that are reckoned between facts

    @property
    def used(self) -> list[Clock]:
        """The clocks that are looked at, in order."""
        if EVERY_DAY in self.clocks:
            return [EVERY_DAY]
        return sorted(self.clocks, key=str)

    @property
    def has_plain_grid(self) -> bool:
        """Whether the dates of everybody are the same for all customers."""
        return self.months in (1, _MONTHS_A_YEAR)

    @property
    def reads_customers(self) -> bool:
        """Whether a customer's attributes say on which dates it is rated."""
        return not self.has_plain_grid or any(clock.is_attribute for clock in self.used)


def over_days(figure: exp.Expr) -> exp.Expr:
    """A figure over a customer's days up to each of them."""
    return exp.Window(
        this=figure,
        partition_by=[column("customer_id")],
        order=exp.Order(expressions=[exp.Ordered(this=column(RATING_DATE))]),
        spec=exp.WindowSpec(
            kind="ROWS",
            start="UNBOUNDED",
            start_side="PRECEDING",
            end="CURRENT ROW",
        ),
    )


def ratings(
    table: Relation,
    figures: Iterable[str],
    dates: RatingDates,
    *,
    of_everybody: bool = False,
    with_until: bool = False,
) -> exp.Select:
    """One row per customer and rating date, from what is stored of its days.

    Args:
        table: a row per customer and day on which its figures change, with the figures.
        figures: the columns of the table that are told.
        dates: on which dates the scheme rates.
        of_everybody: only the firsts of months are told.
        with_until: the first day on which another rating follows is told, too.
    """
    names = list(figures)
    stored = [
        column("customer_id"),
        column(RATING_DATE),
        named(function("coalesce", column(UNTIL_DATE), as_of_date()), UNTIL_DATE),
        *(column(name) for name in names),
    ]
    days = _FIRSTS if of_everybody else _days_between(dates)
    known = {
        "months": number(dates.months),
        "unit": text("year" if dates.months % _MONTHS_A_YEAR == 0 else "month"),
        "clocks": exp.Array(expressions=[_turns(clock) for clock in dates.used]),
    }
    columns: list[exp.Expr] = [
        exp.column(name, "told", quoted=True)
        for name in ("customer_id", UNTIL_DATE, *names)
    ]
    columns.append(named(_filled(days, known), "days"))
    query = select(columns, select(stored, table, "stored"), "told")
    if not of_everybody and dates.reads_customers:
        join_customers(query, "told", CUSTOMERS.rows, "customers")
    unnested: dict[str, exp.Expr] = {RATING_DATE: column("days")}
    if with_until:
        unnested[UNTIL_DATE] = sqlglot.parse_one(_FOLLOWING, dialect="duckdb")
    made: list[exp.Expr] = [column("customer_id")]
    made += [named(function("unnest", of), name) for name, of in unnested.items()]
    return select([*made, *(column(name) for name in names)], query, "dated")


def _days_between(dates: RatingDates) -> str:
    """The rating dates from a stored day on, until the next one."""
    if not dates.used and dates.has_plain_grid:
        return f"list_prepend(told.rating_date, {_PLAIN_GRID})"
    grid = _PLAIN_GRID if dates.has_plain_grid else _GRID
    return _BETWEEN.format(grid=grid)


def _filled(sql: str, known: Mapping[str, exp.Expr]) -> exp.Expr:
    """The expression with its $names filled in."""
    return sqlglot.parse_one(sql, dialect="duckdb").transform(
        lambda node: (
            known[node.name].copy()
            if isinstance(node, exp.Placeholder) and node.name in known
            else node
        )
    )


def _turns(clock: Clock) -> exp.Expr:
    """The days, between two rating dates and about them, on which a clock turns."""
    if clock.since is None:
        return sqlglot.parse_one(_EACH_DAY, dialect="duckdb")
    since = exp.column(clock.since, "customers", quoted=True)
    if not clock.is_attribute:
        asked = Asked(clock.since, _EVER)
        since = exp.column(asked.column, "told", quoted=True)
    if clock.after_days is not None:
        day = exp.Paren(this=exp.Add(this=since, expression=number(clock.after_days)))
        return exp.Array(expressions=[day])
    made = _filled(_EACH_MONTH, {"since": since})
    return function("coalesce", made, exp.Array(expressions=[]))


# The firsts of all months, or of all years, after the stored day.
_PLAIN_GRID = """
range(
    cast(date_trunc($unit, told.rating_date) + to_months($months) as timestamp),
    cast(told.until_date as timestamp),
    to_months($months)
)::date[]
"""
# From a customer's first day on: every so many firsts of months, begun with that of a
# year where they are whole years.
_GRID = """
range(
    cast(
        date_trunc($unit, customers.first_known_date - 1)
        + to_months(case when $unit = 'year' then 12 else 1 end) as timestamp
    ),
    cast(told.until_date as timestamp),
    to_months($months)
)::date[]
"""
# The firsts of months from the stored day on.
_FIRSTS = """
range(
    cast(date_trunc('month', told.rating_date - 1) + to_months(1) as timestamp),
    cast(told.until_date as timestamp),
    to_months(1)
)::date[]
"""
_EACH_DAY = """
list_transform(
    range(told.until_date - told.rating_date),
    lambda n: told.rating_date + n::integer
)
"""
# The same day of each month, held to the end of a shorter one.
_EACH_MONTH = """
list_transform(
    range(
        datediff('month', $since, told.rating_date),
        datediff('month', $since, told.until_date) + 1
    ),
    lambda n: ($since + to_months(n::integer))::date
)
"""
_BETWEEN = """
list_sort(
    list_append(
        list_filter(
            list_distinct(list_concat(flatten($clocks), {grid})),
            lambda d: d > told.rating_date and d < told.until_date
        ),
        told.rating_date
    )
)
"""
_FOLLOWING = "list_append(days[2:], until_date)"
