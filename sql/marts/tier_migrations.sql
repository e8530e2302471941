-- One row is a scheme, a former tier and a present tier: who moved where.
-- Reads, in the release itself: main.customer_tiers, main.customer_metrics.
-- Params: as_of_date (date), from_as_of_date (date, null in the first release).
select
    tiers.scheme,
    cast($from_as_of_date as date) as from_as_of_date,
    cast($as_of_date as date) as to_as_of_date,
    tiers.previous_tier as from_tier,
    tiers.tier as to_tier,
    count(*) as n_customers,
    coalesce(sum(metrics.spend_12m_amount), 0)::decimal(18, 2) as spend_12m_amount
from main.customer_tiers as tiers
left join main.customer_metrics as metrics
    on tiers.customer_id = metrics.customer_id
where
    tiers.scope = ''
    and cast($from_as_of_date as date) is not null
group by tiers.scheme, tiers.previous_tier, tiers.tier
