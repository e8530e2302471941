-- One row is a contact of a customer, written in one way; null where it is none.
-- Reads: temp.compact_contacts, temp.parsed_phones.
-- Params: between_card, blanks, plain (patterns); country_code (text).
select
    given.customer_id,
    given.contact_kind,
    case given.contact_kind
        when 'email' then lower(regexp_replace(given.contact, $blanks, '', 'g'))
        when 'card'
            then upper(regexp_replace(given.contact, $between_card, '', 'g'))
        else coalesce(
            '+' || $country_code
            || nullif(regexp_extract(given.compact, $plain, 1), ''),
            phones.normal
        )
    end as contact
from temp.compact_contacts as given
left join temp.parsed_phones as phones
    on given.contact_kind = 'phone' and given.contact = phones.contact
