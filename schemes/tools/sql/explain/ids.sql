-- One row is an id of the customer, where it has several or another one than before.
-- The columns are the fields of GivenId, in their order.
-- Reads: customer_ids, customer_id_changes.
select
    coalesce(ids.given_id, changes.given_id) as given_id,
    coalesce(ids.standing, 'alone') as standing,
    ids.linked_by,
    ids.linked_id,
    ids.probability_ratio as probability,
    changes.movement,
    changes.previous_customer_id
from customer_ids as ids
full outer join customer_id_changes as changes
    on ids.given_id = changes.given_id
where coalesce(ids.customer_id, changes.customer_id) = $customer
order by ids.member_no asc nulls last, given_id asc
