-- One row is a transaction with sales, and what refunds have taken back of it.
-- Reads: core.lines.
-- A refund line is linked to the transaction it names; where it names none, to the
-- sales of its own transaction. All lines of a transaction agree on the customer
-- (others were rejected), so that min() only skips lines that name nobody.
with lines as (
    select
        transaction_id,
        customer_id,
        line_date,
        kind,
        spend_amount,
        original_transaction_id,
        store_id,
        channel
    from core.lines
    where kind != 'bill'
),

own as (
    select
        transaction_id,
        min(customer_id) as customer_id,
        min(line_date) filter (where kind = 'sale') as order_date,
        sum(spend_amount) filter (where kind = 'sale') as sold_amount,
        sum(spend_amount) filter (where kind = 'adjustment') as adjusted_amount,
        sum(spend_amount) filter (
            where kind = 'refund'
            and (
                original_transaction_id is null
                or original_transaction_id = transaction_id
            )
        ) as refund_spend_amount,
        min(store_id) as store_id,
        min(channel) as channel
    from lines
    group by transaction_id
    having sum(spend_amount) filter (where kind = 'sale') > 0
),

linked as (
    select
        original_transaction_id,
        sum(spend_amount) as refund_spend_amount
    from lines
    where kind = 'refund' and original_transaction_id != transaction_id
    group by original_transaction_id
)

select
    own.transaction_id,
    own.customer_id,
    own.order_date,
    own.sold_amount::decimal(18, 2) as sold_amount,
    coalesce(own.adjusted_amount, 0)::decimal(18, 2) as adjusted_amount,
    (
        -coalesce(own.refund_spend_amount, 0)
        - coalesce(linked.refund_spend_amount, 0)
    )::decimal(18, 2) as refunded_amount,
    own.store_id,
    own.channel
from own
left join linked
    on own.transaction_id = linked.original_transaction_id
