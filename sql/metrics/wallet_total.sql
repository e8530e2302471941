-- One row is a customer: its total spend with everybody in its latest period.
-- Reads: staging.wallet.
-- The latest period starts last; the categories of the period add up.
with latest as (
    select *
    from staging.wallet
    qualify period_start = max(period_start) over (partition by customer_id)
)

select
    customer_id,
    sum(total_spend_amount) as measure
from latest
group by customer_id
