-- One row is a customer that exists on the as-of date, with its attributes.
-- Reads: core.known_customers, staging.customers.
-- Params: as_of_date (date).
-- A customer exists from its earliest dated row on; without a dated row, always.
select
    known.customer_id,
    known.first_known_date,
    customers.customer_id is not null as is_in_customers_feed,
    customers.* exclude (customer_id) -- noqa: RF02
from core.known_customers as known
left join staging.customers as customers
    on known.customer_id = customers.customer_id
where coalesce(known.first_known_date <= $as_of_date, true)
