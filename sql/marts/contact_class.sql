-- One row is a ticket or a call: who turned to whom, and at which stage of a sale.
-- Reads: staging.tickets, staging.calls.
-- A contact without a direction came from the customer.
select
    'ticket' as contact_type,
    ticket_id as contact_id,
    customer_id,
    opened_date as contact_date,
    coalesce(direction, 'in') as direction,
    service_stage
from staging.tickets
union all
select
    'call' as contact_type,
    call_id as contact_id,
    customer_id,
    queued_date as contact_date,
    coalesce(direction, 'in') as direction,
    service_stage
from staging.calls
