-- One row is a scheme and a way between two of its tiers since the release before.
-- from_tier is null of customers who are new.
-- Reads: tier_migrations of one release.
select
    scheme,
    from_tier,
    to_tier,
    n_customers,
    spend_12m_amount as spend_amount
from tier_migrations
order by scheme, from_tier nulls first, to_tier
