-- One row is a customer: the day of its first balance.
-- Reads: staging.balances.
select
    customer_id,
    min(balance_date) as measure
from staging.balances
group by customer_id
