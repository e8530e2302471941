"""Metrics as they were on earlier rating dates: one row per customer and date.

Counts, sums, first and last days are told by moves: a fact adds to a figure on the day
that it enters the figure's window, and takes that back on the day that it leaves it, so
that one running sum over a customer's days gives every figure on each of them. All
other metrics join the facts with the dates.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp

from schemes.compiler.changes import EVERY_DAY, Clock, turns
from schemes.compiler.metric_selects import (
    fact_source,
    filtered,
    fragment,
    inputs,
    replaced,
    rows_in_window,
    rows_that_count,
)
from schemes.compiler.program import CUSTOMERS
from schemes.compiler.queries import named, relation, select, text_of
from schemes.compiler.values import both, cast, column, either, function, number, text
from schemes.compiler.window_days import enters, leaves
from schemes.language.files import Scheme
from schemes.language.metrics import Asked, MetricFile
from schemes.language.names import AS_OF_DATE
from schemes.language.windows import parse_window
from sql.contracts import TYPES, Contract, contract, day_name, feeds

RATING_DATE = "rating_date"
UNTIL_DATE = "until_date"
# How figures of a day make up those of a longer time.
_OVER_DAYS: dict[type[exp.Expr], str] = {
    exp.Count: "sum",
    exp.Sum: "sum",
    exp.Min: "min",
    exp.Max: "max",
}
_EVER = parse_window("ever")
_FORMER_UNTIL = "until_date"
_MOVE_DATE = "move_date"
_MONTHS_A_YEAR = 12


@dataclass(frozen=True)
class RatingDates:
    """On which dates before the as-of date a scheme rates."""

    months: int = 1  # everybody, on the first of every so many months
    on_changes: bool = False  # and a customer when facts of it change what is read
    clocks: frozenset[Clock] = frozenset()  # the times that are reckoned between facts


@dataclass
class _Facts:
    """What is asked of a fact table: column → metric."""

    file: MetricFile
    moving: dict[str, Asked] = field(default_factory=dict)  # told by moves
    by_date: dict[str, Asked] = field(default_factory=dict)
    former: dict[str, Asked] = field(default_factory=dict)  # of rows that once counted

    @property
    def members(self) -> Mapping[str, Asked]:
        """All that is asked of it."""
        return {**self.moving, **self.by_date}


def history_select(scheme: Scheme, asked: Iterable[Asked], dates: RatingDates) -> str:
    """One row per customer and rating date before the as-of date: the metrics.

    Beside them stands `until_date`, the first day on which they may be others.

    Args:
        scheme: the scheme that asks.
        asked: the metrics.
        dates: on which dates it rates.

    Raises:
        ConfigurationError: a metric cannot be told for earlier dates.
    """
    wanted = list(asked)
    facts: dict[str, _Facts] = {}
    for one in wanted:
        _collect(scheme, one, facts)
    told = {name: one for made in facts.values() for name, one in made.members.items()}
    known: list[exp.Expr] = [
        column(name) for name in ("customer_id", RATING_DATE, UNTIL_DATE)
    ]
    known += [
        named(cast(_of_facts(one, facts), TYPES[one.metric.type]), name)
        for name, one in told.items()
    ]
    days = select(known, "dates")
    for name, _ in _beside(facts):
        days.join(
            name, using=["customer_id", RATING_DATE], join_type="left", copy=False
        )
    columns: list[exp.Expr] = [
        column("customer_id"),
        named(column(RATING_DATE), AS_OF_DATE),
        column(UNTIL_DATE),
    ]
    columns += [
        named(cast(_value(one), TYPES[one.metric.type]), one.column) for one in wanted
    ]
    source = days
    if dates.clocks:
        source = _with_clocks(days, dates.clocks, told)
    query = select(columns, source, "known")
    for name, part in _tables(facts, dates):
        query.with_(name, as_=part, copy=False)
    return text_of(query)


def _collect(scheme: Scheme, one: Asked, facts: dict[str, _Facts]) -> None:
    """Note which fact tables and columns a metric needs, and in which way."""
    if one.metric.expression is not None:
        for other in inputs(one):
            _collect(scheme, other, facts)
        return
    file = one.file
    read = _columns_read(one)
    source = _source(file)
    told = one.metric.aggregate is not None and file.date is not None and not file.per
    told = told and not any(
        known.happened or known.before is not None
        for known in source.columns
        if known.name in read or day_name(known.name) in read
    )
    if file.former is not None:
        # Of a row that does not count any more, only who and when is known.
        told = told and read <= {file.date}
    if not told:
        raise scheme.error(
            ("scheme",),
            f"{one.name} cannot be told for earlier rating dates, so a scheme with"
            " memory cannot read it",
        )
    made = facts.setdefault(file.table or "", _Facts(file))
    if _is_moving(one):
        made.moving[one.column] = one
        if file.former is not None:
            made.former[one.column] = one
    else:
        made.by_date[one.column] = one


def _is_moving(one: Asked) -> bool:
    """Whether the metric follows from what each day adds and takes."""
    how = _OVER_DAYS.get(type(fragment(one.metric.aggregate or "")))
    # What is least or greatest cannot be taken back.
    is_told = how == "sum" or (how is not None and one.window.kind == "ever")
    return is_told and not _asks_the_date(one)


def _asks_the_date(one: Asked) -> bool:
    """Whether which rows count depends on the as-of date beyond the window."""
    rows = rows_that_count(one)
    return rows is not None and rows.find(exp.Placeholder) is not None


def _source(file: MetricFile) -> Contract:
    """The contract of the fact table."""
    layer, _, table = file.reads[0].partition(".")
    return feeds()[table] if layer == "staging" else contract(layer, table)


def _columns_read(one: Asked) -> set[str]:
    """The columns of the fact table that a metric reads."""
    parts = [rows_that_count(one)]
    if one.metric.aggregate is not None:
        parts.append(fragment(one.metric.aggregate))
    return {
        found.name
        for part in parts
        if part is not None
        for found in part.find_all(exp.Column)
    }


# The rating dates, and the figures that moves tell on them.


def _tables(
    facts: Mapping[str, _Facts], dates: RatingDates
) -> Iterator[tuple[str, exp.Expr]]:
    """The common table expressions, in order."""
    moving = {name: one for made in facts.values() for name, one in made.moving.items()}
    moves: list[exp.Expr] = []
    for made in facts.values():
        if made.moving:
            name = f"{made.file.table}_by_day"
            yield name, _by_day(made)
            moves += _moves(made, name, moving)
        if dates.on_changes:
            moves += _other_days(made, moving)
    moves += [_with_figures(grid, {}, moving) for grid in _grid(dates)]
    yield "moves", _union(moves)
    yield "days", _days(moving, dates)
    yield "dates", _dates(moving)
    yield from _beside(facts)


def _stem(one: Asked) -> str:
    """The column of the metric without its window."""
    return Asked(one.name, _EVER, one.arguments).column


def _by_day(made: _Facts) -> exp.Select:
    """The fact table, a row per customer and day."""
    file = made.file
    keys = {"customer_id": column(file.customer), _MOVE_DATE: column(file.date or "")}
    columns = [named(value, name) for name, value in keys.items()]
    rows = {_stem(one): _rows(one) for one in made.moving.values()}
    for one in {_stem(one): one for one in made.moving.values()}.values():
        value = fragment(one.metric.aggregate or "").copy()
        columns.append(named(_narrow(filtered(value, _rows(one)), one), _stem(one)))
    query = exp.Select(expressions=columns).from_(fact_source(file), copy=False)
    query.where(f"{file.customer} is not null", copy=False)
    conditions = [one for one in rows.values() if one is not None]
    if len(conditions) == len(rows):
        distinct = {one.sql(): one for one in conditions}
        query.where(either(list(distinct.values())), copy=False)
    return query.group_by(*(value.copy() for value in keys.values()), copy=False)


def _rows(one: Asked) -> exp.Expr | None:
    rows = rows_that_count(one)
    return None if rows is None else rows.copy()


def _moves(
    made: _Facts, source: str, moving: Mapping[str, Asked]
) -> Iterator[exp.Expr]:
    """What facts add to figures and take from them: a select per kind of day."""
    days: dict[str, tuple[exp.Expr, dict[str, exp.Expr], bool]] = {}
    has_undated = _may_lack_dates(made.file)

    def move(one: Asked, day: exp.Expr, figure: exp.Expr) -> None:
        # A fact without a date counts where there is no window.
        is_dated = has_undated and one.window.kind != "ever"
        place = f"{is_dated} {day.sql()}"
        days.setdefault(place, (day, {}, is_dated))[1][one.column] = figure

    for one in made.moving.values():
        stem = column(_stem(one))
        move(one, enters(one.window, column(_MOVE_DATE)), stem)
        gone = leaves(one.window, column(_MOVE_DATE))
        if gone is not None:
            move(one, gone, exp.Neg(this=stem.copy()))
    for day, figures, is_dated in days.values():
        keys = select([column("customer_id"), named(day, _MOVE_DATE)], source)
        if is_dated:
            dated = exp.Is(this=exp.column(_MOVE_DATE, source), expression=exp.null())
            keys.where(exp.Not(this=dated), copy=False)
        yield _with_figures(keys, figures, moving)


def _may_lack_dates(file: MetricFile) -> bool:
    """Whether a row of the fact table may be without a date."""
    required = {
        name
        for known in _source(file).columns
        if known.required
        for name in (known.name, day_name(known.name))
    }
    return file.relation is not None or file.date not in required


def _other_days(made: _Facts, moving: Mapping[str, Asked]) -> Iterator[exp.Expr]:
    """Further days on which figures may change, without what changes."""
    file = made.file
    source = fact_source(file)
    days: dict[str, exp.Expr] = {}
    for one in made.by_date.values():
        found = [*_edges(one, column(file.date or "")), *turns(rows_that_count(one))]
        days |= {day.sql(): day for day in found}
    for day in days.values():
        keys = [named(column(file.customer), "customer_id"), named(day, _MOVE_DATE)]
        query = exp.Select(expressions=keys).from_(source.copy(), copy=False)
        yield _with_figures(query, {}, moving)
    if file.former is None:
        return
    # An order that is given back stops counting.
    former: dict[str, exp.Expr] = {_FORMER_UNTIL: column(_FORMER_UNTIL)}
    for one in made.members.values():
        former |= {day.sql(): day for day in _edges(one, column(file.date or ""))}
    for day in former.values():
        keys = [column("customer_id"), named(day, _MOVE_DATE)]
        yield _with_figures(select(keys, file.former), {}, moving)


def _edges(one: Asked, day: exp.Expr) -> Iterator[exp.Expr]:
    """The days on which a fact of a day enters and leaves the metric's window."""
    yield enters(one.window, day)
    gone = leaves(one.window, day)
    if gone is not None:
        yield gone


