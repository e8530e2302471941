-- One row is an id of a customer that the files know by several ids, or one that an
-- entry keeps apart.
-- Reads: temp.identity_groups, temp.identity_nodes, temp.identity_links,
-- temp.identity_rules, temp.identity_apart, temp.identity_broken.
-- Of the links of an id, one with an earlier id is told before one with a later, then
-- that of the first rule, then the most probable.
with members as (
    select
        nodes.given_id,
        nodes.place,
        heads.given_id as customer_id,
        count(*) over of_customer as n_ids,
        row_number() over of_customer_by_place as member_no
    from temp.main.identity_groups as member
    inner join temp.main.identity_nodes as nodes on member.place = nodes.place
    inner join temp.main.identity_nodes as heads on member.head = heads.place
    window
        of_customer as (partition by heads.given_id),
        of_customer_by_place as (
            partition by heads.given_id
            order by nodes.place asc
        )
),

ends as (
    select
        place,
        first_place as other_place,
        rule_no,
        probability
    from temp.main.identity_links
    union all
    select
        first_place as place,
        place as other_place,
        rule_no,
        probability
    from temp.main.identity_links
),

told as (
    select
        ends.place,
        ends.probability,
        rules.rule_name,
        linked.given_id as linked_id
    from ends
    inner join temp.main.identity_rules as rules
        on ends.rule_no = rules.rule_no
    inner join temp.main.identity_nodes as linked
        on ends.other_place = linked.place
    qualify
        row_number() over (
            partition by ends.place
            order by
                ends.other_place > ends.place asc,
                ends.rule_no asc,
                ends.probability desc nulls last,
                ends.other_place asc
        ) = 1
),

apart as (
    select one_id as given_id from temp.main.identity_apart
    union
    select other_id as given_id from temp.main.identity_apart
),

broken as (
    select distinct place
    from temp.main.identity_broken
)

select
    members.given_id,
    members.customer_id,
    members.member_no::integer as member_no,
    case
        when members.n_ids > 1 then 'linked'
        when broken.place is not null then 'contradiction'
        else 'kept_apart'
    end as standing,
    told.rule_name as linked_by,
    told.linked_id,
    told.probability as probability_ratio
from members
left join told on members.place = told.place
left join apart on members.given_id = apart.given_id
left join broken on members.place = broken.place
where
    members.n_ids > 1
    or apart.given_id is not null
    or broken.place is not null
