-- What a mapping with `join` does, written by hand: the lines of orders with the columns
-- of their order, typed, each with its number; rejected ones apart, with their reason
-- and text; repeated ones found; those without an order counted.
-- Reads: lines and orders, variables of the session with the paths of two CSV files.
create table joined as
with orders as (
    select
        trim(order_id) as order_id,
        first(customer) as customer,
        first(day) as day,
        first(channel) as channel,
        min(hash(customer, day, channel)) != max(hash(customer, day, channel))
            as is_ambiguous
    from read_csv(getvariable('orders'), all_varchar = true, header = true)
    group by all
),

lines as (
    select
        *,
        row_number() over () as _line_no
    from read_csv(
        getvariable('lines'),
        all_varchar = true, header = true, store_rejects = true
    )
),

typed as (
    select
        lines._line_no,
        lines.order_id as transaction_id,
        lines.line_no,
        orders.customer as customer_id,
        try_cast(orders.day as timestamptz) as occurred_at,
        try_cast(lines.amount as decimal(18, 2)) as total,
        lines.sku as product_id,
        lines.qty,
        try_cast(lines.qty as decimal(18, 4)) as quantity,
        orders.channel,
        orders.order_id is null as is_unmatched,
        orders.is_ambiguous,
        lines.amount,
        lines.aisle,
        lines.remark
    from lines
    left join orders on trim(lines.order_id) = orders.order_id
),

checked as (
    select
        *,
        case
            when is_ambiguous then 'joined_twice'
            when trim(transaction_id) = '' or transaction_id is null
                then 'transaction_id'
            when occurred_at is null then 'occurred_at'
            when total is null or abs(total) >= 10000000000000 then 'amount'
            when qty is not null and quantity is null then 'quantity'
        end as failed
    from typed
)

select
    transaction_id,
    line_no,
    customer_id,
    occurred_at,
    cast(occurred_at as date) as occurred_date,
    total as amount,
    cast(null as varchar) as kind,
    cast(null as varchar) as status,
    cast(null as varchar) as original_transaction_id,
    product_id,
    cast(null as varchar) as category,
    quantity,
    cast(null as decimal(18, 4)) as unit_price,
    cast(null as decimal(18, 2)) as cost_amount,
    cast(null as decimal(18, 2)) as discount_amount,
    cast(null as boolean) as is_service_sale,
    cast(null as varchar) as currency,
    channel,
    cast(null as varchar) as store_id,
    1 as _file_id,
    _line_no,
    is_unmatched,
    failed,
    case when failed is not null then
        concat_ws(
            ',', transaction_id, line_no, product_id, qty, amount, aisle, remark
        )
    end as raw_text
from checked;

create table rejected as
select
    _line_no,
    failed,
    raw_text
from joined
where failed is not null;

create table counts as
select
    count(*) as n_read,
    count(failed) as n_rejected,
    0 as n_skipped,
    count(*) filter (where is_unmatched) as n_unmatched
from joined;

delete from joined where failed is not null;
alter table joined drop column failed;
alter table joined drop column raw_text;
alter table joined drop column is_unmatched;

create table duplicates as
with repeated as (
    select hash(transaction_id, line_no) as h
    from joined
    group by h
    having count(*) > 1
)

select _line_no
from joined
where hash(transaction_id, line_no) in (select h from repeated)
qualify row_number() over (
    partition by transaction_id, line_no order by _line_no
) > 1;

create table disagreeing as
select hash(transaction_id) as h
from joined
where customer_id is not null
group by h
having min(hash(customer_id)) != max(hash(customer_id));
