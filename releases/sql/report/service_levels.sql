-- One row is a service level: its customers, the calls that they made over the days
-- shown, and how many of these days met the goal.
-- Reads: service_queue and sla_attainment of one release.
with served as (
    select
        service_level,
        count(*) as n_customers
    from service_queue
    group by service_level
),

called as (
    select
        service_level,
        sum(n_offered)::bigint as n_offered,
        sum(n_in_time)::bigint as n_in_time,
        max(goal_ratio) as goal_ratio,
        count(*) filter (is_met) as n_days_met,
        count(*) as n_days
    from sla_attainment
    group by service_level
)

select
    served.service_level,
    served.n_customers,
    coalesce(called.n_offered, 0) as n_offered,
    coalesce(called.n_in_time, 0) as n_in_time,
    called.goal_ratio,
    coalesce(called.n_days_met, 0) as n_days_met,
    coalesce(called.n_days, 0) as n_days
from served
left join called on served.service_level = called.service_level
order by
    case served.service_level when 'high' then 1 when 'mid' then 2 else 3 end asc,
    served.service_level asc
