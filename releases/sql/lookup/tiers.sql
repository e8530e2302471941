-- One row is a tier of a scheme that runs, with the names of both.
-- Reads: scheme_tiers, schemes.
-- Params: schemes (list of texts).
select
    tiers.scheme,
    tiers.tier,
    tiers.tier_rank,
    schemes.name_en as scheme_name_en,
    schemes.name_zh as scheme_name_zh,
    tiers.name_en,
    tiers.name_zh
from scheme_tiers as tiers
inner join schemes
    on tiers.scheme = schemes.scheme
where tiers.scheme in (select unnest($schemes))
order by tiers.scheme, tiers.tier