def _grid(dates: RatingDates) -> Iterator[exp.Select]:
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
    columns = [column("customer_id"), named(firsts, _MOVE_DATE)]
    yield select(columns, CUSTOMERS.rows, where=[there])
    if dates.on_changes:
        columns = [column("customer_id"), named(day.copy(), _MOVE_DATE)]
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
    moved = exp.column(_MOVE_DATE, "moves")
    day = function("greatest", moved, exp.column("first_known_date", "customers"))
    if not dates.on_changes:
        day = sqlglot.parse_one(_NEXT_FIRST, dialect="duckdb").transform(
            lambda node: day if isinstance(node, exp.Placeholder) else node
        )
    columns = [exp.column("customer_id", "moves"), named(day, RATING_DATE)]
    for name, one in moving.items():
        change = function(_how(one), exp.column(name, "moves", quoted=True))
        columns.append(named(_narrow(change, one), name))
    as_of = cast(exp.Placeholder(this=AS_OF_DATE), "date")
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


def _narrow(figure: exp.Expr, one: Asked) -> exp.Expr:
    """The figure as it is stored: sums are as wide as can be, and slow to add up."""
    return cast(figure, TYPES[one.metric.type])


def _how(one: Asked) -> str:
    """How figures of the metric are put together."""
    return _OVER_DAYS[type(fragment(one.metric.aggregate or ""))]


