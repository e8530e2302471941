-- One row is a customer: how much it plans to buy in its latest period.
-- Reads: staging.wallet.
with latest as (
    select *
    from staging.wallet
    qualify period_start = max(period_start) over (partition by customer_id)
)

select
    customer_id,
    sum(planned_purchase_qty) as measure
from latest
group by customer_id
