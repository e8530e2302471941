-- One row is an order that counts, or that did on some day before it was given back.
-- Reads: core.orders, core.former_orders.
select
    transaction_id,
    customer_id,
    order_date
from core.orders
union all
select
    transaction_id,
    customer_id,
    order_date
from core.former_orders
