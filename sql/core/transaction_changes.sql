-- One row is what a line adds to a transaction, or takes back of it.
-- Reads: core.lines, core.refund_lines.
-- A refund line is linked to the transaction it names; where it names none, to the
-- sales of its own transaction. Linked refunds are added to the lines instead of
-- joined: a join may hold all transactions in memory.
select
    transaction_id,
    customer_id,
    line_date as change_date,
    case when kind = 'sale' then line_date end as sale_date,
    case when kind = 'sale' then spend_amount end as sold_amount,
    case when kind = 'adjustment' then spend_amount end as adjusted_amount,
    case
        when
            kind = 'refund'
            and coalesce(original_transaction_id = transaction_id, true)
            then -spend_amount
    end as refunded_amount,
    kind = 'refund' as is_refund
from core.lines
where kind != 'bill'
union all
select
    original_transaction_id as transaction_id,
    null as customer_id,
    refund_date as change_date,
    null as sale_date,
    null as sold_amount,
    null as adjusted_amount,
    refunded_amount,
    true as is_refund
from core.refund_lines
where original_transaction_id != transaction_id
