-- One row is a group that is a part of an earlier one: of the groups that a link
-- touches, all but the earliest.
-- Reads: temp.identity_groups, temp.identity_links.
with touching as (
    select
        one.head as one_head,
        other.head as other_head
    from temp.main.identity_links as links
    inner join temp.main.identity_groups as one
        on links.first_place = one.place
    inner join temp.main.identity_groups as other
        on links.place = other.place
    where one.head != other.head
)

select
    greatest(one_head, other_head) as head,
    min(least(one_head, other_head)) as earlier_head
from touching
group by greatest(one_head, other_head)
