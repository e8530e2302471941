-- One row: the figures of the whole company on the as-of date.
-- Amounts are in the project's currency. known_spend_amount is the spend of customers
-- whose margin is known, bought_amount that of all; both without customers who were
-- given back more than they spent, so that one is a share of the other. Where nothing
-- is known the margin is none. n_dated counts customers who have a first day,
-- n_year_ago those whom some row of a year ago or earlier knows. Spend is null where
-- that of no customer is known.
-- Reads: customers, customer_metrics of one release.
with known as (
    select
        count(*) as n_customers,
        count(*) filter (is_active) as n_active,
        count(first_known_date) as n_dated,
        count(*) filter (
            first_known_date <= cast($as_of_date as date) - interval 1 year
        ) as n_year_ago
    from customers
),

spent as (
    select
        coalesce(sum(n_orders_12m), 0)::bigint as n_orders,
        max(last_order_date) as newest_order_date,
        coalesce(sum(spend_12m_amount), if(count(*) = 0, 0, null)) as spend_amount,
        coalesce(sum(spend_previous_12m_amount), if(count(*) = 0, 0, null))
            as spend_year_ago_amount,
        sum(margin_12m_amount) as margin_amount,
        coalesce(
            sum(spend_12m_amount)
            filter (spend_12m_amount > 0 and margin_12m_amount is not null),
            0
        ) as known_spend_amount,
        coalesce(sum(spend_12m_amount) filter (spend_12m_amount > 0), 0)
            as bought_amount,
        coalesce(sum(service_cost_12m_amount), 0) as service_cost_amount
    from customer_metrics
)

select
    known.n_customers,
    known.n_active,
    known.n_dated,
    known.n_year_ago,
    spent.n_orders,
    spent.newest_order_date,
    spent.spend_amount,
    spent.spend_year_ago_amount,
    case when spent.known_spend_amount > 0 then spent.margin_amount end
        as margin_amount,
    spent.known_spend_amount,
    spent.bought_amount,
    spent.service_cost_amount
from known
cross join spent
