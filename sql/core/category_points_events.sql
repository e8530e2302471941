-- One row is the points that an order earned in a category, or a refund clawed back.
-- Reads: core.lines, core.refund_lines, core.transactions.
-- Params: as_of_date (date).
-- As core.points_events, by category: one point per whole unit of money of what was
-- paid net in the category. A refund line without a category belongs to that of its
-- order where the order has only one. Lines without a category earn nothing here.
-- The lines are read twice, and what the few refunded orders were paid is summed
-- again: to keep all lines, or the sums of all orders, takes twice as long.
with paid as (
    select
        transaction_id,
        category,
        sum(spend_amount) as paid_amount
    from core.lines
    where kind in ('sale', 'adjustment') and category is not null
    group by transaction_id, category
),

refund_lines as (
    select
        refunds.refund_date,
        refunds.category,
        refunds.refunded_amount,
        coalesce(named.transaction_id, refunds.transaction_id) as transaction_id,
        named.transaction_id is not null or same.transaction_id is not null
            as is_of_order,
        case
            when named.transaction_id is not null then named.customer_id
            when same.transaction_id is not null then same.customer_id
            else refunds.customer_id
        end as customer_id
    from core.refund_lines as refunds
    left join core.transactions as named
        on refunds.original_transaction_id = named.transaction_id
    left join core.transactions as same
        on refunds.transaction_id = same.transaction_id
    where refunds.refund_date <= $as_of_date
),

refunded_orders as (
    select
        transaction_id,
        category,
        sum(spend_amount) as paid_amount,
        bool_or(kind = 'sale') as is_sold
    from core.lines
    where
        kind in ('sale', 'adjustment')
        and transaction_id in (
            select refund_lines.transaction_id
            from refund_lines
            where refund_lines.is_of_order
        )
    group by transaction_id, category
),

only_categories as (
    select
        transaction_id,
        min(category) as category
    from refunded_orders
    where is_sold
    group by transaction_id
    having count(*) = 1
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
        refunded_orders.paid_amount,
        refund_days.refunded_amount,
        sum(refund_days.refunded_amount) over (
            partition by refund_days.transaction_id, refund_days.category
            order by refund_days.refund_date asc
        ) as refunded_so_far_amount
    from refund_days
    left join refunded_orders
        on
            refund_days.transaction_id = refunded_orders.transaction_id
            and refund_days.category = refunded_orders.category
    where refund_days.category is not null
)

select
    orders.customer_id,
    paid.category,
    orders.order_date as event_date,
    'earned' as kind,
    floor(paid.paid_amount)::decimal(18, 4) as points
from paid
inner join core.transactions as orders
    on paid.transaction_id = orders.transaction_id
where orders.customer_id is not null
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