def _dates(moving: Mapping[str, Asked]) -> exp.Select:
    """One row per customer and rating date: the figures on it."""
    columns: list[exp.Expr] = [column("customer_id"), column(RATING_DATE)]
    as_of = cast(exp.Placeholder(this=AS_OF_DATE), "date")
    following = function("lead", column(RATING_DATE), number(1), as_of)
    columns.append(named(_over_days(following), UNTIL_DATE))
    for name, one in moving.items():
        figure = function(_how(one), column(name))
        columns.append(named(_over_days(figure), name))
    return select(columns, "days")


def _over_days(figure: exp.Expr) -> exp.Expr:
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


# What moves do not tell.


def _beside(facts: Mapping[str, _Facts]) -> Iterator[tuple[str, exp.Select]]:
    """The tables that are joined to the rating dates."""
    for made in facts.values():
        if made.by_date:
            yield f"{made.file.table}_by_date", _by_date(made.file, made.by_date)
        if made.former:
            yield f"{made.file.table}_former", _former(made)


def _by_date(file: MetricFile, members: dict[str, Asked]) -> exp.Select:
    """The facts known on each rating date, a row per customer and date."""
    source = fact_source(file)
    if file.former is not None:
        source = exp.Subquery(this=_also_former(file), alias=_alias("every"))
    return _joined(file, members, source)


