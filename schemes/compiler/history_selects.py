"""Metrics as they were on earlier rating dates: one row per customer and date.

What is stored (`history_select`) has a row for each day on which figures of a customer
may change, and no row for days on which only time goes on. `ratings_select` makes the
rating dates of it.

Counts, sums, first and last days are told by moves: a fact adds to a figure on the day
that it enters the figure's window, and takes that back on the day that it leaves it, so
that one running sum over a customer's days gives every figure on each of them. All
other metrics join the facts with the dates, which takes far longer: it makes a row per
fact and date. Which dates there are between these days is said in `rating_dates`.
"""

from collections.abc import Iterable, Iterator, Mapping

import sqlglot
from sqlglot import exp

from schemes.compiler.changes import turns
from schemes.compiler.history_facts import (
    FORMER_UNTIL,
    Facts,
    collected,
    combined_by,
    contract_of,
    told_of,
)
from schemes.compiler.metric_selects import (
    fact_rows,
    filtered,
    fragment,
    inputs,
    is_in,
    replaced,
    rows_in_window,
    rows_that_count,
)
from schemes.compiler.program import CUSTOMERS
from schemes.compiler.queries import Relation, named, relation, select, text_of
from schemes.compiler.rating_dates import (
    MOVE_DATE,
    RATING_DATE,
    UNTIL_DATE,
    RatingDates,
    over_days,
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
)
from schemes.compiler.window_days import enters, leaves
from schemes.language.files import Scheme
from schemes.language.metrics import Asked, MetricFile
from schemes.language.names import AS_OF_DATE
from schemes.language.windows import parse_window
from sql.contracts import TYPES, day_name

_EVER = parse_window("ever")


def history_select(
    scheme: Scheme,
    asked: Iterable[Asked],
    dates: RatingDates,
    *,
    among: str | None = None,
) -> str:
    """One row per customer and day on which figures may change: what is told of it.

    Beside them stands `until_date`, the next such day; null where none has come yet.

    Args:
        scheme: the scheme that asks.
        asked: the metrics.
        dates: on which dates it rates.
        among: a table with the only customers that are told of; None: all are.

    Raises:
        ConfigurationError: a metric cannot be told for earlier dates.
    """
    facts = collected(scheme, asked)
    figures: list[exp.Expr] = [
        column(name) for name in ("customer_id", RATING_DATE, UNTIL_DATE)
    ]
    figures += [
        named(
            cast(_of_facts(asked_metric, facts), TYPES[asked_metric.metric.type]), name
        )
        for name, asked_metric in told_of(facts).items()
    ]
    query = select(figures, "dates")
    for name, _ in _joined_tables(facts):
        query.join(
            name, using=["customer_id", RATING_DATE], join_type="left", copy=False
        )
    for name, part in _tables(facts, dates, among):
        query.with_(name, as_=part, copy=False)
    return text_of(query)


def ratings_select(
    table: Relation,
    scheme: Scheme,
    asked: Iterable[Asked],
    dates: RatingDates,
    *,
    of_everybody: bool = False,
    with_until: bool = False,
) -> exp.Select:
    """One row per customer and rating date before the as-of date: the metrics.

    Args:
        table: that `history_select` makes of the same.
        scheme: the scheme that asks.
        asked: the metrics.
        dates: on which dates it rates.
        of_everybody: only the firsts of months are told, on which everybody is rated.
        with_until: `until_date`, the first day of the next rating, is told as well.
    """
    wanted = list(asked)
    told = told_of(collected(scheme, wanted))
    known = ratings(
        table, told, dates, of_everybody=of_everybody, with_until=with_until
    )
    columns: list[exp.Expr] = [
        column("customer_id"),
        named(column(RATING_DATE), AS_OF_DATE),
    ]
    if with_until:
        columns.append(column(UNTIL_DATE))
    columns += [
        named(
            cast(_value(asked_metric), TYPES[asked_metric.metric.type]),
            asked_metric.column,
        )
        for asked_metric in wanted
    ]
    return select(columns, known, "known")


# The rating dates, and the figures that moves tell on them.


