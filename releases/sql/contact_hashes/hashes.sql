-- One row is a contact of a customer, as a keyed hash.
-- Reads: temp.written_contacts.
-- Params: inner_pad, outer_pad (of the key, RFC 2104).
-- HMAC is two hashes, which DuckDB works out for whole columns at a time. In the order
-- of the hashes a reader skips all blocks but one.
with named as (
    select distinct
        customer_id,
        contact_kind,
        encode(contact_kind || ':' || contact) as said
    from temp.main.written_contacts
    where contact <> ''
)

select
    sha256($outer_pad || unhex(sha256($inner_pad || said))) as contact_hash,
    contact_kind,
    customer_id
from named
order by contact_hash, customer_id
