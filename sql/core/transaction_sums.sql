-- One row is a transaction with a sale line, its lines added up.
-- Reads: core.transaction_changes.
-- All lines of a transaction agree on the customer (others were rejected), so that
-- min() only skips lines that name nobody.
select
    transaction_id,
    min(customer_id) as customer_id,
    min(sale_date) as order_date,
    min(change_date) as first_change_date,
    max(change_date) as last_change_date,
    sum(sold_amount)::decimal(18, 2) as sold_amount,
    coalesce(sum(adjusted_amount), 0)::decimal(18, 2) as adjusted_amount,
    coalesce(sum(refunded_amount), 0)::decimal(18, 2) as refunded_amount,
    bool_or(is_refund) as has_refunds
from core.transaction_changes
group by transaction_id
having min(sale_date) is not null
