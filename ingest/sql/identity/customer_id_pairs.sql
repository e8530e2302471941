-- One row is two customer ids that the model finds alike, and what became of them.
-- Reads: temp.identity_pairs, temp.identity_nodes, temp.identity_groups,
-- temp.identity_apart.
-- What is below the threshold is for a person to decide, unless the two are one
-- customer by other links.
select
    pairs.one_id as given_id,
    pairs.other_id,
    pairs.probability as probability_ratio,
    case
        when apart.one_id is not null then 'kept_apart'
        when one_group.head = other_group.head then 'linked'
        when pairs.is_above then 'contradiction'
        else 'to_review'
    end as standing
from temp.main.identity_pairs as pairs
inner join temp.main.identity_nodes as one_node
    on pairs.one_id = one_node.given_id
inner join temp.main.identity_nodes as other_node
    on pairs.other_id = other_node.given_id
inner join temp.main.identity_groups as one_group
    on one_node.place = one_group.place
inner join temp.main.identity_groups as other_group
    on other_node.place = other_group.place
left join temp.main.identity_apart as apart
    on pairs.one_id = apart.one_id and pairs.other_id = apart.other_id
