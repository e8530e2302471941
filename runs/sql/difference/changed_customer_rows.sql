-- One row is a row of any feed that names a customer who changed, with its day.
-- Reads: staging.customer_rows, temp.changed_customers.
select named.*
from staging.customer_rows as named
semi join temp.changed_customers as changed
    on named.customer_id = changed.customer_id
