-- One row is two customer ids that a rule or an entry links, by their places; of what
-- several share, each is linked with the first. Entries are rule 0. The model is the
-- last, and says nothing of two ids that an entry holds apart.
-- Reads: temp.identity_proofs, temp.identity_entries, temp.identity_pairs,
-- temp.identity_apart, temp.identity_rules, temp.identity_nodes.
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
    place,
    null::decimal(18, 6) as probability
from placed
where first_place < place
union
select
    0 as rule_no,
    least(one_node.place, other_node.place) as first_place,
    greatest(one_node.place, other_node.place) as place,
    null::decimal(18, 6) as probability
from temp.main.identity_entries as entries
inner join temp.main.identity_nodes as one_node
    on entries.customer_id = one_node.given_id
inner join temp.main.identity_nodes as other_node
    on entries.id_value = other_node.given_id
where entries.id_kind = 'same' and entries.customer_id != entries.id_value
union all
select
    rules.rule_no,
    least(one_node.place, other_node.place) as first_place,
    greatest(one_node.place, other_node.place) as place,
    pairs.probability
from temp.main.identity_pairs as pairs
inner join temp.main.identity_rules as rules
    on rules.is_model
inner join temp.main.identity_nodes as one_node
    on pairs.one_id = one_node.given_id
inner join temp.main.identity_nodes as other_node
    on pairs.other_id = other_node.given_id
anti join temp.main.identity_apart as apart
    on pairs.one_id = apart.one_id and pairs.other_id = apart.other_id
where pairs.is_above
