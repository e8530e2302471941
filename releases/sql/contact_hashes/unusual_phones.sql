-- One row is a telephone number, as given, that is not plain.
-- Reads: temp.given_contacts.
-- Params: plain (pattern).
select distinct contact
from temp.main.given_contacts
where
    contact_kind = 'phone'
    and not regexp_full_match(compact, $plain)
