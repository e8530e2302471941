-- One row is a tier of a scheme, with all that a chart needs to show it.
-- Reads: marts.schemes, marts.scheme_tiers.
-- Colours go from dark (best) to light along one scale that is told apart without
-- seeing red or green, and in grey; tiers without an order take them as listed.
with listed as (
    select
        tiers.scheme,
        schemes.name_en as scheme_en,
        schemes.name_zh as scheme_zh,
        schemes.is_applicable,
        schemes.is_classification,
        tiers.tier,
        tiers.name_en as tier_en,
        tiers.name_zh as tier_zh,
        tiers.tier_rank,
        row_number() over (
            partition by tiers.scheme
            order by tiers.tier_rank asc nulls last, tiers.tier asc
        ) as position_no,
        count(*) over (partition by tiers.scheme) as n_tiers
    from marts.scheme_tiers as tiers
    inner join marts.schemes as schemes
        on tiers.scheme = schemes.scheme
)

select
    scheme,
    scheme_en,
    scheme_zh,
    is_applicable,
    is_classification,
    tier,
    tier_en,
    tier_zh,
    tier_rank,
    position_no::integer as position,  -- noqa: RF04
    [
        '#440154', '#46327e', '#365c8d', '#277f8e',
        '#1fa187', '#4ac16d', '#a0da39', '#fde725'
    ][1 + ((position_no - 1) * 7 // greatest(n_tiers - 1, 1))::integer] as color
from listed
