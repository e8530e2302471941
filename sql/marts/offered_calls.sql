-- One row is an inbound call that was offered to the service team.
-- Reads: staging.calls.
-- Params: answer_seconds, abandon_seconds (integers).
-- Whoever hangs up within abandon_seconds was not offered a service.
select
    call_id,
    customer_id,
    queued_date,
    coalesce(answered_at <= queued_at + to_seconds($answer_seconds), false)
        as is_in_time
from staging.calls
where
    coalesce(direction, 'in') = 'in'
    and not coalesce(
        is_abandoned
        and answered_at is null
        and ended_at <= queued_at + to_seconds($abandon_seconds),
        false
    )
