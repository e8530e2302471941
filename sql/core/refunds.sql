-- One row is a refunded transaction and a day, with the points clawed back.
-- Reads: core.refund_lines, core.transactions.
-- Params: as_of_date (date).
-- Points of an order are floor(net paid amount), so a refund claws back the difference
-- of two floors; a refund that belongs to no order takes floor(its amount).
with refund_lines as (
    select *
    from core.refund_lines
    where refund_date <= $as_of_date
),

-- Few transactions are refunded.
refunded as (
    select
        transaction_id,
        customer_id,
        sold_amount + adjusted_amount as paid_amount
    from core.transactions
    where has_refunds
),

targets as (
    select
        refund_lines.refund_date,
        refund_lines.refunded_amount,
        coalesce(named.transaction_id, refund_lines.transaction_id)
            as transaction_id,
        case
            when named.transaction_id is not null then named.customer_id
            when own.transaction_id is not null then own.customer_id
            else refund_lines.customer_id
        end as customer_id,
        case
            when named.transaction_id is not null
                then named.paid_amount
            when own.transaction_id is not null
                then own.paid_amount
        end as paid_amount
    from refund_lines
    left join refunded as named
        on refund_lines.original_transaction_id = named.transaction_id
    left join refunded as own
        on refund_lines.transaction_id = own.transaction_id
),

days as (
    select
        transaction_id,
        refund_date,
        min(customer_id) as customer_id,
        max(paid_amount) as paid_amount,
        sum(refunded_amount) as refunded_amount
    from targets
    group by transaction_id, refund_date
),

running as (
    select
        transaction_id,
        refund_date,
        customer_id,
        refunded_amount,
        max(paid_amount) over (partition by transaction_id) as paid_amount,
        sum(refunded_amount) over (
            partition by transaction_id
            order by refund_date asc
        ) as refunded_so_far_amount
    from days
)

select
    transaction_id,
    customer_id,
    refund_date,
    refunded_amount::decimal(18, 2) as refunded_amount,
    case
        when paid_amount is null
            then
                floor(refunded_so_far_amount - refunded_amount)
                - floor(refunded_so_far_amount)
        else
            floor(paid_amount - refunded_so_far_amount)
            - floor(paid_amount - refunded_so_far_amount + refunded_amount)
    end::decimal(18, 4) as points
from running
