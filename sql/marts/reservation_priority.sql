-- One row is an open reservation, with its place in the queue.
-- Reads: staging.reservations, staging.overrides, marts.service_level,
-- marts.service_queue.
-- Params: as_of_date (date).
-- What was released, cancelled or held until a time before the end of the as-of date is
-- gone. A request holds its resource once somebody accepted it or said until when.
with open_reservations as (
    select
        reservation_id,
        customer_id,
        resource_id,
        requested_at,
        accepted_by is not null or holds_until is not null as is_hold
    from staging.reservations
    where
        released_at is null
        and cancelled_at is null
        and (
            holds_until is null
            or holds_until >= ($as_of_date + 1)::timestamptz
        )
),

big_customers as (
    select customer_id
    from marts.service_level
    where is_big_customer
    union
    select customer_id
    from staging.overrides
    where
        scheme = 'big_customer'
        and starts_on <= $as_of_date
        and (ends_on is null or ends_on >= $as_of_date)
)

select
    reservations.reservation_id,
    reservations.customer_id,
    reservations.resource_id,
    reservations.requested_at,
    row_number() over (
        order by
            big_customers.customer_id is null asc,
            queue.queue_priority asc,
            reservations.requested_at asc,
            reservations.reservation_id asc
    ) as position,  -- noqa: RF04
    big_customers.customer_id is not null as is_big_customer,
    queue.queue_priority,
    reservations.is_hold,
    reservations.is_hold
    and count(*) filter (where reservations.is_hold) over (
        partition by reservations.resource_id
    ) > 1 as is_conflict
from open_reservations as reservations
inner join marts.service_queue as queue
    on reservations.customer_id = queue.customer_id
left join big_customers
    on reservations.customer_id = big_customers.customer_id
