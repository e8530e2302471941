-- One row is a service level that has goals for tickets.
-- Reads: marts.service_policy.
-- A ticket does not tell over which channel it came: it is late once the longest hours
-- of all channels of the level are over. A channel without hours sets no goal.
select
    tier as service_level,
    max(response_hours) as response_goal_hours,
    max(resolution_hours) as resolution_goal_hours
from marts.service_policy
where scheme = 'service_level'
group by tier
