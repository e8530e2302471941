-- One row is a release, scheme and tier: those known already, and those of the new one.
-- Reads: the temporary table known_trend; in the release itself, main.tier_economics.
-- Params: number integer.
select
    statement_no,
    scheme,
    tier,
    n_customers,
    spend_12m_amount
from known_trend
union all
select
    $number::integer as statement_no,
    scheme,
    tier,
    n_customers,
    spend_12m_amount
from release.main.tier_economics
