"""The service level at the ends of earlier months, found again from the facts.

Releases state the level of their as-of dates; which there are hangs on the runs. So the
level is computed again for each month's end, by the rule of today: the best shares by
spend among those with an order. That is a sum per month over the same lines, in one
pass.
Where the level follows from something else than `spend_band` there is no such rule.
"""

from collections.abc import Iterable

from schemes.compiler.compiled import CompiledScheme
from schemes.compiler.values import number
from schemes.language.model import Percentile
from schemes.language.windows import parse_window
from schemes.tables.literals import literal_rows
from schemes.tables.service_level import LEVELS

_LEVEL, _BAND = LEVELS
# What the rule is found again for; the form of the library's `spend_band`.
_AMONG, _SCORE = "orders(window) >= 1", "spend(window)"


def service_level_rule_select(running: Iterable[CompiledScheme]) -> str:
    """One row: the window and the shares of `spend_band`; none where it is another."""
    schemes = {compiled.scheme.scheme: compiled.scheme for compiled in running}
    rows = []
    band = schemes[_BAND].document if _BAND in schemes else None
    by = schemes[_LEVEL].document.parameters.get("by") if _LEVEL in schemes else None
    is_band = by is None or by.default == _BAND
    if (
        is_band
        and isinstance(band, Percentile)
        and (band.among, band.score) == (_AMONG, _SCORE)
    ):
        window = parse_window(str(band.parameters["window"].default))
        shares = {tier.tier: band.number(tier.top) for tier in band.tiers}
        high, mid = shares.get("high"), shares.get("mid")
        if window.kind == "months" and not window.is_elsewhere and high and mid:
            rows.append([number(window.size), number(high), number(mid)])
    return literal_rows("service_level_rule", rows)


def service_level_months_select(n_months: int, *, has_rule: bool) -> str:
    """One row per customer: its level at the ends of the months before the as-of date.

    A day is in the window of a month's end where its bit is set; bit 0 is the as-of
    date. The select names $as_of_date, $lost_months, $window_months, $high_share_ratio
    and $mid_share_ratio; the last three only where there is a rule.

    Args:
        n_months: how many month ends.
        has_rule: whether `service_level_rule` has a row.
    """
    window = "$window_months" if has_rule else "$lost_months"
    ctes = [*_day_ctes(n_months, window), *_order_ctes()]
    if not has_rule:
        return _with(
            ctes,
            "select customer_id, null::integer[] as level_ranks,"
            " order_bits::bigint as order_months from orders where order_bits > 0",
        )
    places = range(1, n_months + 1)
    return _with(
        [*ctes, *_graded_ctes(places), _given_cte(places)], _ranks_select(places)
    )


def _day_ctes(n_months: int, window: str) -> list[str]:
    """The days of all windows: `days` has a row a day, and the ends it counts for.

    Args:
        n_months: how many month ends.
        window: the length of the window of spend in months: a parameter.
    """
    return [
        f"""ends as (
    select
        month_no,
        case
            when month_no = 0 then $as_of_date::date
            else (
                date_trunc('month', $as_of_date::date) - to_months(month_no - 1)
            )::date - 1
        end as end_date
    from (select unnest(range({n_months + 1}))::integer as month_no)
)""",
        f"""windows as (
    select
        1::bigint << month_no as bit,
        end_date,
        (end_date - to_months({window}::integer))::date as spend_date,
        (end_date - to_months($lost_months::integer))::date as order_date
    from ends
)""",
        """days as (
    select
        day::date as day,
        bit_or(case when day > spend_date then bit else 0 end) as spend_bits,
        bit_or(case when day > order_date then bit else 0 end) as order_bits
    from windows, generate_series(
        least(spend_date, order_date) + interval 1 day, end_date, interval 1 day
    ) as listed (day)
    group by day
)""",
    ]


