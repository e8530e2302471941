-- One row is a contact of a customer as it was given; of a telephone number also
-- without what people put between its digits.
-- Reads: core.customers, staging.identities.
-- Params: between_phone (pattern).
with given as (
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
)

select
    customer_id,
    contact_kind,
    contact,
    case
        when contact_kind = 'phone'
            then regexp_replace(contact, $between_phone, '', 'g')
    end as compact
from given
where contact is not null
