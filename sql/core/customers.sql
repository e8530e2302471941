-- One row is a customer that exists on the as-of date, with its attributes.
-- Reads: staging.customer_rows, staging.customers.
-- Params: as_of_date (date).
-- A customer exists from its earliest dated row on; without a dated row, always.
with known as (
    select
        customer_id,
        min(row_date) as first_known_date
    from staging.customer_rows
    group by customer_id
    having min(row_date) is null or min(row_date) <= $as_of_date
)

select
    known.customer_id,
    known.first_known_date,
    customers.customer_id is not null as is_in_customers_feed,
    customers.* exclude (customer_id) -- noqa: RF02
from known
left join staging.customers as customers
    on known.customer_id = customers.customer_id
