-- One row is an as-of date, scheme and tier: how many customers had it then.
-- Of the latest dates up to that of the release.
-- Reads: tier_trend of one release.
select
    as_of_date,
    scheme,
    tier,
    n_customers
from tier_trend
qualify dense_rank() over (order by as_of_date desc) <= $shown
order by as_of_date, scheme, tier
