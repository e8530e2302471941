-- One row is a resource: where it is, who holds it, what its reservations have reached.
-- Reads: staging.resources, marts.reservation_status, marts.reservation_priority.
-- Resources that only reservations name are here, too. Of several live holds the one
-- that reservation_priority serves first is named.
with holds as (
    select
        status.resource_id,
        status.step,
        status.customer_id,
        status.holds_until,
        status.accepted_by,
        case when status.step = 'held' then priority.position end as hold_position
    from marts.reservation_status as status
    left join marts.reservation_priority as priority
        on status.reservation_id = priority.reservation_id
),

steps as (
    select
        resource_id,
        arg_min(customer_id, hold_position) as held_by,
        -- A hold without an end is a null, which plain arg_min would pass over.
        arg_min_null(holds_until, hold_position) as held_until,
        arg_min_null(accepted_by, hold_position) as accepted_by,
        count(*) filter (where step = 'requested') as n_requested,
        count(*) filter (where step = 'held') as n_held,
        count(*) filter (where step = 'released') as n_released,
        count(*) filter (where step = 'cancelled') as n_cancelled,
        count(*) filter (where step = 'expired') as n_expired
    from holds
    group by resource_id
)

select
    coalesce(resources.resource_id, steps.resource_id) as resource_id,
    resources.kind,
    resources.place,
    resources.status,
    steps.held_by,
    steps.held_until,
    steps.accepted_by,
    coalesce(steps.n_held > 1, false) as is_conflict,
    coalesce(steps.n_requested, 0) as n_requested,
    coalesce(steps.n_held, 0) as n_held,
    coalesce(steps.n_released, 0) as n_released,
    coalesce(steps.n_cancelled, 0) as n_cancelled,
    coalesce(steps.n_expired, 0) as n_expired
from staging.resources as resources
full outer join steps
    on resources.resource_id = steps.resource_id
