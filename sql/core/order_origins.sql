-- One row is a counted order of a known customer, and where it was placed.
-- Reads: core.orders, core.lines.
with places as (
    select
        transaction_id,
        min(store_id) as store_id,
        min(channel) as channel
    from core.lines
    where transaction_id is not null
    group by transaction_id
)

select
    orders.transaction_id,
    orders.customer_id,
    orders.order_date,
    orders.net_amount,
    places.store_id,
    places.channel
from core.orders as orders
inner join places
    on orders.transaction_id = places.transaction_id
