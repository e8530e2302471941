-- One row is a customer and a month in which something of the customer happened.
-- Reads: core.lines, core.orders, core.points_events, staging.tickets, staging.calls.
-- Params: as_of_date (date), shown_months (integer; 0: none).
-- Months count back from that of the as-of date. Money counts in the month of its line,
-- so that a refund lowers its own month and not that of its sale.
with bounds as (
    select
        (
            date_trunc('month', $as_of_date::date)
            - to_months($shown_months::integer - 1)
        )::date as first_date
    where $shown_months > 0
),

events as (
    select
        paid.customer_id,
        paid.line_date as event_date,
        0 as n_orders,
        paid.spend_amount,
        case when paid.cost_amount is not null then paid.spend_amount end
            as costed_amount,
        paid.cost_amount,
        0::decimal(18, 4) as points,
        0 as n_tickets,
        0 as n_calls
    from core.lines as paid
    cross join bounds
    where paid.customer_id is not null and paid.line_date >= bounds.first_date
    union all
    select
        orders.customer_id,
        orders.order_date as event_date,
        1 as n_orders,
        0 as spend_amount,
        null as costed_amount,
        null as cost_amount,
        0 as points,
        0 as n_tickets,
        0 as n_calls
    from core.orders as orders
    cross join bounds
    where orders.order_date >= bounds.first_date
    union all
    select
        events.customer_id,
        events.event_date,
        0 as n_orders,
        0 as spend_amount,
        null as costed_amount,
        null as cost_amount,
        events.points,
        0 as n_tickets,
        0 as n_calls
    from core.points_events as events
    cross join bounds
    where events.event_date >= bounds.first_date
    union all
    select
        tickets.customer_id,
        tickets.opened_date as event_date,
        0 as n_orders,
        0 as spend_amount,
        null as costed_amount,
        null as cost_amount,
        0 as points,
        1 as n_tickets,
        0 as n_calls
    from staging.tickets as tickets
    cross join bounds
    where tickets.opened_date >= bounds.first_date
    union all
    select
        calls.customer_id,
        calls.queued_date as event_date,
        0 as n_orders,
        0 as spend_amount,
        null as costed_amount,
        null as cost_amount,
        0 as points,
        0 as n_tickets,
        1 as n_calls
    from staging.calls as calls
    cross join bounds
    where calls.customer_id is not null and calls.queued_date >= bounds.first_date
)

select
    customer_id,
    date_trunc('month', event_date)::date as month,  -- noqa: RF04
    sum(n_orders)::bigint as n_orders,
    sum(spend_amount)::decimal(18, 2) as spend_amount,
    (sum(costed_amount) - sum(cost_amount))::decimal(18, 2) as margin_amount,
    sum(points)::decimal(18, 4) as points_earned,
    sum(n_tickets)::bigint as n_tickets,
    sum(n_calls)::bigint as n_calls
from events
where event_date <= $as_of_date
group by customer_id, date_trunc('month', event_date)
