"""Metrics as they were on earlier rating dates: one row per customer and date.

Counts, sums, first and last days over months are added up once by month; a longer
window is then a sum over rows. A month here ends on a rating date, the first of a
month, and holds it. All other metrics join the facts with the dates.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp

from schemes.load import Scheme
from schemes.metric_sql import (
    fact_source,
    filtered,
    fragment,
    inputs,
    replaced,
    rows_in_window,
    rows_that_count,
)
from schemes.metrics import Asked, MetricFile
from schemes.program import AS_OF_DATE
from schemes.queries import named, relation, select, text_of
from schemes.values import binary, both, cast, column, either, function, number
from schemes.windows import Window, parse_window
from sql.contracts import TYPES, Contract, contract, day_name, feeds

RATING_DATE = "rating_date"
# How figures make up one over a longer time, and over more rows.
_OVER_MONTHS: dict[type[exp.Expr], str] = {
    exp.Count: "sum",
    exp.Sum: "sum",
    exp.Min: "min",
    exp.Max: "max",
}
_EVER = parse_window("ever")
_UNTIL = "until_date"


@dataclass
class _Facts:
    """What is asked of a fact table: column → metric."""

    file: MetricFile
    by_month: dict[str, Asked] = field(default_factory=dict)  # whatever their windows
    by_date: dict[str, Asked] = field(default_factory=dict)
    former: dict[str, Asked] = field(default_factory=dict)  # of rows that once counted


def history_select(scheme: Scheme, asked: Iterable[Asked]) -> str:
    """One row per customer and rating date before the as-of date: the metrics.

    Raises:
        ConfigurationError: a metric cannot be told for earlier dates.
    """
    wanted = list(asked)
    facts: dict[str, _Facts] = {}
    for one in wanted:
        _collect(scheme, one, facts)
    columns: list[exp.Expr] = [
        exp.column("customer_id", "grid"),
        named(exp.column(RATING_DATE, "grid"), AS_OF_DATE),
    ]
    columns += [
        named(cast(_value(one), TYPES[one.metric.type]), one.column) for one in wanted
    ]
    query = select(columns, "grid")
    query.with_("grid", as_=sqlglot.parse_one(_GRID, dialect="duckdb"), copy=False)
    for made in facts.values():
        table = made.file.table or ""
        parts = {}
        if made.by_month:
            parts[f"{table}_by_month"] = _by_month(made)
        if made.by_date:
            parts[f"{table}_by_date"] = _by_date(made.file, made.by_date)
        if made.former:
            parts[f"{table}_former"] = _former(made)
        for name, part in parts.items():
            query.with_(name, as_=part, copy=False)
            query.join(
                name,
                using=["customer_id", RATING_DATE],
                join_type="left",
                copy=False,
            )
    return text_of(query)


# The rating dates of a customer, from its first day on, before the as-of date.
_GRID = """
select
    customer_id,
    cast(
        unnest(
            generate_series(
                cast(
                    date_trunc('month', first_known_date - 1) + interval 1 month
                    as timestamp
                ),
                cast(cast($as_of_date as date) - 1 as timestamp),
                interval 1 month
            )
        ) as date
    ) as rating_date
