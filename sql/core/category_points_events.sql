-- One row is the points that an order earned in a category, or a refund clawed back.
-- Reads: core.lines, core.transactions.
-- As core.points_events, by category: one point per whole unit of money of what was
-- paid net in the category. A refund line without a category belongs to that of its
-- order where the order has only one. Lines without a category earn nothing here.
with lines as (
    select
        transaction_id,
        original_transaction_id,
        customer_id,
        line_date,
        kind,
        category,
        spend_amount
    from core.lines
    where kind != 'bill'
),

paid as (
    select
        lines.transaction_id,
        lines.category,
        min(orders.customer_id) as customer_id,
        min(orders.order_date) as order_date,
        sum(lines.spend_amount) as paid_amount
    from lines
    inner join core.transactions as orders
        on lines.transaction_id = orders.transaction_id
    where lines.kind in ('sale', 'adjustment') and lines.category is not null
    group by lines.transaction_id, lines.category
),

refund_lines as (
    select
        lines.line_date as refund_date,
        lines.category,
        -lines.spend_amount as refunded_amount,
        coalesce(named.transaction_id, lines.transaction_id) as transaction_id,
        case
            when named.transaction_id is not null then named.customer_id
            when own.transaction_id is not null then own.customer_id
            else lines.customer_id
        end as customer_id
    from lines
    left join core.transactions as named
        on lines.original_transaction_id = named.transaction_id
    left join core.transactions as own
        on lines.transaction_id = own.transaction_id
    where lines.kind = 'refund'
),

only_categories as (
    select
        transaction_id,
        min(category) as category
    from lines
    where
        kind = 'sale'
        and transaction_id in (
            select refund_lines.transaction_id
            from refund_lines
            where refund_lines.category is null
        )
    group by transaction_id
    having count(distinct category) = 1 and count(category) = count(*)
),

refund_days as (
    select
        refund_lines.transaction_id,
        coalesce(refund_lines.category, only_categories.category) as category,
        refund_lines.refund_date,
        min(refund_lines.customer_id) as customer_id,
        sum(refund_lines.refunded_amount) as refunded_amount
    from refund_lines
    left join only_categories
        on refund_lines.transaction_id = only_categories.transaction_id
    group by
        refund_lines.transaction_id,
        coalesce(refund_lines.category, only_categories.category),
        refund_lines.refund_date
),

running as (
    select
        refund_days.customer_id,
        refund_days.category,
        refund_days.refund_date,
        paid.paid_amount,
        refund_days.refunded_amount,
        sum(refund_days.refunded_amount) over (
            partition by refund_days.transaction_id, refund_days.category
            order by refund_days.refund_date asc
        ) as refunded_so_far_amount
    from refund_days
    left join paid
        on
            refund_days.transaction_id = paid.transaction_id
            and refund_days.category = paid.category
    where refund_days.category is not null
)

select
    customer_id,
    category,
    order_date as event_date,
    'earned' as kind,
    floor(paid_amount)::decimal(18, 4) as points
from paid
where customer_id is not null
union all
select
    customer_id,
    category,
    refund_date as event_date,
    'clawed_back' as kind,
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
where customer_id is not null
