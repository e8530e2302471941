-- One row is a contact of a customer as it was given; of a telephone number also
-- without what people put between its digits.
-- Reads: temp.given_contacts.
-- Params: between_phone (pattern).
select
    customer_id,
    contact_kind,
    contact,
    case
        when contact_kind = 'phone'
            then regexp_replace(contact, $between_phone, '', 'g')
    end as compact
from temp.given_contacts
where contact is not null
