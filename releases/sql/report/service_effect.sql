-- One row is a month and a service level.
-- Reads: service_effect of one release.
select
    month,
    service_level,
    n_customers,
    n_tickets,
    n_complaints,
    first_response_hours,
    resolution_hours,
    in_time_ratio,
    callbacks_in_time_ratio,
    satisfaction_score,
    n_lost
from service_effect
order by month, service_level
