-- One row is a tag: those of the dictionary, and those that customers have besides.
-- Reads: marts.tag_dictionary, marts.tag_groups, marts.found_tags.
-- A tag that no dictionary lists, a value or what somebody wrote, is its own name.
with listed as (
    select
        tag,
        tag_group,
        name_en,
        name_zh
    from marts.tag_dictionary
),

others as (
    select
        found.tag,
        found.tag_group
    from marts.found_tags as found
    left join listed
        on
            found.tag = listed.tag
            and found.tag_group = listed.tag_group
    where listed.tag is null
),

known as (
    select
        tag,
        tag_group,
        name_en,
        name_zh
    from listed
    union all
    select
        tag,
        tag_group,
        tag as name_en,
        tag as name_zh
    from others
)

select
    known.tag,
    known.tag_group,
    tag_groups.is_exclusive,
    known.name_en,
    known.name_zh
from known
inner join marts.tag_groups as tag_groups
    on known.tag_group = tag_groups.tag_group
