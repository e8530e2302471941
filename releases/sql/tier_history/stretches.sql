-- One row is a stretch that is over, was restated, or is about a scope: the table
-- tier_stretches of the new release. First the stretches that stay as they are; then
-- what the new release leaves of the others and adds to them. A tier that no later date
-- has ended stands in open_tiers, unless it is about a scope.
-- Reads: the temporary tables known_stretches, changed_tiers and graded_schemes.
-- Params: as_of_date date, number integer.
with changed as (
    select
        changed_tiers.customer_id,
        changed_tiers.scheme,
        changed_tiers.scope,
        changed_tiers.tier,
        changed_tiers.new_tier,
        changed_tiers.valid_from,
        changed_tiers.valid_to,
        changed_tiers.statement_no,
        changed_tiers.is_open,
        graded_schemes.next_date,
        graded_schemes.is_restated
    from changed_tiers
    inner join graded_schemes on changed_tiers.scheme = graded_schemes.scheme
),

pieces as (
    -- Before the date nothing changes.
    select
        customer_id,
        scheme,
        scope,
        tier,
        valid_from::date as valid_from,
        $as_of_date::date as valid_to,
        statement_no::integer as statement_no,
        null::integer as restated_no
    from changed
    where tier is not null and valid_from < $as_of_date
    union all
    -- On it, up to the next graded date, the known tier was wrong.
    select
        customer_id,
        scheme,
        scope,
        tier,
        $as_of_date::date as valid_from,
        next_date::date as valid_to,
        statement_no::integer as statement_no,
        $number::integer as restated_no
    from changed
    where tier is not null and is_restated
    union all
    -- From the next graded date on nothing changes; what has no end yet stays in
    -- open_tiers.
    select
        customer_id,
        scheme,
        scope,
        tier,
        next_date::date as valid_from,
        valid_to::date as valid_to,
        statement_no::integer as statement_no,
        null::integer as restated_no
    from changed
    where
        tier is not null
        and not is_open
        and next_date is not null
        and coalesce(next_date < valid_to, true)
    union all
    -- The new tier; where no later date was graded, it has no end yet.
    select
        customer_id,
        scheme,
        scope,
        new_tier as tier,
        $as_of_date::date as valid_from,
        next_date::date as valid_to,
        $number::integer as statement_no,
        null::integer as restated_no
    from changed
    where new_tier is not null and (next_date is not null or scope != '')
)

select
    past.customer_id,
    past.scheme,
    past.scope,
    past.tier,
    past.valid_from,
    past.valid_to,
    past.statement_no,
    past.restated_no
from known_stretches as past
anti join changed
    on
        not changed.is_open
        and past.customer_id = changed.customer_id
        and past.scheme = changed.scheme
        and past.scope = changed.scope
        and past.valid_from = changed.valid_from
        and past.restated_no is null
union all
(
    select
        customer_id,
        scheme,
        scope,
        tier,
        valid_from,
        valid_to,
        statement_no,
        restated_no
    from pieces
    order by all
)
