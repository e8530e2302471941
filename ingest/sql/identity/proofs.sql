-- One row is a customer id and what a rule finds equal among several of them.
-- Reads: temp.identity_keys, temp.identity_parts, temp.identity_apart.
-- What two ids share that are not one customer says nothing about anybody.
with wrong as (
    select distinct
        one_key.rule_no,
        one_key.said
    from temp.main.identity_apart as apart
    inner join temp.main.identity_keys as one_key
        on apart.one_id = one_key.customer_id
    inner join temp.main.identity_keys as other_key
        on
            apart.other_id = other_key.customer_id
            and one_key.rule_no = other_key.rule_no
            and one_key.said = other_key.said
),

limits as (
    select distinct
        rule_no,
        at_most
    from temp.main.identity_parts
)

select
    found.rule_no,
    found.said,
    found.customer_id
from temp.main.identity_keys as found
inner join limits on found.rule_no = limits.rule_no
anti join wrong
    on found.rule_no = wrong.rule_no and found.said = wrong.said
qualify
    count(*) over (partition by found.rule_no, found.said)
    between 2 and limits.at_most
