-- One row is a customer whom any row names.
-- Reads: staging.customer_rows.
select
    customer_id,
    min(row_date) as first_known_date
from staging.customer_rows
group by customer_id
