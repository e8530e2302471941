-- One row is a scheme and a way from one tier to another one.
-- A tier is null where the scheme does not grade the customers in that release. Only
-- tiers of whole customers are compared, not those about a scope. spend_12m_amount is
-- the spend of these customers, in the project's currency, of the later release; of
-- customers that only the earlier release has, of the earlier one.
-- Reads: customer_tiers and customer_metrics of a.main and b.main.
-- Params: scheme varchar, null for all schemes.
with earlier as (
    select
        scheme,
        customer_id,
        tier
    from a.main.customer_tiers
    where scope = '' and coalesce(scheme = $scheme, true)
),

later as (
    select
        scheme,
        customer_id,
        tier
    from b.main.customer_tiers
    where scope = '' and coalesce(scheme = $scheme, true)
)

select
    coalesce(later.scheme, earlier.scheme) as scheme,
    earlier.tier as from_tier,
    later.tier as to_tier,
    count(*) as n_customers,
    coalesce(
        sum(coalesce(spent_later.spend_12m_amount, spent_earlier.spend_12m_amount)),
        0
    )::decimal(18, 2) as spend_12m_amount
from earlier
full outer join later
    on earlier.scheme = later.scheme and earlier.customer_id = later.customer_id
left join a.main.customer_metrics as spent_earlier
    on earlier.customer_id = spent_earlier.customer_id
left join b.main.customer_metrics as spent_later
    on coalesce(later.customer_id, earlier.customer_id) = spent_later.customer_id
where earlier.tier is distinct from later.tier
group by all
