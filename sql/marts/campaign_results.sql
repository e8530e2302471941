-- One row is a campaign: whom it reached, and who ordered in the days after.
-- Reads: marts.campaign_responses.
-- Params: as_of_date (date), response_days (integer).
-- The share is rounded half up in whole millionths: dividing decimals would go through
-- floating point.
with sums as (
    select
        campaign,
        min(first_contact_date) as first_contact_date,
        max(last_contact_date) as last_contact_date,
        count(*) as n_contacted,
        count(*) filter (where has_ordered) as n_ordered,
        coalesce(sum(spend_amount), 0) as spend_amount
    from marts.campaign_responses
    group by campaign
)

select
    campaign,
    first_contact_date,
    last_contact_date,
    last_contact_date + $response_days <= $as_of_date as is_complete,
    n_contacted,
    n_ordered as n_ordered_30d,
    (
        (2000000 * n_ordered::hugeint + n_contacted)
        // (2 * n_contacted) * 0.000001
    )::decimal(18, 6) as ordered_ratio,
    spend_amount::decimal(18, 2) as spend_30d_amount
from sums
