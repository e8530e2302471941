"""The results of campaigns by tier: sums of each campaign × scheme × tier.

Only the customers whom a campaign reached are read. All schemes are summed in one pass,
by numbers that stand for scheme and tier, over campaigns that are numbered as well:
small numbers are grouped faster than texts.
"""

from collections.abc import Sequence

from schemes.compiler.compiled import CompiledScheme
from schemes.tables.branches import no_rows, numbered_tiers
from sql.contracts import contract

CAMPAIGN_TIERS = "campaign_results_by_tier"

_SUMS = """\
with campaigns as (
    select
        campaign,
        (row_number() over (order by campaign))::integer as campaign_no
    from marts.campaign_responses
    group by campaign
),

graded as (
    select
        campaigns.campaign_no,
        {tier_no} as tier_no,
        responses.has_ordered,
        responses.spend_amount
    from marts.campaign_responses as responses
    inner join campaigns
        on responses.campaign = campaigns.campaign
    inner join marts.scheme_results as results
        on responses.customer_id = results.customer_id
),

sums as (
    select
        campaign_no,
        tier_no,
        count(*) as n_contacted,
        count(*) filter (where has_ordered) as n_ordered,
        coalesce(sum(spend_amount), 0) as spend_amount
    from graded
    where tier_no is not null
    group by campaign_no, tier_no
)

select
    campaigns.campaign,
    codes.scheme,
    {tier} as tier,
    sums.n_contacted,
    sums.n_ordered as n_ordered_30d,
    -- Rounded half up in whole millionths, as in campaign_results.
    (
        (2000000 * sums.n_ordered::hugeint + sums.n_contacted)
        // (2 * sums.n_contacted) * 0.000001
    )::decimal(18, 6) as ordered_ratio,
    sums.spend_amount::decimal(18, 2) as spend_30d_amount
from sums
inner join campaigns
    on sums.campaign_no = campaigns.campaign_no
inner join marts.scheme_codes as codes
    on {scheme_no} = codes.scheme_no"""


def campaign_tiers_select(
    schemes: Sequence[CompiledScheme], *, has_campaigns: bool
) -> str:
    """A row per campaign and tier of each scheme that gives a customer one tier.

    Args:
        schemes: those that run.
        has_campaigns: whether contacts name their campaign.
    """
    numbered = numbered_tiers(schemes)
    if not numbered or not has_campaigns:
        return no_rows(contract("marts", CAMPAIGN_TIERS).columns)
    return _SUMS.format(**numbered)
