-- One row is a customer and a month in which something of the customer happened.
-- Reads: core.lines, core.orders, core.points_events, staging.tickets, staging.calls.
-- Params: as_of_date (date), shown_months (integer; 0: none), has_amounts (boolean).
-- Months count back from that of the as-of date. Money counts in the month of its line,
-- so that a refund lowers its own month and not that of its sale.
with events as (
    select
        customer_id,
        line_date as event_date,
        spend_amount,
        case when cost_amount is not null then spend_amount end as costed_amount,
        cost_amount
    from core.lines
    union all by name
    select
        customer_id,
        order_date as event_date,
        1 as n_orders
    from core.orders
    union all by name
    select
        customer_id,
        event_date,
        points
    from core.points_events
    union all by name
    select
        customer_id,
        opened_date as event_date,
        1 as n_tickets
    from staging.tickets
    union all by name
    select
        customer_id,
        queued_date as event_date,
        1 as n_calls
    from staging.calls
)

select
    customer_id,
    date_trunc('month', event_date)::date as month,  -- noqa: RF04
    coalesce(sum(n_orders), 0)::bigint as n_orders,
    case
        when $has_amounts then coalesce(sum(spend_amount), 0)
    end::decimal(18, 2) as spend_amount,
    (sum(costed_amount) - sum(cost_amount))::decimal(18, 2) as margin_amount,
    coalesce(sum(points), 0)::decimal(18, 4) as points_earned,
    coalesce(sum(n_tickets), 0)::bigint as n_tickets,
    coalesce(sum(n_calls), 0)::bigint as n_calls
from events
where
    $shown_months > 0
    and customer_id is not null
    and event_date <= $as_of_date
    and event_date >= (
        date_trunc('month', $as_of_date::date)
        - to_months(greatest($shown_months::integer - 1, 0))
    )::date
group by customer_id, date_trunc('month', event_date)
