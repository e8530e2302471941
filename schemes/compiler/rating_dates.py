"""On which dates before the as-of date a scheme with memory rates, as selects.

Everybody is rated on a fixed grid of dates. Between them a customer is rated on the
days on which a fact of it changes what the scheme reads (see `history_selects`), and
where nothing happens but that time goes on: the days that a clock turns on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from schemes.compiler.changes import EVERY_DAY, Clock
from schemes.compiler.program import CUSTOMERS
from schemes.compiler.queries import named, relation, select
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


def dates_of_everybody(dates: RatingDates) -> Iterator[exp.Select]:
    """The dates on which everybody is rated: from the first day on that knows them."""
    day = column("first_known_date")
    there = exp.Not(this=exp.Is(this=day, expression=exp.null()))
    unit = "year" if dates.months % _MONTHS_A_YEAR == 0 else "month"
    known = {"unit": text(unit), "months": number(dates.months)}
    firsts = sqlglot.parse_one(_FIRSTS, dialect="duckdb").transform(
        lambda node: (
            known.get(node.name, node) if isinstance(node, exp.Placeholder) else node
        )
    )
    columns = [column("customer_id"), named(firsts, MOVE_DATE)]
    yield select(columns, CUSTOMERS.rows, where=[there])
    if dates.on_changes:
        columns = [column("customer_id"), named(day.copy(), MOVE_DATE)]
        yield select(columns, CUSTOMERS.rows, where=[there.copy()])


# From a customer's first day on, before the as-of date: every so many firsts of months,
# begun with that of a year where they are whole years.
_FIRSTS = """
cast(
    unnest(
        generate_series(
            cast(
                date_trunc($unit, first_known_date - 1)
                + to_months(case when $unit = 'year' then 12 else 1 end)
                as timestamp
            ),
            cast(cast($as_of_date as date) - 1 as timestamp),
            to_months($months)
        )
    ) as date
)
"""


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


def with_clocks(
    days: exp.Select, clocks: frozenset[Clock], told: Mapping[str, Asked]
) -> exp.Select:
    """The rows of `days`, and between them one for each day that a clock turns on."""
    used = sorted(clocks, key=str)
    lists = [_turns(clock) for clock in used]
    if EVERY_DAY in clocks:
        lists = [sqlglot.parse_one(_EACH_DAY, dialect="duckdb")]
    turned = sqlglot.parse_one(_BETWEEN, dialect="duckdb")
    every = function("flatten", exp.Array(expressions=lists))
    turned = turned.transform(
        lambda node: every if isinstance(node, exp.Placeholder) else node
    )
    columns: list[exp.Expr] = [
        exp.column("customer_id", "told"),
        named(function("unnest", turned), RATING_DATE),
    ]
    columns += [exp.column(name, "told", quoted=True) for name in told]
    query = select(columns, days, "told")
    if any(clock.is_attribute for clock in used):
        query.join(
            relation(CUSTOMERS.rows, "customers"),
            on=exp.EQ(
                this=exp.column("customer_id", "told"),
                expression=exp.column("customer_id", "customers"),
            ),
            copy=False,
        )
    as_of = as_of_date()
    following = over_days(function("lead", column(RATING_DATE), number(1), as_of))
    return select([exp.Star(), named(following, UNTIL_DATE)], query, "turned")


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
    each = sqlglot.parse_one(_EACH_MONTH, dialect="duckdb")
    made = each.transform(
        lambda node: since.copy() if isinstance(node, exp.Placeholder) else node
    )
    return function("coalesce", made, exp.Array(expressions=[]))


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
list_append(
    list_filter(
        list_distinct($days),
        lambda d: d > told.rating_date and d < told.until_date
    ),
    told.rating_date
)
"""
