-- One row is a customer with a counted order.
-- Reads: core.orders.
select
    customer_id,
    count(*) as n_orders
from core.orders
where customer_id is not null
group by customer_id
