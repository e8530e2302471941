-- One row is a customer of the customers feed: what grading prospects looks at.
-- Reads: core.customers, core.customer_metrics, staging.bills.
-- Params: spend_source ('transactions', 'bills' or 'both').
with billed as (
    select distinct customer_id
    from staging.bills
    where $spend_source in ('bills', 'both')
)

select
    customers.customer_id,
    customers.org_nature,
    customers.total_assets_amount,
    customers.annual_revenue_amount,
    customers.annual_growth_ratio,
    customers.growth_pace,
    customers.is_listed,
    customers.need_level,
    coalesce(metrics.n_orders > 0, false) or billed.customer_id is not null
        as has_bought
from core.customers as customers
left join core.customer_metrics as metrics
    on customers.customer_id = metrics.customer_id
left join billed
    on customers.customer_id = billed.customer_id
where customers.is_in_customers_feed
