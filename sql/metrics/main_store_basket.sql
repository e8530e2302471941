-- One row is a customer: the bound of the lowest baskets of its main store.
-- Reads: core.order_origins.
-- Params: after_date (date), share (which share of the baskets is the lowest).
-- The main store has the most orders of the customer; the least store id of equals.
with recent as (
    select
        customer_id,
        store_id,
        net_amount
    from core.order_origins
    where order_date > $after_date and store_id is not null
),

bounds as (
    select
        store_id,
        quantile_disc(net_amount, $share) as measure
    from recent
    group by store_id
),

visits as (
    select
        customer_id,
        store_id,
        count(*) as n_orders
    from recent
    group by customer_id, store_id
),

main as (
    select
        customer_id,
        arg_min(store_id, row(-n_orders, store_id)) as store_id
    from visits
    group by customer_id
)

select
    main.customer_id,
    bounds.measure
from main
inner join bounds on main.store_id = bounds.store_id
