-- One row is a contact of a customer, as a keyed hash.
-- Reads: temp.given_contacts, temp.parsed_phones.
-- Params: between_card, blanks, plain (patterns); country_code (text); inner_pad,
-- outer_pad (of the key, RFC 2104).
-- HMAC is two hashes, which DuckDB works out for whole columns at a time. In the order
-- of the hashes a reader skips all blocks but one.
with written as (
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
    from temp.main.given_contacts as given
    left join temp.main.parsed_phones as phones
        on given.contact_kind = 'phone' and given.contact = phones.contact
),

named as (
    select distinct
        customer_id,
        contact_kind,
        encode(contact_kind || ':' || contact) as said
    from written
    where contact <> ''
)

select
    sha256($outer_pad || unhex(sha256($inner_pad || said))) as contact_hash,
    contact_kind,
    customer_id
from named
order by contact_hash, customer_id
