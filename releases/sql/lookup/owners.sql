-- One row is a customer who has a contact, and what kind of contact it is.
-- Reads: contact_lookup, customers, service_queue.
-- Params: hashes (list of texts).
select
    contacts.customer_id,
    list_sort(list(distinct contacts.contact_kind)) as contact_kinds,
    any_value(customers.account_manager_id) as account_manager_id,
    any_value(queue.service_level) as service_level,
    any_value(queue.service_need) as service_need,
    any_value(queue.list_flag) as list_flag,
    any_value(queue.queue_priority) as queue_priority
from contact_lookup as contacts
left join customers
    on contacts.customer_id = customers.customer_id
left join service_queue as queue
    on contacts.customer_id = queue.customer_id
where contacts.contact_hash in (select unnest($hashes))
group by contacts.customer_id
order by contacts.customer_id
