-- One row is a day and a service level: how many inbound calls were answered in time.
-- Reads: marts.offered_calls, marts.service_level.
-- Params: high_goal_ratio, mid_goal_ratio, general_goal_ratio.
-- Callers count by their level now, unknown ones as general. The goal is compared by
-- multiplying.
with days as (
    select
        calls.queued_date as call_date,
        coalesce(levels.service_level, 'general') as service_level,
        count(*)::hugeint as n_offered,
        count(*) filter (where calls.is_in_time)::hugeint as n_in_time
    from marts.offered_calls as calls
    left join marts.service_level as levels
        on calls.customer_id = levels.customer_id
    group by calls.queued_date, coalesce(levels.service_level, 'general')
),

goals as (
    select
        call_date,
        service_level,
        n_offered,
        n_in_time,
        case service_level
            when 'high' then $high_goal_ratio
            when 'mid' then $mid_goal_ratio
            else $general_goal_ratio
        end::decimal(18, 6) as goal_ratio
    from days
)

select
    call_date,
    service_level,
    n_offered::bigint as n_offered,
    n_in_time::bigint as n_in_time,
    (
        (2000000 * n_in_time + n_offered) // (2 * n_offered) * 0.000001
    )::decimal(18, 6) as attainment_ratio,
    goal_ratio,
    n_in_time >= goal_ratio * n_offered as is_met
from goals
