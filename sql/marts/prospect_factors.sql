-- One row is a customer of the customers feed: what grading prospects looks at.
-- Reads: core.customers, core.orders, core.lines.
with buyers as (
    select customer_id
    from core.orders
    union
    select customer_id
    from core.lines
    where kind = 'bill'
)

select
    customers.customer_id,
    customers.org_nature,
    customers.total_assets_amount,
    customers.annual_revenue_amount,
    customers.is_listed,
    customers.need_level,
    buyers.customer_id is not null as has_bought
from core.customers as customers
left join buyers
    on customers.customer_id = buyers.customer_id
where customers.is_in_customers_feed
