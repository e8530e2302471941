"""What customers come to by tier: sums of each scheme × tier, over the wide storage.

All schemes are summed in one pass, by numbers that stand for scheme and tier.
"""

from collections.abc import Sequence

from schemes.compiler.compiled import CompiledScheme
from schemes.tables.branches import no_rows, numbered_tiers
from sql.contracts import contract

TIER_SUMS = "tier_sums"

_SUMS = """\
with graded as (
    select
        {tier_no} as tier_no,
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
),

sums as (
    select
        tier_no,
        count(*) as n_customers,
        coalesce(sum(spend_12m_amount), 0)::decimal(18, 2) as spend_12m_amount,
        sum(margin_12m_amount)::decimal(18, 2) as margin_12m_amount,
        coalesce(sum(known_amount), 0)::decimal(18, 2) as margin_known_spend_amount,
        sum(service_cost_12m_amount)::decimal(18, 2) as service_cost_12m_amount,
        sum(n_tickets_12m)::bigint as n_tickets_12m,
        sum(n_calls_12m)::bigint as n_calls_12m
    from graded
    where tier_no is not null
    group by tier_no
)

select
    codes.scheme,
    {tier} as tier,
    sums.* exclude (tier_no)
from sums
inner join marts.scheme_codes as codes
    on {scheme_no} = codes.scheme_no"""


def tier_sums_select(schemes: Sequence[CompiledScheme]) -> str:
    """A row per tier of each scheme that gives a customer one tier.

    Args:
        schemes: those that run.
    """
    numbered = numbered_tiers(schemes)
    if not numbered:
        return no_rows(contract("marts", TIER_SUMS).columns)
    return _SUMS.format(**numbered)
