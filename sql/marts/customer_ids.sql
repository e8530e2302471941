-- One row is an id of a customer that the files know by several ids.
-- Reads: staging.customer_ids, core.customers.
select
    ids.given_id,
    ids.customer_id,
    ids.member_no,
    ids.standing,
    ids.linked_by,
    ids.linked_id,
    ids.probability_ratio
from staging.customer_ids as ids
semi join core.customers as customers
    on ids.customer_id = customers.customer_id
