-- One row is a transaction with sales, and what refunds have taken back of it.
-- Reads: core.transaction_sums, core.reopened_changes.
-- Params: as_of_date (date).
-- Where amounts are not known, whatever was sold counts. Sums are made once for all
-- dates. They hold from the last change on; the few
-- transactions that still change are added up again.
select
    transaction_id,
    customer_id,
    order_date,
    sold_amount,
    adjusted_amount,
    refunded_amount,
    has_refunds
from core.transaction_sums
where last_change_date <= $as_of_date and coalesce(sold_amount > 0, true)
union all
select
    transaction_id,
    min(customer_id) as customer_id,
    min(sale_date) as order_date,
    sum(sold_amount)::decimal(18, 2) as sold_amount,
    coalesce(sum(adjusted_amount), 0)::decimal(18, 2) as adjusted_amount,
    coalesce(sum(refunded_amount), 0)::decimal(18, 2) as refunded_amount,
    bool_or(is_refund) as has_refunds
from core.reopened_changes
where last_change_date > $as_of_date and change_date <= $as_of_date
group by transaction_id
having min(sale_date) is not null and coalesce(sum(sold_amount) > 0, true)
