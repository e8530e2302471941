-- One row is a tier of a scheme of either release, with its rank and its names.
-- A tier that both releases have is named and ranked as the later one does it.
-- Reads: a.main.scheme_tiers, b.main.scheme_tiers.
select
    scheme,
    tier,
    tier_rank,
    name_en,
    name_zh
from b.main.scheme_tiers
union all
select
    earlier.scheme,
    earlier.tier,
    earlier.tier_rank,
    earlier.name_en,
    earlier.name_zh
from a.main.scheme_tiers as earlier
anti join b.main.scheme_tiers as later
    on earlier.scheme = later.scheme and earlier.tier = later.tier
