-- One row is a transaction with sales, and what refunds have taken back of it.
-- Reads: core.lines.
-- A refund line is linked to the transaction it names; where it names none, to the
-- sales of its own transaction. All lines of a transaction agree on the customer
-- (others were rejected), so that min() only skips lines that name nobody.
with sales as (
    select
        transaction_id,
        min(customer_id) as customer_id,
        min(line_date) as order_date,
        sum(spend_amount) as sold_amount
    from core.lines
    where kind = 'sale'
    group by transaction_id
    having sum(spend_amount) > 0
),

-- Few transactions have any.
changes as (
    select
        transaction_id,
        customer_id,
        kind,
        spend_amount,
        case when kind = 'refund' then original_transaction_id end
            as original_transaction_id
    from core.lines
    where kind in ('refund', 'adjustment')
),

changed as (
    select
        coalesce(original_transaction_id, transaction_id) as transaction_id,
        sum(spend_amount) filter (where kind = 'adjustment') as adjusted_amount,
        -sum(spend_amount) filter (where kind = 'refund') as refunded_amount
    from changes
    group by coalesce(original_transaction_id, transaction_id)
),

named as (
    select
        transaction_id,
        min(customer_id) as customer_id
    from changes
    group by transaction_id
)

select
    sales.transaction_id,
    coalesce(sales.customer_id, named.customer_id) as customer_id,
    sales.order_date,
    sales.sold_amount::decimal(18, 2) as sold_amount,
    coalesce(changed.adjusted_amount, 0)::decimal(18, 2) as adjusted_amount,
    coalesce(changed.refunded_amount, 0)::decimal(18, 2) as refunded_amount
from sales
left join changed
    on sales.transaction_id = changed.transaction_id
left join named
    on sales.transaction_id = named.transaction_id
