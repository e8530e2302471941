-- One row is a call of a mid-level customer that is to be returned.
-- Reads: staging.calls, marts.service_level.
-- Params: as_of_date (date), callback_hours (integer).
-- Hours count back from the midnight that ends the as-of date, the start included. A
-- call is settled when any later call of the customer, in or out, was answered.
with calls as (
    select
        call_id,
        customer_id,
        queued_at,
        answered_at is not null as is_answered,
        coalesce(direction, 'in') = 'in' as is_inbound,
        queued_at >= ($as_of_date + 1)::timestamptz - to_hours($callback_hours)
            as is_recent,
        queued_at + to_hours($callback_hours) as due_at
    from staging.calls
    where customer_id is not null
),

answered as (
    select
        customer_id,
        max(queued_at) as last_answered_at
    from calls
    where is_answered
    group by customer_id
)

select
    calls.call_id,
    calls.customer_id,
    calls.queued_at as called_at,
    calls.due_at
from calls
inner join marts.service_level as levels
    on calls.customer_id = levels.customer_id and levels.service_level = 'mid'
left join answered
    on calls.customer_id = answered.customer_id
where
    calls.is_recent
    and calls.is_inbound
    and not calls.is_answered
    and (
        answered.last_answered_at is null
        or answered.last_answered_at <= calls.queued_at
    )
