-- One row is a month, a category, a channel and a store with lines.
-- Reads: core.lines.
-- Params: as_of_date (date), shown_months (integer; 0: none).
-- Lines of nobody count, too. Money counts in the month of its line.
select
    date_trunc('month', line_date)::date as month,  -- noqa: RF04
    category,
    channel,
    store_id,
    count(distinct transaction_id) filter (where kind = 'sale') as n_orders,
    count(distinct customer_id) as n_customers,
    count(*) as n_lines,
    sum(case when kind = 'refund' then -abs(quantity) else quantity end)
    ::decimal(18, 4) as quantity,
    coalesce(sum(spend_amount), 0)::decimal(18, 2) as spend_amount,
    coalesce(-sum(spend_amount) filter (where kind = 'refund'), 0)::decimal(18, 2)
        as refunded_amount,
    (
        sum(spend_amount) filter (where cost_amount is not null) - sum(cost_amount)
    )::decimal(18, 2) as margin_amount
from core.lines
where
    $shown_months > 0
    and line_date <= $as_of_date
    and line_date >= (
        date_trunc('month', $as_of_date::date)
        - to_months(greatest($shown_months::integer - 1, 0))
    )::date
group by date_trunc('month', line_date), category, channel, store_id
