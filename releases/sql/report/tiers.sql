-- One row is a tier of a scheme, also one that nobody has: customers, what they spent
-- and cost in 12 months. Amounts are in the project's currency. Tiers come best first,
-- those without a rank last.
-- Reads: tier_economics and scheme_tiers of one release.
select
    coalesce(economics.scheme, tiers.scheme) as scheme,
    coalesce(economics.tier, tiers.tier) as tier,
    tiers.tier_rank,
    coalesce(tiers.name_en, economics.tier) as name_en,
    coalesce(tiers.name_zh, economics.tier) as name_zh,
    coalesce(economics.n_customers, 0) as n_customers,
    coalesce(economics.spend_12m_amount, 0) as spend_amount,
    economics.margin_12m_amount as margin_amount,
    coalesce(economics.service_cost_12m_amount, 0) as service_cost_amount,
    economics.profit_12m_amount as profit_amount,
    coalesce(economics.customer_share_ratio, 0) as customer_share_ratio,
    coalesce(economics.spend_share_ratio, 0) as spend_share_ratio,
    economics.spend_per_customer_amount,
    economics.profit_per_customer_amount,
    economics.tickets_per_customer_ratio
from scheme_tiers as tiers
full outer join tier_economics as economics
    on tiers.scheme = economics.scheme and tiers.tier = economics.tier
order by scheme asc, tiers.tier_rank asc nulls last, tier asc
