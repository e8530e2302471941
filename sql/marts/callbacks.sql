-- One row is an unanswered call of a mid-level customer, and what became of it.
-- Reads: staging.calls, marts.service_level.
-- Params: as_of_date (date), callback_days, callback_hours (integers).
-- Days are those that end with the as-of date. The first later answered call of the
-- customer, in or out, returns a call. Later is by when the caller began to wait, so
-- that a call of the same moment is not later; of those that began at one moment the
-- one answered first counts. A call is returned when that one is answered.
with calls as (
    select
        call_id,
        customer_id,
        queued_at,
        queued_at + to_hours($callback_hours) as due_at,
        queued_date > $as_of_date - $callback_days as is_recent,
        answered_at,
        coalesce(direction, 'in') = 'in' as is_inbound
    from staging.calls
    where customer_id is not null
),

missed as (
    select
        calls.call_id,
        calls.customer_id,
        calls.queued_at,
        calls.due_at
    from calls
    inner join marts.service_level as levels
        on calls.customer_id = levels.customer_id and levels.service_level = 'mid'
    where
        calls.is_recent
        and calls.is_inbound
        and calls.answered_at is null
),

answered as (
    select
        customer_id,
        queued_at,
        min(answered_at) as answered_at
    from calls
    where answered_at is not null
    group by customer_id, queued_at
)

select
    missed.call_id,
    missed.customer_id,
    missed.queued_at as called_at,
    missed.due_at,
    case
        when answered.answered_at <= missed.due_at then 'done_in_time'
        when answered.answered_at is not null then 'done_late'
        when missed.due_at >= ($as_of_date + 1)::timestamptz then 'due'
        else 'overdue'
    end as status,
    answered.answered_at as returned_at
from missed
asof left join answered
    on
        missed.customer_id = answered.customer_id
        and missed.queued_at < answered.queued_at