def _former(made: _Facts) -> exp.Select:
    """The rows that counted on a rating date and do not any more."""
    return _joined(made.file, made.former, relation(made.file.former or ""))


def _joined(
    file: MetricFile, members: dict[str, Asked], source: exp.Expr
) -> exp.Select:
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
        gone = exp.GT(this=column(_FORMER_UNTIL), expression=column(AS_OF_DATE))
        still = exp.Is(this=column(_FORMER_UNTIL), expression=exp.null())
        on.append(either([still, gone]))
    columns: list[exp.Expr] = [
        named(column("rated_customer"), "customer_id"),
        named(column(AS_OF_DATE), RATING_DATE),
    ]
    for name, one in members.items():
        rows = rows_in_window(one)
        aggregate = fragment(one.metric.aggregate or "").copy()
        value = filtered(aggregate, None if rows is None else _on_its_date(rows))
        columns.append(named(value, name))
    query = exp.Select(expressions=columns).from_(source, copy=False)
    query.join(exp.Subquery(this=dates, alias=_alias("rated")), on=both(on), copy=False)
    return query.group_by(column("rated_customer"), column(AS_OF_DATE), copy=False)


def _also_former(file: MetricFile) -> exp.Expr:
    """The rows that count, and those that did once, with the day that ended it."""
    keys = [column("customer_id"), column(file.date or "")]
    never = named(cast(exp.null(), "date"), _FORMER_UNTIL)
    counted = exp.Select(expressions=[*keys, never]).from_(
        fact_source(file), copy=False
    )
    ended = [*(key.copy() for key in keys), column(_FORMER_UNTIL)]
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


def _of_facts(one: Asked, facts: Mapping[str, _Facts]) -> exp.Expr:
    """The metric of a fact table, from the figures on the rating date."""
    table = one.file.table or ""
    if one.column in facts[table].by_date:
        value: exp.Expr = exp.column(one.column, f"{table}_by_date", quoted=True)
    else:
        value = exp.column(one.column, "dates", quoted=True)
    if one.column in facts[table].former:
        former = exp.column(one.column, f"{table}_former", quoted=True)
        if _how(one) == "sum":
            none = number(0)
            value = exp.Add(
                this=function("coalesce", value, none),
                expression=function("coalesce", former, none.copy()),
            )
        else:
            least = "least" if _how(one) == "min" else "greatest"
            value = function(least, value, former)
    if one.metric.empty is None:
        return value
    return function("coalesce", value, number(one.metric.empty))


def _value(one: Asked) -> exp.Expr:
    """The metric, from what is known on the rating date."""
    if one.metric.expression is None:
        return exp.column(one.column, "known", quoted=True)
    read = {other.name: other for other in inputs(one)}

    def fill(found: exp.Expr) -> exp.Expr | None:
        if isinstance(found, exp.Anonymous) and found.name in read:
            return exp.Paren(this=_value(read[found.name]))
        if isinstance(found, exp.Placeholder):
            return exp.column(RATING_DATE, "known")
        return None

    return replaced(fragment(one.metric.expression), fill)


# Days on which nothing happens but that time goes on.


def _with_clocks(
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
    as_of = cast(exp.Placeholder(this=AS_OF_DATE), "date")
    following = _over_days(function("lead", column(RATING_DATE), number(1), as_of))
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
