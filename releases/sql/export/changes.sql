-- One row is a customer × scheme × scope that entered a scheme, left it, or moved.
-- A tier is null where the scheme does not grade the customer in that release.
-- Between tiers without an order the movement is changed, neither up nor down.
-- Reads: customer_tiers, scheme_tiers and customers of a.main and b.main.
-- Params: from_as_of_date, to_as_of_date (dates).
with dates as (
    select
        $from_as_of_date::date as from_as_of_date,
        $to_as_of_date::date as to_as_of_date
),

earlier as (
    select
        scheme,
        scope,
        customer_id,
        tier
    from a.main.customer_tiers
),

later as (
    select
        scheme,
        scope,
        customer_id,
        tier
    from b.main.customer_tiers
),

moved as (
    select
        coalesce(later.customer_id, earlier.customer_id) as customer_id,
        coalesce(later.scheme, earlier.scheme) as scheme,
        coalesce(later.scope, earlier.scope) as scope,
        earlier.tier as from_tier,
        later.tier as to_tier
    from earlier
    full outer join later
        on
            earlier.customer_id = later.customer_id
            and earlier.scheme = later.scheme
            and earlier.scope = later.scope
    where earlier.tier is distinct from later.tier
)

select
    moved.customer_id,
    owners.account_manager_id as owner_id,
    moved.scheme,
    moved.scope,
    case
        when moved.from_tier is null then 'entered'
        when moved.to_tier is null then 'left'
        when to_tiers.tier_rank < from_tiers.tier_rank then 'up'
        when to_tiers.tier_rank > from_tiers.tier_rank then 'down'
        else 'changed'
    end as movement,
    moved.from_tier,
    from_tiers.name_en as from_name_en,
    from_tiers.name_zh as from_name_zh,
    moved.to_tier,
    to_tiers.name_en as to_name_en,
    to_tiers.name_zh as to_name_zh,
    dates.from_as_of_date,
    dates.to_as_of_date
from moved
cross join dates
left join a.main.scheme_tiers as from_tiers
    on moved.scheme = from_tiers.scheme and moved.from_tier = from_tiers.tier
left join b.main.scheme_tiers as to_tiers
    on moved.scheme = to_tiers.scheme and moved.to_tier = to_tiers.tier
left join b.main.customers as owners
    on moved.customer_id = owners.customer_id
