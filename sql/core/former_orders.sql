-- One row is an order that counted until refunds took it to zero.
-- Reads: core.refunds, core.transactions.
-- Where amounts are not known, the first refund takes its order back whole.
with running as (
    select
        transaction_id,
        refund_date,
        sum(refunded_amount) over (
            partition by transaction_id
            order by refund_date asc
        ) as refunded_so_far_amount
    from core.refunds
)

select
    orders.transaction_id,
    orders.customer_id,
    orders.order_date,
    min(running.refund_date) as until_date
from core.transactions as orders
inner join running
    on
        orders.transaction_id = running.transaction_id
        and coalesce(
            orders.sold_amount <= running.refunded_so_far_amount, true
        )
where orders.customer_id is not null
group by orders.transaction_id, orders.customer_id, orders.order_date
having min(running.refund_date) > orders.order_date
