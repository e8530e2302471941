-- One row is an open ticket of a customer, the most urgent first.
-- Reads: service_tickets.
-- Params: customers (list of texts).
select
    customer_id,
    ticket_id,
    opened_at,
    kind,
    severity,
    ticket_level,
    ticket_priority,
    agent_id
from service_tickets
where is_open and customer_id in (select unnest($customers))
order by customer_id, ticket_priority, opened_at, ticket_id
