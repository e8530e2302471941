-- One row is a customer, a calendar year and a category: points, tier and price.
-- Reads: core.category_points_events, core.customers, marts.scheme_tiers,
-- marts.category_discounts.
-- The tier is that of the scheme category_points, whose bounds are in scheme_tiers; who
-- is known to be no member has none. Where nobody is marked, everybody is a member.
with years as (
    select
        customer_id,
        year(event_date) as event_year,
        category,
        sum(points) as points
    from core.category_points_events
    group by customer_id, year(event_date), category
),

tiers as (
    select
        bounds.tier,
        bounds.lower_bound,
        bounds.upper_bound,
        discounts.pay_ratio
    from marts.scheme_tiers as bounds
    left join marts.category_discounts as discounts
        on bounds.tier = discounts.tier
    where bounds.scheme = 'category_points' and bounds.tier_rank is not null
)

select
    years.customer_id,
    years.event_year::integer as year,  -- noqa: RF04
    years.category,
    years.points::decimal(18, 4) as points,
    tiers.tier,
    tiers.pay_ratio
from years
left join core.customers as customers
    on years.customer_id = customers.customer_id
left join tiers
    on
        coalesce(customers.is_member, true)
        and (tiers.lower_bound is null or years.points >= tiers.lower_bound)
        and (tiers.upper_bound is null or years.points < tiers.upper_bound)
