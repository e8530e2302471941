-- One row is a value that not too many ids share, and the rule that asks for it.
-- Reads: temp.identity_values, temp.identity_parts.
-- A name is shared by many who have nothing else in common, and says who somebody is
-- only together with something else. An identifier of too many ids says nothing at all.
with counted as (
    select
        kind,
        said,
        count(*) as n_ids
    from temp.main.identity_values
    group by kind, said
)

select
    parts.rule_no,
    parts.n_parts,
    parts.at_most,
    given.customer_id,
    given.kind,
    given.said
from temp.main.identity_values as given
inner join temp.main.identity_parts as parts on given.kind = parts.kind
inner join counted
    on given.kind = counted.kind and given.said = counted.said
where parts.is_attribute or counted.n_ids <= parts.at_most
