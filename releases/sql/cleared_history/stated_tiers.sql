-- One row is a customer, a scheme, a scope and the tier that one release stated, as far
-- as its stretches tell; a tier that no later date has ended stands in open_tiers.
-- That is what the history held of the release's date right after it was published.
-- Reads: the temporary view whole_stretches.
-- Params: as_of_date date, number integer, schemes varchar[].
select
    customer_id,
    scheme,
    scope,
    tier
from whole_stretches
where
    valid_from <= $as_of_date
    and coalesce(valid_to > $as_of_date, true)
    and statement_no <= $number
    and coalesce(restated_no > $number, true)
    and list_contains($schemes, scheme)
