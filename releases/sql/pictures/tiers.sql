-- One row is a tier that customers have, of a scheme of at least two such tiers: how
-- many have it. Schemes come widest first, their tiers best first.
-- Reads: release.main.tier_economics, scheme_tiers, schemes.
with counted as (
    select
        scheme,
        tier,
        n_customers,
        sum(n_customers) over (partition by scheme) as n_in_scheme,
        count(*) over (partition by scheme) as n_tiers
    from release.main.tier_economics
    where n_customers > 0
)

select
    counted.scheme,
    schemes.name_en as scheme_en,
    schemes.name_zh as scheme_zh,
    counted.tier,
    coalesce(tiers.name_en, counted.tier) as tier_en,
    coalesce(tiers.name_zh, counted.tier) as tier_zh,
    tiers.tier_rank,
    counted.n_customers
from counted
inner join release.main.schemes as schemes on counted.scheme = schemes.scheme
left join release.main.scheme_tiers as tiers
    on counted.scheme = tiers.scheme and counted.tier = tiers.tier
where counted.n_tiers > 1
order by
    counted.n_in_scheme desc,
    counted.scheme asc,
    tiers.tier_rank asc nulls last,
    counted.tier asc
