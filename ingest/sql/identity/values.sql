-- One row is something that a customer id is known by: an identifier, or an attribute
-- of the feed customers.
-- Reads: temp.identity_customers, temp.identity_entries, temp.written_contacts.
-- An identifier that repeats one character fills a field and says nothing. Attributes
-- are compared without case and blanks.
with identifiers as (
    select
        customer_id,
        contact_kind as kind,
        contact as said
    from temp.main.written_contacts
    where contact_kind != 'email' or regexp_full_match(contact, '[^@]+@[^@]+')
    union
    select
        customer_id,
        id_kind as kind,
        trim(id_value) as said
    from temp.main.identity_entries
    where id_kind not in ('phone', 'email', 'card', 'same', 'not_same')
)

select
    customer_id,
    kind,
    said
from identifiers
where replace(said, left(said, 1), '') != ''
union all
select
    customer_id,
    kind,
    lower(trim(regexp_replace(said, '[\s\x{a0}\x{3000}]+', ' ', 'g'))) as said
from temp.main.identity_customers
where regexp_matches(said, '[^\s\x{a0}\x{3000}]')
