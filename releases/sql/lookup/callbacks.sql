-- One row is a call of a customer that is still to be returned, the first due first.
-- Reads: callbacks.
-- Params: customers (list of texts).
select
    customer_id,
    call_id,
    called_at,
    due_at,
    status
from callbacks
where status in ('due', 'overdue') and customer_id in (select unnest($customers))
order by customer_id, due_at, call_id
