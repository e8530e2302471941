-- One row is a campaign, the latest first: whom it reached, and who ordered after it.
-- The amount is in the project's currency.
-- Reads: campaign_results of one release.
select
    campaign,
    first_contact_date,
    last_contact_date,
    is_complete,
    n_contacted,
    n_ordered_30d as n_ordered,
    ordered_ratio,
    spend_30d_amount as spend_amount
from campaign_results
order by last_contact_date desc, n_contacted desc, campaign asc
limit $shown
