-- One row is an inbound call of a known customer that nobody answered.
-- Reads: staging.calls.
-- Params: as_of_date (date), callback_hours (integer).
-- The first later answered call of the customer, in or out, returns a call. Later is by
-- when the caller began to wait, so that a call of the same moment is not later; of
-- those that began at one moment the one answered first counts. A call is returned when
-- that one is answered.
with missed as (
    select
        call_id,
        customer_id,
        queued_at,
        queued_date,
        queued_at + to_hours($callback_hours) as due_at
    from staging.calls
    where
        customer_id is not null
        and answered_at is null
        and coalesce(direction, 'in') = 'in'
),

answered as (
    select
        customer_id,
        queued_at,
        min(answered_at) as answered_at
    from staging.calls
    where customer_id is not null and answered_at is not null
    group by customer_id, queued_at
)

select
    missed.call_id,
    missed.customer_id,
    missed.queued_at as called_at,
    missed.queued_date as called_date,
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
