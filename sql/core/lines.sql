-- One row is a paid line, or a bill where the project's spend comes from bills.
-- Reads: staging.transactions, staging.bills.
-- Params: spend_source ('transactions', 'bills' or 'both').
-- A sale counts as it is, a refund as minus its size, an adjustment with its sign.
with paid as (
    select
        *,
        coalesce(kind, case when amount < 0 then 'refund' else 'sale' end)
            as line_kind
    from staging.transactions
    where
        status = 'paid'
        and $spend_source in ('transactions', 'both')
)

select
    transaction_id,
    line_no,
    customer_id,
    occurred_at,
    occurred_date as line_date,
    line_kind as kind,
    case when line_kind = 'refund' then -abs(amount) else amount end as spend_amount,
    case when line_kind = 'refund' then -abs(cost_amount) else cost_amount end
        as cost_amount,
    original_transaction_id,
    product_id,
    category,
    quantity,
    unit_price,
    is_service_sale,
    channel,
    store_id
from paid
union all
select
    null as transaction_id,
    null as line_no,
    customer_id,
    null::timestamptz as occurred_at,
    bill_month as line_date,
    'bill' as kind,
    amount as spend_amount,
    null as cost_amount,
    null as original_transaction_id,
    null as product_id,
    null as category,
    null as quantity,
    null as unit_price,
    null as is_service_sale,
    null as channel,
    null as store_id
from staging.bills
where $spend_source in ('bills', 'both')
