-- One row is one of the six levels of service, and whether the data call for it.
-- Reads: marts.ticket_triage, marts.service_assets, marts.service_sales,
-- marts.contact_class, staging.ticket_ratings.
-- Params: single_handed_threshold, teamwork_threshold, asset_threshold,
-- sales_threshold, satisfaction_threshold, call_centre_threshold.
-- A level is called for when something was observed, and at least the threshold. Shares
-- are compared as numbers of tickets, by multiplying.
with tickets as (
    select
        count(*)::hugeint as n_tickets,
        count(*) filter (where ticket_level = 'L1')::hugeint as n_l1,
        count(*) filter (where ticket_level = 'L2')::hugeint as n_l2
    from marts.ticket_triage
),

days as (
    select count(*) as n_calls
    from marts.contact_class
    where contact_type = 'call' and direction = 'in'
    group by contact_date
),

observations as (
    select
        1 as level_no,
        'single_handed' as level_name,
        n_l1 as observed,
        greatest(n_tickets, 1) as per,
        $single_handed_threshold as threshold
    from tickets
    union all
    select
        2 as level_no,
        'teamwork' as level_name,
        n_l2 as observed,
        greatest(n_tickets, 1) as per,
        $teamwork_threshold as threshold
    from tickets
    union all
    select
        3 as level_no,
        'asset_management' as level_name,
        count(*) as observed,
        1 as per,
        $asset_threshold as threshold
    from marts.service_assets
    union all
    select
        4 as level_no,
        'service_sales' as level_name,
        count(*) as observed,
        1 as per,
        $sales_threshold as threshold
    from marts.service_sales
    union all
    select
        5 as level_no,
        'quantified_satisfaction' as level_name,
        count(*) as observed,
        1 as per,
        $satisfaction_threshold as threshold
    from staging.ticket_ratings
    union all
    select
        6 as level_no,
        'call_centre' as level_name,
        coalesce(max(n_calls), 0) as observed,
        1 as per,
        $call_centre_threshold as threshold
    from days
)

select
    level_no::integer as level,  -- noqa: RF04
    level_name,
    observed > 0 and observed >= threshold * per as is_called_for,
    ((200000000 * observed + per) // (2 * per) * 0.00000001)::decimal(24, 8)
        as observed,
    threshold::decimal(24, 8) as threshold
from observations
