-- One row is a group that holds two ids that are not one customer.
-- Reads: temp.identity_groups, temp.identity_nodes, temp.identity_apart.
select distinct one_group.head
from temp.main.identity_apart as apart
inner join temp.main.identity_nodes as one_node
    on apart.one_id = one_node.given_id
inner join temp.main.identity_nodes as other_node
    on apart.other_id = other_node.given_id
inner join temp.main.identity_groups as one_group
    on one_node.place = one_group.place
inner join temp.main.identity_groups as other_group
    on
        other_node.place = other_group.place
        and one_group.head = other_group.head
