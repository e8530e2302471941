-- One row is a telephone number, as given, that is not plain.
-- Reads: temp.compact_contacts.
-- Params: plain (pattern).
select distinct contact
from temp.compact_contacts
where
    contact_kind = 'phone'
    and not regexp_full_match(compact, $plain)
