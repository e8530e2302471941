-- One row is a customer, with its attributes.
-- Reads: core.customers, core.customer_metrics.
-- Params: as_of_date (date).
select
    customers.*,
    coalesce(metrics.n_orders_12m, 0) > 0 as is_active,
    case
        when customers.birth_date <= $as_of_date
            then printf(
                '%d-%d',
                10 * (datesub('year', customers.birth_date, $as_of_date) // 10),
                10 * (datesub('year', customers.birth_date, $as_of_date) // 10) + 9
            )
    end as age_band
from core.customers as customers
left join core.customer_metrics as metrics
    on customers.customer_id = metrics.customer_id
