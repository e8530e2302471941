-- One row is a customer and a tag from a person, in force on the as-of date.
-- Reads: staging.manual_tags, marts.tag_terms, marts.tag_dictionary, marts.tag_groups.
-- Params: as_of_date (date).
-- Of an exclusive group a customer has one: the one that was given last, of equal times
-- the first by name.
with written as (
    select
        manual.customer_id,
        coalesce(terms.tag, trim(manual.tag)) as tag,
        coalesce(terms.tag_group, 'manual') as tag_group,
        manual.tagged_at,
        manual.tagged_date,
        manual.tagged_date + listed.valid_days as lapses_date
    from staging.manual_tags as manual
    left join marts.tag_terms as terms
        on lower(trim(manual.tag)) = terms.term
    left join marts.tag_dictionary as listed
        on terms.tag = listed.tag
    where manual.removed_at is null and trim(manual.tag) != ''
),

-- Synonyms of one tag, and taggings again, are one row, since the first of them.
in_force as (
    select
        customer_id,
        tag,
        tag_group,
        min(tagged_date) as valid_from,
        case when count(lapses_date) = count(*) then max(lapses_date) end as valid_to,
        max(tagged_at) as last_tagged_at
    from written
    where lapses_date is null or lapses_date > $as_of_date
    group by customer_id, tag, tag_group
),

ranked as (
    select
        in_force.*,
        tag_groups.is_exclusive,
        row_number() over (
            partition by in_force.customer_id, in_force.tag_group
            order by in_force.last_tagged_at desc, in_force.tag asc
        ) as place
    from in_force
    inner join marts.tag_groups as tag_groups
        on in_force.tag_group = tag_groups.tag_group
)

select
    customer_id,
    tag,
    tag_group,
    valid_from::date as valid_from,
    valid_to::date as valid_to
from ranked
where place = 1 or not is_exclusive
