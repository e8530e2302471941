-- One row is a benefit of a tier.
-- Reads: entitlements of one release.
select distinct
    scheme,
    tier,
    benefit,
    name_en,
    name_zh
from entitlements
order by scheme, tier, benefit
