-- One row is a ticket: who asks for what, who answers, how long it took.
-- Reads: staging.tickets, marts.ticket_triage, marts.service_queue,
-- marts.service_goals.
-- Params: as_of_date (date).
-- A ticket without a direction came from the customer. Hours are rounded half up to 8
-- digits; a time before the opening is a mistake of the source, and gives none. Goals
-- are for what customers ask, and compared in microseconds; the goal itself is in time.
-- What nobody has answered or resolved is late once its goal lies before the end of the
-- as-of date, as a callback is.
with tickets as (
    select
        *,
        case
            when first_response_at >= opened_at
                then epoch_us(first_response_at) - epoch_us(opened_at)
        end::hugeint as response_us,
        case
            when resolved_at >= opened_at
                then epoch_us(resolved_at) - epoch_us(opened_at)
        end::hugeint as resolution_us,
        (
            epoch_us(($as_of_date + 1)::timestamptz) - epoch_us(opened_at)
        )::hugeint as age_us
    from staging.tickets
)

select
    tickets.ticket_id,
    tickets.customer_id,
    tickets.opened_at,
    tickets.opened_date,
    tickets.kind,
    coalesce(tickets.direction, 'in') as direction,
    tickets.service_stage,
    tickets.severity,
    tickets.status,
    tickets.result,
    tickets.agent_id,
    tickets.asset_id,
    triage.ticket_level,
    triage.ticket_priority,
    tickets.first_response_at,
    tickets.resolved_at,
    ((tickets.response_us + 18) // 36 * 0.00000001)::decimal(24, 8)
        as first_response_hours,
    ((tickets.resolution_us + 18) // 36 * 0.00000001)::decimal(24, 8)
        as resolution_hours,
    triage.is_open,
    queue.service_level,
    queue.list_flag,
    goals.response_goal_hours,
    goals.resolution_goal_hours,
    case
        when tickets.response_us is not null
            then tickets.response_us <= 3600000000 * goals.response_goal_hours
        when
            tickets.first_response_at is null
            and tickets.resolved_at is null
            and tickets.age_us > 3600000000 * goals.response_goal_hours
            then false
    end as is_response_in_time,
    case
        when tickets.resolution_us is not null
            then tickets.resolution_us <= 3600000000 * goals.resolution_goal_hours
        when
            tickets.resolved_at is null
            and tickets.age_us > 3600000000 * goals.resolution_goal_hours
            then false
    end as is_resolution_in_time
from tickets
inner join marts.ticket_triage as triage
    on tickets.ticket_id = triage.ticket_id
inner join marts.service_queue as queue
    on tickets.customer_id = queue.customer_id
left join marts.service_goals as goals
    on
        queue.service_level = goals.service_level
        and coalesce(tickets.direction, 'in') = 'in'
