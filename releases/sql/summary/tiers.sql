-- One row is a tier of a scheme, with the customers in it.
-- Without a scope, a customer has one tier of a scheme. spend_12m_amount is their spend
-- over 12 months, in the project's currency. Tiers come best first.
-- Reads: customer_tiers, customer_metrics, schemes, scheme_tiers of one release.
with counted as (
    select
        tiers.scheme,
        tiers.tier,
        count(*) as n_customers,
        sum(metrics.spend_12m_amount) as spend_12m_amount
    from customer_tiers as tiers
    left join customer_metrics as metrics on tiers.customer_id = metrics.customer_id
    where tiers.scope = ''
    group by tiers.scheme, tiers.tier
)

select
    counted.scheme,
    schemes.name_en as scheme_en,
    schemes.name_zh as scheme_zh,
    counted.tier,
    coalesce(scheme_tiers.name_en, counted.tier) as tier_en,
    coalesce(scheme_tiers.name_zh, counted.tier) as tier_zh,
    counted.n_customers,
    coalesce(counted.spend_12m_amount, 0) as spend_12m_amount
from counted
inner join schemes on counted.scheme = schemes.scheme
left join scheme_tiers
    on counted.scheme = scheme_tiers.scheme and counted.tier = scheme_tiers.tier
order by
    counted.scheme asc, scheme_tiers.tier_rank asc nulls last, counted.tier asc