def _tables(
    facts: Mapping[str, Facts], dates: RatingDates, among: str | None
) -> Iterator[tuple[str, exp.Expr]]:
    """The common table expressions, in order."""
    moving = {
        name: asked_metric
        for made in facts.values()
        for name, asked_metric in made.moving.items()
    }
    moves: list[exp.Expr] = []
    for made in facts.values():
        if made.moving:
            name = f"{made.file.table}_by_day"
            yield name, _among(_by_day(made), made.file.customer, among)
            moves += _moves(made, name, moving)
        for days, customer in _other_days(made):
            moves.append(_with_figures(_among(days, customer, among), {}, moving))
    first_days = _among(_first_days(), "customer_id", among)
    moves.append(_with_figures(first_days, {}, moving))
    yield "moves", _union(moves)
    yield "days", _days(moving, dates)
    yield "dates", _dates(moving)
    yield from _joined_tables(facts)


def _first_days() -> exp.Select:
    """The first day of each customer that has one."""
    day = column("first_known_date")
    there = exp.Not(this=exp.Is(this=day, expression=exp.null()))
    columns = [column("customer_id"), named(day.copy(), MOVE_DATE)]
    return select(columns, CUSTOMERS.rows, where=[there])


def _stem(asked_metric: Asked) -> str:
    """The column of the metric without its window."""
    return Asked(asked_metric.name, _EVER, asked_metric.arguments).column


def _by_day(made: Facts) -> exp.Select:
    """The fact table, a row per customer and day."""
    file = made.file
    keys = {"customer_id": column(file.customer), MOVE_DATE: column(file.date or "")}
    columns = [named(value, name) for name, value in keys.items()]
    rows = {
        _stem(asked_metric): _rows(asked_metric)
        for asked_metric in made.moving.values()
    }
    for asked_metric in {
        _stem(asked_metric): asked_metric for asked_metric in made.moving.values()
    }.values():
        value = fragment(asked_metric.metric.aggregate or "").copy()
        columns.append(
            named(
                _as_stored(filtered(value, _rows(asked_metric)), asked_metric),
                _stem(asked_metric),
            )
        )
    query = exp.Select(expressions=columns).from_(fact_rows(file), copy=False)
    query.where(f"{file.customer} is not null", copy=False)
    conditions = [condition for condition in rows.values() if condition is not None]
    if len(conditions) == len(rows):
        distinct = {condition.sql(): condition for condition in conditions}
        query.where(either(list(distinct.values())), copy=False)
    return query.group_by(*(value.copy() for value in keys.values()), copy=False)


def _rows(asked_metric: Asked) -> exp.Expr | None:
    rows = rows_that_count(asked_metric)
    return None if rows is None else rows.copy()


def _moves(made: Facts, by_day: str, moving: Mapping[str, Asked]) -> Iterator[exp.Expr]:
    """What facts add to figures and take from them: a select per kind of day."""
    days: dict[str, tuple[exp.Expr, dict[str, exp.Expr], bool]] = {}
    has_undated = _may_lack_dates(made.file)

    def move(asked_metric: Asked, day: exp.Expr, figure: exp.Expr) -> None:
        # A fact without a date counts where there is no window.
        is_dated = has_undated and asked_metric.window.kind != "ever"
        place = f"{is_dated} {day.sql()}"
        days.setdefault(place, (day, {}, is_dated))[1][asked_metric.column] = figure

    for asked_metric in made.moving.values():
        stem = column(_stem(asked_metric))
        move(asked_metric, enters(asked_metric.window, column(MOVE_DATE)), stem)
        gone = leaves(asked_metric.window, column(MOVE_DATE))
        if gone is not None:
            move(asked_metric, gone, exp.Neg(this=stem.copy()))
    for day, figures, is_dated in days.values():
        keys = select([column("customer_id"), named(day, MOVE_DATE)], by_day)
        if is_dated:
            dated = exp.Is(this=exp.column(MOVE_DATE, by_day), expression=exp.null())
            keys.where(exp.Not(this=dated), copy=False)
        yield _with_figures(keys, figures, moving)


def _may_lack_dates(file: MetricFile) -> bool:
    """Whether a row of the fact table may be without a date."""
    required = {
        name
        for known in contract_of(file).columns
        if known.required
        for name in (known.name, day_name(known.name))
    }
    return file.relation is not None or file.date not in required


