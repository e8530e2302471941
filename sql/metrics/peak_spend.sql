-- One row is a customer: the most that its running total of spend has been.
-- Reads: core.lines.
-- Params: after_date (date).
-- Within a day what was bought comes before what was given back.
with days as (
    select
        customer_id,
        line_date,
        sum(spend_amount) as day_amount,
        sum(greatest(spend_amount, 0)) as bought_amount
    from core.lines
    where line_date > $after_date and customer_id is not null
    group by customer_id, line_date
),

totals as (
    select
        customer_id,
        sum(day_amount) over (
            partition by customer_id
            order by line_date asc
            rows between unbounded preceding and current row
        ) - day_amount + bought_amount as total_amount
    from days
)

select
    customer_id,
    max(total_amount) as measure
from totals
group by customer_id
