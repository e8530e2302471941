-- One row is a ticket: who handles it, and how urgent it is.
-- Reads: staging.tickets, marts.service_queue.
-- Params: default_severity (integer).
with tickets as (
    select
        ticket_id,
        customer_id,
        opened_date,
        case when needs_engineer or exceeds_authority then 'L2' else 'L1' end
            as ticket_level,
        coalesce(severity, $default_severity) as severity,
        resolved_at is null as is_open
    from staging.tickets
)

select
    tickets.ticket_id,
    tickets.customer_id,
    tickets.opened_date,
    tickets.ticket_level,
    (tickets.severity * queue.queue_priority)::integer as ticket_priority,
    tickets.is_open
from tickets
inner join marts.service_queue as queue
    on tickets.customer_id = queue.customer_id