def _other_days(made: Facts) -> Iterator[tuple[exp.Select, str]]:
    """Further days on which figures may change, and the column of the customers."""
    file = made.file
    facts = fact_rows(file)
    days: dict[str, exp.Expr] = {}
    for asked_metric in made.by_date.values():
        found = [
            *_edges(asked_metric, column(file.date or "")),
            *turns(rows_that_count(asked_metric)),
        ]
        days |= {day.sql(): day for day in found}
    for day in days.values():
        keys = [named(column(file.customer), "customer_id"), named(day, MOVE_DATE)]
        yield (
            exp.Select(expressions=keys).from_(facts.copy(), copy=False),
            file.customer,
        )
    if file.former is None:
        return
    # An order that is given back stops counting.
    former: dict[str, exp.Expr] = {FORMER_UNTIL: column(FORMER_UNTIL)}
    for asked_metric in made.members.values():
        former |= {
            day.sql(): day for day in _edges(asked_metric, column(file.date or ""))
        }
    for day in former.values():
        keys = [column("customer_id"), named(day, MOVE_DATE)]
        yield select(keys, file.former), "customer_id"


def _among(query: exp.Select, customer: str, among: str | None) -> exp.Select:
    """The select of some customers' rows."""
    if among is not None:
        query.where(is_in(column(customer), among), copy=False)
    return query


def _edges(asked_metric: Asked, day: exp.Expr) -> Iterator[exp.Expr]:
    """The days on which a fact of a day enters and leaves the metric's window."""
    yield enters(asked_metric.window, day)
    gone = leaves(asked_metric.window, day)
    if gone is not None:
        yield gone


def _with_figures(
    query: exp.Select, figures: Mapping[str, exp.Expr], moving: Mapping[str, Asked]
) -> exp.Select:
    """The select with a column for each figure; null where it does not change."""
    for name in moving:
        figure = figures.get(name, exp.null())
        query.select(named(figure.copy(), name), copy=False)
    return query


def _union(parts: list[exp.Expr]) -> exp.Expr:
    made, *rest = parts
    for part in rest:
        made = exp.union(made, part, distinct=False, copy=False)
    return made


def _days(moving: Mapping[str, Asked], dates: RatingDates) -> exp.Select:
    """One row per customer and rating date: what changes on it.

    What happened before a customer's first day counts from that day on.
    """
    moved = exp.column(MOVE_DATE, "moves")
    day = function("greatest", moved, exp.column("first_known_date", "customers"))
    if not dates.on_changes:
        day = sqlglot.parse_one(_NEXT_FIRST, dialect="duckdb").transform(
            lambda node: day if isinstance(node, exp.Placeholder) else node
        )
    columns = [exp.column("customer_id", "moves"), named(day, RATING_DATE)]
    for name, asked_metric in moving.items():
        change = function(
            combined_by(asked_metric), exp.column(name, "moves", quoted=True)
        )
        columns.append(named(_as_stored(change, asked_metric), name))
    as_of = as_of_date()
    query = select(columns, "moves", where=[exp.LT(this=day.copy(), expression=as_of)])
    query.join(
        relation(CUSTOMERS.rows, "customers"),
        on=exp.EQ(
            this=exp.column("customer_id", "moves"),
            expression=exp.column("customer_id", "customers"),
        ),
        copy=False,
    )
    known = exp.column("first_known_date", "customers")
    query.where(exp.Not(this=exp.Is(this=known, expression=exp.null())), copy=False)
    return query.group_by(exp.column("customer_id", "moves"), day.copy(), copy=False)


# The first of a month, on the day or after it.
_NEXT_FIRST = "cast(date_trunc('month', $day - 1) + interval 1 month as date)"


def _as_stored(figure: exp.Expr, asked_metric: Asked) -> exp.Expr:
    """The figure as it is stored: sums are as wide as can be, and slow to add up."""
    return cast(figure, TYPES[asked_metric.metric.type])


def _dates(moving: Mapping[str, Asked]) -> exp.Select:
    """One row per customer and rating date: the figures on it."""
    columns: list[exp.Expr] = [column("customer_id"), column(RATING_DATE)]
    following = function("lead", column(RATING_DATE))
    columns.append(named(over_days(following), UNTIL_DATE))
    for name, asked_metric in moving.items():
        figure = function(combined_by(asked_metric), column(name))
        columns.append(named(over_days(figure), name))
    return select(columns, "days")


# What moves do not tell.


def _joined_tables(facts: Mapping[str, Facts]) -> Iterator[tuple[str, exp.Select]]:
    """The tables that are joined to the rating dates."""
    for made in facts.values():
        if made.by_date:
            yield f"{made.file.table}_by_date", _by_date(made.file, made.by_date)
        if made.former:
            yield f"{made.file.table}_former", _former(made)


