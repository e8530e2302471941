-- One row is a refund line.
-- Reads: core.lines.
select
    transaction_id,
    original_transaction_id,
    customer_id,
    category,
    line_date as refund_date,
    -spend_amount as refunded_amount
from core.lines
where kind = 'refund'
