-- One row is a customer: what it spent with us of the wallet of its latest period.
-- Reads: staging.wallet, core.lines.
-- Where the wallet is of a category, only lines of that category count.
with latest as (
    select *
    from staging.wallet
    qualify period_start = max(period_start) over (partition by customer_id)
)

select
    latest.customer_id,
    coalesce(sum(bought.spend_amount), 0) as measure
from latest
left join core.lines as bought
    on
        latest.customer_id = bought.customer_id
        and bought.line_date between latest.period_start and latest.period_end
        and (latest.category is null or latest.category = bought.category)
group by latest.customer_id
