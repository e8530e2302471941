-- One row is a reservation, and the step it has reached.
-- Reads: staging.reservations.
-- Params: as_of_date (date).
-- What somebody did goes before what came by itself, and a cancellation before a
-- release: a car given back late was released. It ended, though, at the first of these
-- moments. A hold that lasts until the end of the as-of date is live.
with ends as (
    select
        *,
        holds_until < ($as_of_date + 1)::timestamptz as is_over
    from staging.reservations
)

select
    reservation_id,
    customer_id,
    resource_id,
    case
        when cancelled_at is not null then 'cancelled'
        when released_at is not null then 'released'
        when is_over then 'expired'
        when accepted_by is not null or holds_until is not null then 'held'
        else 'requested'
    end as step,
    requested_at,
    accepted_by,
    holds_until,
    least(cancelled_at, released_at, case when is_over then holds_until end)
        as ended_at
from ends