def _order_ctes() -> list[str]:
    """`orders`: a row a customer, with the ends whose windows hold an order of it."""
    return [
        # An order that was given back counts at the ends before that day.
        """counted as (
    select orders.customer_id, days.spend_bits, days.order_bits
    from core.orders as orders
    inner join days on orders.order_date = days.day
    union all
    select
        former.customer_id,
        case when former.order_date > windows.spend_date then bit else 0 end,
        case when former.order_date > windows.order_date then bit else 0 end
    from core.former_orders as former
    inner join windows
        on
            former.order_date <= windows.end_date
            and former.until_date > windows.end_date
)""",
        """orders as (
    select
        customer_id,
        bit_or(spend_bits) as spend_bits,
        bit_or(order_bits) as order_bits
    from counted
    group by customer_id
)""",
    ]


def _graded_ctes(places: range) -> list[str]:
    """`graded`: a row a customer with an order, its spend at each end; and `bounds`.

    The one row of bounds has, for each end, the least spend of each of
    the best shares, its sign turned.
    """
    sums = ",\n        ".join(
        f"sum(lines.spend_amount) filter (where days.spend_bits & {1 << place} != 0)"
        f" as spend_{place}"
        for place in places
    )
    spends = ", ".join(
        f"coalesce(spend.spend_{place}, 0)::decimal(18, 2) as spend_{place}"
        for place in places
    )
    shares = "[$high_share_ratio::decimal(18, 9), $mid_share_ratio::decimal(18, 9)]"
    bounds = ",\n        ".join(
        f"quantile_disc(-spend_{place}, {shares})"
        f" filter (where spend_bits & {1 << place} != 0) as bounds_{place}"
        for place in places
    )
    return [
        f"""spend as (
    select
        lines.customer_id,
        {sums}
    from core.lines as lines
    inner join days on lines.line_date = days.day
    where lines.customer_id is not null
    group by lines.customer_id
)""",
        f"""graded as (
    select orders.customer_id, orders.spend_bits, orders.order_bits, {spends}
    from orders
    left join spend on orders.customer_id = spend.customer_id
)""",
        f"""bounds as (
    select
        {bounds}
    from graded
)""",
    ]


def _given_cte(places: range) -> str:
    """`given`: a row a customer whose level a person gave, its rank at each end."""
    given = ",\n        ".join(
        f"coalesce({_given('service_level', place)}, {_given('spend_band', place)})"
        f" as given_{place}"
        for place in places
    )
    return f"""given as (
    select
        overrides.customer_id,
        {given}
    from (
        select
            overrides.customer_id,
            overrides.scheme,
            overrides.starts_on,
            ends.month_no,
            case overrides.tier when 'high' then 1 when 'mid' then 2 else 3 end
                as given_rank
        from staging.overrides as overrides
        inner join ends
            on
                overrides.starts_on <= ends.end_date
                and coalesce(overrides.ends_on >= ends.end_date, true)
        where
            (overrides.scheme = 'service_level'
            and overrides.tier in ('high', 'mid', 'general'))
            or (overrides.scheme = 'spend_band'
            and overrides.tier in ('high', 'mid', 'low'))
    ) as overrides
    group by overrides.customer_id
)"""


def _ranks_select(places: range) -> str:
    """The ranks of each customer: what a person gave goes before what it spent."""
    ranks = ",\n        ".join(
        f"coalesce(given.given_{place}, case"
        f" when graded.spend_bits & {1 << place} = 0 then 3"
        f" when -graded.spend_{place} <= bounds.bounds_{place}[1] then 1"
        f" when -graded.spend_{place} <= bounds.bounds_{place}[2] then 2 else 3 end, 3)"
        for place in places
    )
    return f"""select
    coalesce(graded.customer_id, given.customer_id) as customer_id,
    [
        {ranks}
    ]::integer[] as level_ranks,
    coalesce(graded.order_bits, 0)::bigint as order_months
from graded
full outer join given on graded.customer_id = given.customer_id
cross join bounds"""


def _given(scheme: str, place: int) -> str:
    """The rank that a person gave, in force at a month's end: of the latest start."""
    return (
        "arg_max(given_rank, starts_on) filter"
        f" (where scheme = '{scheme}' and month_no = {place})"
    )


def _with(ctes: list[str], select: str) -> str:
    return "with " + ",\n\n".join(ctes) + "\n\n" + select
