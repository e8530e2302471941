-- One row is a customer who asked: how often, and how many asked more often.
-- Reads: staging.tickets.
-- Params: as_of_date (date).
-- Customers with equal numbers share the better rank.
with asked as (
    select
        customer_id,
        count(*) as n_tickets_12m,
        count(*) filter (where kind = 'fault') as n_faults_12m,
        count(*) filter (where kind = 'complaint') as n_complaints_12m
    from staging.tickets
    where opened_date > ($as_of_date - to_months(12))::date
    group by customer_id
)

select
    customer_id,
    n_tickets_12m,
    n_faults_12m,
    n_complaints_12m,
    rank() over (order by n_tickets_12m desc) as asking_rank
from asked
