-- One row is two customer ids that a rule or an entry links, by their places; of what
-- several share, each is linked with the first. Entries are rule 0.
-- Reads: temp.identity_proofs, temp.identity_entries, temp.identity_nodes.
with placed as (
    select
        proofs.rule_no,
        nodes.place,
        min(nodes.place) over (
            partition by proofs.rule_no, proofs.said
        ) as first_place
    from temp.main.identity_proofs as proofs
    inner join temp.main.identity_nodes as nodes
        on proofs.customer_id = nodes.given_id
)

select distinct
    rule_no,
    first_place,
    place
from placed
where first_place < place
union
select
    0 as rule_no,
    least(one_node.place, other_node.place) as first_place,
    greatest(one_node.place, other_node.place) as place
from temp.main.identity_entries as entries
inner join temp.main.identity_nodes as one_node
    on entries.customer_id = one_node.given_id
inner join temp.main.identity_nodes as other_node
    on entries.id_value = other_node.given_id
where entries.id_kind = 'same' and entries.customer_id != entries.id_value