from core.customers
where first_known_date is not null
"""


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
    if _is_monthly(one, source):
        made.by_month[_stem(one).column] = _stem(one)
        if file.former is not None:
            made.former[one.column] = one
    else:
        made.by_date[one.column] = one


def _is_monthly(one: Asked, source: Contract) -> bool:
    """Whether the metric is made up of monthly figures."""
    file, window = one.file, one.window
    dated = {
        name
        for known in source.columns
        if known.required
        for name in (known.name, day_name(known.name))
    }
    return (
        type(fragment(one.metric.aggregate or "")) in _OVER_MONTHS
        and not _asks_the_date(one)
        and (
            window.kind == "ever" or (window.kind == "months" and not window.is_before)
        )
        and file.relation is None
        and file.customer == "customer_id"
        and file.date in dated
    )


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


def _stem(one: Asked) -> Asked:
    """The metric without its window."""
    return Asked(one.name, _EVER, one.arguments)


def _by_month(made: _Facts) -> exp.Select:
    """The fact table, a row per customer and month."""
    file = made.file
    # The month that ends on the first of the next: the first itself belongs to it.
    before = binary(exp.Sub, column(file.date or ""), number(1))
    start = function("date_trunc", exp.Literal.string("month"), before)
    step = exp.Interval(this=exp.Literal.string("1"), unit=exp.var("month"))
    rating_date = cast(exp.Paren(this=exp.Add(this=start, expression=step)), "date")
    columns = [column("customer_id"), named(rating_date, RATING_DATE)]
    for name, one in made.by_month.items():
        value = filtered(fragment(one.metric.aggregate or "").copy(), _rows(one))
        columns.append(named(value, name))
    query = exp.Select(expressions=columns).from_(fact_source(file), copy=False)
    query.where("customer_id is not null", copy=False)
    return query.group_by(column("customer_id"), rating_date.copy(), copy=False)


def _rows(one: Asked) -> exp.Expr | None:
    rows = rows_that_count(one)
    return None if rows is None else rows.copy()


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
        "grid",
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
        gone = exp.GT(this=column(_UNTIL), expression=column(AS_OF_DATE))
        on.append(either([exp.Is(this=column(_UNTIL), expression=exp.null()), gone]))
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
    query.join(exp.Subquery(this=dates, alias=_alias("dates")), on=both(on), copy=False)
    return query.group_by(column("rated_customer"), column(AS_OF_DATE), copy=False)


def _also_former(file: MetricFile) -> exp.Expr:
    """The rows that count, and those that did once, with the day that ended it."""
    keys = [column("customer_id"), column(file.date or "")]
    never = named(cast(exp.null(), "date"), _UNTIL)
    counted = exp.Select(expressions=[*keys, never]).from_(
        fact_source(file), copy=False
    )
    former = select([*(key.copy() for key in keys), column(_UNTIL)], file.former or "")
    return exp.union(counted, former, distinct=False, copy=False)


def _on_its_date(expression: exp.Expr) -> exp.Expr:
    """The expression as of each row's rating date."""

    def dated(node: exp.Expr) -> exp.Expr:
        return column(AS_OF_DATE) if isinstance(node, exp.Placeholder) else node

    return expression.copy().transform(dated)


def _alias(name: str) -> exp.TableAlias:
    return exp.TableAlias(this=exp.to_identifier(name))


def _value(one: Asked) -> exp.Expr:
    """The metric on a rating date."""
    if one.metric.expression is None:
        value = _of_facts(one)
        if one.metric.empty is None:
            return value
        return function("coalesce", value, number(one.metric.empty))
    known = {other.name: other for other in inputs(one)}

    def fill(found: exp.Expr) -> exp.Expr | None:
        if isinstance(found, exp.Anonymous) and found.name in known:
            return exp.Paren(this=_value(known[found.name]))
        if isinstance(found, exp.Placeholder):
            return exp.column(RATING_DATE, "grid")
        return None

    return replaced(fragment(one.metric.expression), fill)


def _of_facts(one: Asked) -> exp.Expr:
    """The metric from the figures of its fact table."""
    table = one.file.table
    if not _is_monthly(one, _source(one.file)):
        return exp.column(one.column, f"{table}_by_date", quoted=True)
    how = _OVER_MONTHS[type(fragment(one.metric.aggregate or ""))]
    value = _over_months(one, how)
    if one.file.former is None:
        return value
    former = exp.column(one.column, f"{table}_former", quoted=True)
    if how != "sum":
        return function("least" if how == "min" else "greatest", value, former)
    none = number(0)
    return binary(
        exp.Add,
        function("coalesce", value, none),
        function("coalesce", former, none.copy()),
    )


def _over_months(one: Asked, how: str) -> exp.Expr:
    """A monthly figure, over the months of the window."""
    window: Window = one.window
    size, back = window.size, window.periods_back
    start = "UNBOUNDED" if window.kind == "ever" else str(size * (back + 1) - 1)
    end, end_side = (
        ("CURRENT ROW", None) if not back else (str(size * back), "PRECEDING")
    )
    return exp.Window(
        this=function(
            how,
            exp.column(_stem(one).column, f"{one.file.table}_by_month", quoted=True),
        ),
        partition_by=[exp.column("customer_id", "grid")],
        order=exp.Order(
            expressions=[exp.Ordered(this=exp.column(RATING_DATE, "grid"))]
        ),
        spec=exp.WindowSpec(
            kind="ROWS", start=start, start_side="PRECEDING", end=end, end_side=end_side
        ),
    )