def _by_date(file: MetricFile, members: dict[str, Asked]) -> exp.Select:
    """The facts known on each rating date, a row per customer and date."""
    facts = fact_rows(file)
    if file.former is not None:
        facts = exp.Subquery(this=_also_former(file), alias=_alias("every"))
    return _joined(file, members, facts)


def _former(made: Facts) -> exp.Select:
    """The rows that counted on a rating date and do not any more."""
    return _joined(made.file, made.former, relation(made.file.former or ""))


def _joined(file: MetricFile, members: dict[str, Asked], facts: exp.Expr) -> exp.Select:
    """The metrics over a fact table, as of each rating date of the customer."""
    day = column(file.date or "")
    dates = select(
        [
            named(column("customer_id"), "rated_customer"),
            named(column(RATING_DATE), AS_OF_DATE),
        ],
        "dates",
    )
    known = either(
        [
            exp.Is(this=day, expression=exp.null()),
            exp.LTE(this=day.copy(), expression=column(AS_OF_DATE)),
        ]
    )
    own = exp.EQ(this=column(file.customer), expression=column("rated_customer"))
    on = [own, known]
    if file.former is not None:
        gone = exp.GT(this=column(FORMER_UNTIL), expression=column(AS_OF_DATE))
        still = exp.Is(this=column(FORMER_UNTIL), expression=exp.null())
        on.append(either([still, gone]))
    columns: list[exp.Expr] = [
        named(column("rated_customer"), "customer_id"),
        named(column(AS_OF_DATE), RATING_DATE),
    ]
    for name, asked_metric in members.items():
        rows = rows_in_window(asked_metric)
        aggregate = fragment(asked_metric.metric.aggregate or "").copy()
        value = filtered(aggregate, None if rows is None else _on_its_date(rows))
        columns.append(named(value, name))
    query = exp.Select(expressions=columns).from_(facts, copy=False)
    query.join(exp.Subquery(this=dates, alias=_alias("rated")), on=both(on), copy=False)
    return query.group_by(column("rated_customer"), column(AS_OF_DATE), copy=False)


def _also_former(file: MetricFile) -> exp.Expr:
    """The rows that count, and those that did once, with the day that ended it."""
    keys = [column("customer_id"), column(file.date or "")]
    never = named(cast(exp.null(), "date"), FORMER_UNTIL)
    counted = exp.Select(expressions=[*keys, never]).from_(fact_rows(file), copy=False)
    ended = [*(key.copy() for key in keys), column(FORMER_UNTIL)]
    former = select(ended, file.former or "")
    return exp.union(counted, former, distinct=False, copy=False)


def _on_its_date(expression: exp.Expr) -> exp.Expr:
    """The expression as of each row's rating date."""

    def dated(node: exp.Expr) -> exp.Expr:
        return column(AS_OF_DATE) if isinstance(node, exp.Placeholder) else node

    return expression.copy().transform(dated)


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(name))


# Each metric on a rating date.


def _of_facts(asked_metric: Asked, facts: Mapping[str, Facts]) -> exp.Expr:
    """The metric of a fact table, from the figures on the rating date."""
    table = asked_metric.file.table or ""
    if asked_metric.column in facts[table].by_date:
        value: exp.Expr = exp.column(
            asked_metric.column, f"{table}_by_date", quoted=True
        )
    else:
        value = exp.column(asked_metric.column, "dates", quoted=True)
    if asked_metric.column in facts[table].former:
        former = exp.column(asked_metric.column, f"{table}_former", quoted=True)
        if combined_by(asked_metric) == "sum":
            none = number(0)
            value = exp.Add(
                this=function("coalesce", value, none),
                expression=function("coalesce", former, none.copy()),
            )
        else:
            least = "least" if combined_by(asked_metric) == "min" else "greatest"
            value = function(least, value, former)
    if asked_metric.metric.empty is None:
        return value
    return function("coalesce", value, number(asked_metric.metric.empty))


def _value(asked_metric: Asked) -> exp.Expr:
    """The metric, from what is known on the rating date."""
    if asked_metric.metric.expression is None:
        return exp.column(asked_metric.column, "known", quoted=True)
    read = {other.name: other for other in inputs(asked_metric)}

    def fill(found: exp.Expr) -> exp.Expr | None:
        if isinstance(found, exp.Anonymous) and found.name in read:
            return exp.Paren(this=_value(read[found.name]))
        if isinstance(found, exp.Placeholder):
            return exp.column(RATING_DATE, "known")
        return None

    return replaced(fragment(asked_metric.metric.expression), fill)
