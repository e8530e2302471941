-- One row is a customer of a transaction in question, and the day that puts it there.
-- Reads: core.refund_lines, core.transaction_sums, temp.transactions_in_question.
-- A refund is its transaction's, that of the transaction it names, or its own
-- customer's, whichever there is: where one of them changes, the others may as well.
with refunds as (
    select
        refund_lines.customer_id,
        refund_lines.transaction_id,
        refund_lines.original_transaction_id,
        asked.row_date
    from core.refund_lines as refund_lines
    inner join temp.transactions_in_question as asked
        on refund_lines.transaction_id = asked.transaction_id
    union all
    select
        refund_lines.customer_id,
        refund_lines.transaction_id,
        refund_lines.original_transaction_id,
        asked.row_date
    from core.refund_lines as refund_lines
    inner join temp.transactions_in_question as asked
        on refund_lines.original_transaction_id = asked.transaction_id
),

linked as (
    select
        transaction_id,
        row_date
    from temp.transactions_in_question
    union all
    select
        transaction_id,
        row_date
    from refunds
    union all
    select
        original_transaction_id as transaction_id,
        row_date
    from refunds
)

select
    sums.customer_id,
    linked.row_date
from core.transaction_sums as sums
inner join linked on sums.transaction_id = linked.transaction_id
where sums.customer_id is not null
union all
select
    customer_id,
    row_date
from refunds
where customer_id is not null
