-- One row is a customer and a tag in force on the as-of date.
-- Reads: staging.manual_tags, marts.rule_tags, marts.tag_terms, marts.tag_dictionary,
-- marts.tag_groups.
-- Params: as_of_date (date).
-- Active tags come from people, passive ones from rules. Of an exclusive group a
-- customer has one: an active tag goes before a passive one, of active ones the latest,
-- of passive ones the first that matches.
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
active as (
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

rules as (
    select
        customer_id,
        tag,
        tag_group,
        rule_id,
        rule_order,
        $as_of_date as valid_from
    from marts.rule_tags
),

found as (
    select
        customer_id,
        tag,
        tag_group,
        'active' as held_by,
        valid_from,
        valid_to,
        null as rule_id,
        last_tagged_at,
        0 as rule_order
    from active
    union all
    select
        rules.customer_id,
        coalesce(terms.tag, rules.tag) as tag,
        rules.tag_group,
        'passive' as held_by,
        rules.valid_from,
        null as valid_to,
        rules.rule_id,
        null as last_tagged_at,
        rules.rule_order
    from rules
    left join marts.tag_terms as terms
        on
            lower(rules.tag) = terms.term
            and rules.tag_group = terms.tag_group
),

held as (
    select
        found.*,
        hash(
            found.customer_id,
            found.tag_group,
            case when tag_groups.is_exclusive then '' else found.tag end
        ) as place_hash,
        case when tag_groups.is_exclusive then '' else found.tag end as place_tag
    from found
    inner join marts.tag_groups as tag_groups
        on found.tag_group = tag_groups.tag_group
),

-- Few places are contested; only their tags are put in order.
contested as (
    select place_hash
    from held
    group by place_hash
    having count(*) > 1
),

ranked as (
    select
        held.*,
        row_number() over (
            partition by held.customer_id, held.tag_group, held.place_tag
            order by
                held.held_by = 'active' desc,
                held.last_tagged_at desc nulls last,
                held.rule_order asc,
                held.tag asc,
                held.rule_id asc
        ) as place
    from held
    semi join contested
        on held.place_hash = contested.place_hash
),

kept as (
    select * exclude (place)
    from ranked
    where place = 1
    union all
    select held.*
    from held
    anti join contested
        on held.place_hash = contested.place_hash
)

select
    customer_id,
    tag,
    tag_group,
    held_by as source,  -- noqa: RF04
    valid_from::date as valid_from,
    valid_to::date as valid_to,
    rule_id::varchar as rule_id
from kept
