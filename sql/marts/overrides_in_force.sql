-- One row is a decision of a person that is in force on the as-of date.
-- Reads: staging.overrides, marts.schemes, marts.scheme_tiers.
-- Params: as_of_date (date).
-- A decision holds on its first and on its last day. Of several about one customer and
-- scheme that give a tier the one that began last counts. Lists and exceptions are no
-- schemes.
with in_force as (
    select
        entries.*,
        schemes.grades,
        schemes.is_applicable,
        schemes.scheme is not null as is_of_scheme,
        entries.scheme in (
            'black_list', 'red_list', 'strategic_exception'
        ) as is_list,
        coalesce(tiers.tier, schemes.approved_tier) as given_tier
    from staging.overrides as entries
    left join marts.schemes as schemes
        on entries.scheme = schemes.scheme
    left join marts.scheme_tiers as tiers
        on
            entries.scheme = tiers.scheme
            and entries.tier = tiers.tier
            and tiers.tier != 'unrated'
    where
        entries.starts_on <= $as_of_date
        and (entries.ends_on is null or entries.ends_on >= $as_of_date)
)

select
    customer_id,
    scheme,
    tier,
    reason,
    approved_by,
    starts_on,
    ends_on,
    case
        when not is_of_scheme and not is_list then 'unknown_scheme'
        when is_of_scheme and not is_applicable then 'scheme_not_run'
        when grades = 'categories' then 'graded_by_category'
        when is_of_scheme and given_tier is null and tier is null then 'no_tier'
        when is_of_scheme and given_tier is null then 'unknown_tier'
        when
            starts_on < max(starts_on) filter (
                where is_list or given_tier is not null
            ) over of_scheme
            then 'superseded'
        else 'applied'
    end as effect
from in_force
window of_scheme as (partition by customer_id, scheme)
