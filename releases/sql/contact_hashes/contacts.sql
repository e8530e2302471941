-- One row is a contact of a customer as it was given.
-- Reads: core.customers, staging.identities, staging.other_contacts.
select
    customer_id,
    'phone' as contact_kind,
    phone as contact
from core.customers
union
select
    customer_id,
    'email' as contact_kind,
    email as contact
from core.customers
union
select
    identities.customer_id,
    identities.id_kind as contact_kind,
    identities.id_value as contact
from staging.identities as identities
semi join core.customers as customers
    on identities.customer_id = customers.customer_id
where identities.id_kind in ('phone', 'email', 'card')
union
select
    other_ids.customer_id,
    other_ids.contact_kind,
    other_ids.contact
from staging.other_contacts as other_ids
semi join core.customers as customers
    on other_ids.customer_id = customers.customer_id
