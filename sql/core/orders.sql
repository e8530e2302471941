-- One row is a counted order of a known customer.
-- Reads: core.transactions.
-- Where amounts are not known, a refund takes its order back whole.
select
    transaction_id,
    customer_id,
    order_date,
    sold_amount as gross_amount,
    (sold_amount + adjusted_amount - refunded_amount)::decimal(18, 2) as net_amount
from core.transactions
where
    customer_id is not null
    and coalesce(refunded_amount < sold_amount, not has_refunds)
