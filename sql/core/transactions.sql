-- One row is a transaction with sales, and what refunds have taken back of it.
-- Reads: core.lines.
-- A refund line is linked to the transaction it names; where it names none, to the
-- sales of its own transaction. All lines of a transaction agree on the customer
-- (others were rejected), so that min() only skips lines that name nobody.
-- Linked refunds are added to the lines instead of joined: a join may hold all
-- transactions in memory.
with changes as (
    select
        transaction_id,
        customer_id,
        case when kind = 'sale' then line_date end as sale_date,
        case when kind = 'sale' then spend_amount end as sold_amount,
        case when kind = 'adjustment' then spend_amount end as adjusted_amount,
        case
            when
                kind = 'refund'
                and coalesce(original_transaction_id = transaction_id, true)
                then -spend_amount
        end as refunded_amount
    from core.lines
    where kind != 'bill'
    union all
    select
        original_transaction_id as transaction_id,
        null as customer_id,
        null as sale_date,
        null as sold_amount,
        null as adjusted_amount,
        -spend_amount as refunded_amount
    from core.lines
    where kind = 'refund' and original_transaction_id != transaction_id
)

select
    transaction_id,
    min(customer_id) as customer_id,
    min(sale_date) as order_date,
    sum(sold_amount)::decimal(18, 2) as sold_amount,
    coalesce(sum(adjusted_amount), 0)::decimal(18, 2) as adjusted_amount,
    coalesce(sum(refunded_amount), 0)::decimal(18, 2) as refunded_amount
from changes
group by transaction_id
having sum(sold_amount) > 0
