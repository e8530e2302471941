-- One row is two customer ids that an entry says are not one customer.
-- Reads: temp.identity_entries.
select distinct
    least(customer_id, id_value) as one_id,
    greatest(customer_id, id_value) as other_id
from temp.main.identity_entries
where id_kind = 'not_same' and customer_id != id_value
