-- One row is a customer: the most that its running total of spend has been.
-- Reads: core.lines.
-- Params: after_date (date).
-- Lines of one moment count together; bills have a day only and come at its start.
with moments as (
    select
        customer_id,
        line_date,
        occurred_at,
        sum(spend_amount) as moment_amount
    from core.lines
    where line_date > $after_date and customer_id is not null
    group by customer_id, line_date, occurred_at
),

totals as (
    select
        customer_id,
        sum(moment_amount) over (
            partition by customer_id
            order by line_date asc, occurred_at asc nulls first
            rows between unbounded preceding and current row
        ) as total_amount
    from moments
)

select
    customer_id,
    max(total_amount) as measure
from totals
group by customer_id
