"""What customers come to by tier: sums of each scheme × tier, over the wide storage.

All schemes are summed in one pass, by grouping sets: the long form of a million
customers × 40 schemes is never made.
"""

from collections.abc import Sequence

from schemes.compiler.compiled import CompiledScheme
from schemes.tables.branches import grouped_by_tier, no_rows, tier_columns
from sql.contracts import contract

TIER_SUMS = "tier_sums"

_SUMS = """\
with graded as (
    select
        {tiers},
        metrics.spend_12m_amount,
        metrics.margin_12m_amount,
        case
            when metrics.margin_12m_amount is not null then metrics.spend_12m_amount
        end as known_amount,
        metrics.service_cost_12m_amount,
        metrics.n_tickets_12m,
        metrics.n_calls_12m
    from marts.scheme_results as results
    inner join core.customer_metrics as metrics
        on results.customer_id = metrics.customer_id
)

select
    {scheme} as scheme,
    {tier} as tier,
    count(*) as n_customers,
    sum(spend_12m_amount)::decimal(18, 2) as spend_12m_amount,
    sum(margin_12m_amount)::decimal(18, 2) as margin_12m_amount,
    coalesce(sum(known_amount), 0)::decimal(18, 2) as margin_known_spend_amount,
    sum(service_cost_12m_amount)::decimal(18, 2) as service_cost_12m_amount,
    sum(n_tickets_12m)::bigint as n_tickets_12m,
    sum(n_calls_12m)::bigint as n_calls_12m
from graded
group by grouping sets ({sets})
having tier is not null"""


def tier_sums_select(schemes: Sequence[CompiledScheme]) -> str:
    """A row per tier of each scheme that gives a customer one tier.

    Args:
        schemes: those that run.
    """
    graded = tier_columns(schemes)
    if not graded:
        return no_rows(contract("marts", TIER_SUMS).columns)
    return _SUMS.format(**grouped_by_tier(graded))
