-- The figures of a run, as a good engineer would write them by hand for these two files
-- and four schemes: no ledger, no rejected rows, no reasons, no checks, no history.
-- `floor.py` runs it step by step. Params: transactions, customers (paths of Parquet
-- files), as_of_date (date), year_date (its 1 January), year_ago_date (12 months
-- before), <table>_file (paths to write). The catalog `release` is the file to publish.

-- step: load transactions
create table transactions as
select
    transaction_id,
    line_no,
    customer_id,
    occurred_at::timestamptz as occurred_at,
    occurred_at::date as occurred_date,
    amount::decimal(18, 2) as amount,
    kind,
    status,
    original_transaction_id,
    product_id,
    category,
    quantity::decimal(18, 4) as quantity,
    unit_price::decimal(18, 4) as unit_price,
    cost_amount::decimal(18, 2) as cost_amount,
    discount_amount::decimal(18, 2) as discount_amount,
    is_service_sale,
    channel,
    store_id
from read_parquet($transactions);

-- step: load customers
create table customers as
select
    * replace (
        registered_at::timestamptz as registered_at,
        first_contact_at::timestamptz as first_contact_at
    )
from read_parquet($customers);

-- step: prove keys
-- Equal hashes are looked at only where there are any.
create temp table suspects as
select hash(transaction_id, line_no) as key_hash
from transactions
group by key_hash
having count(*) > 1;

-- step: prove keys
select error('a line of a transaction is there twice: ' || min(transaction_id))
from transactions
where hash(transaction_id, line_no) in (select key_hash from suspects)
group by transaction_id, line_no
having count(*) > 1;

-- step: prove keys
select error('a customer is there twice: ' || customer_id)
from customers
group by customer_id
having count(*) > 1;

-- step: orders
-- What refunds and adjustments did to a transaction; few transactions have any.
create temp table changes as
select
    coalesce(
        case when kind = 'refund' then original_transaction_id end, transaction_id
    ) as transaction_id,
    occurred_date,
    min(customer_id) as customer_id,
    sum(case when kind = 'refund' then abs(amount) else 0 end) as refunded_amount,
    sum(case when kind = 'adjustment' then amount else 0 end) as adjusted_amount
from transactions
where status = 'paid' and kind != 'sale' and occurred_date <= $as_of_date
group by all;

-- step: orders
create temp table orders as
with sold as (
    select
        transaction_id,
        customer_id,
        min(occurred_date) as order_date,
        sum(amount) as sold_amount
    from transactions
    where status = 'paid' and kind = 'sale' and occurred_date <= $as_of_date
    group by transaction_id, customer_id
),

changed as (
    select
        transaction_id,
        sum(refunded_amount) as refunded_amount,
        sum(adjusted_amount) as adjusted_amount
    from changes
    group by transaction_id
)

select
    -- Only transactions that refunds refer to are looked up again.
    case when changed.refunded_amount > 0 then sold.transaction_id end
        as transaction_id,
    sold.customer_id,
    sold.order_date,
    sold.sold_amount + coalesce(changed.adjusted_amount, 0) as paid_amount,
    coalesce(changed.refunded_amount, 0) as refunded_amount,
    coalesce(changed.refunded_amount, 0) < sold.sold_amount as is_counted
from sold
left join changed
    on sold.transaction_id = changed.transaction_id
where sold.customer_id is not null and sold.sold_amount > 0;

-- step: customer metrics
create temp table order_metrics as
select
    customer_id,
    min(order_date) filter (where is_counted) as first_order_date,
    max(order_date) filter (where is_counted) as last_order_date,
    count(*) filter (where is_counted) as n_orders,
    count(*) filter (where is_counted and order_date > $year_ago_date)
        as n_orders_12m,
    sum(paid_amount - refunded_amount) filter (where is_counted) as order_amount,
    sum(floor(paid_amount)) filter (where order_date >= $year_date) as earned_points
from orders
group by customer_id;

-- step: customer metrics
create temp table clawed_back as
with running as (
    select
        changes.customer_id as refund_customer_id,
        changes.occurred_date,
        changes.refunded_amount,
        orders.customer_id as order_customer_id,
        orders.paid_amount,
        sum(changes.refunded_amount) over (
            partition by changes.transaction_id
            order by changes.occurred_date asc
        ) as refunded_so_far_amount
    from changes
    left join orders
        on changes.transaction_id = orders.transaction_id
    where changes.refunded_amount > 0
)

select
    coalesce(order_customer_id, refund_customer_id) as customer_id,
    sum(
        case
            when order_customer_id is null
                then
                    floor(refunded_so_far_amount - refunded_amount)
                    - floor(refunded_so_far_amount)
            else
                floor(paid_amount - refunded_so_far_amount)
                - floor(paid_amount - refunded_so_far_amount + refunded_amount)
        end
    ) as points
from running
where
    occurred_date >= $year_date
    and coalesce(order_customer_id, refund_customer_id) is not null
group by coalesce(order_customer_id, refund_customer_id);

-- step: customer metrics
create temp table spend_metrics as
with lines as (
    select
        customer_id,
        occurred_date > $year_ago_date as is_recent,
        case when kind = 'refund' then -abs(amount) else amount end as spend_amount,
        case when kind = 'refund' then -abs(cost_amount) else cost_amount end
            as cost_amount
    from transactions
    where
        status = 'paid'
        and customer_id is not null
        and occurred_date <= $as_of_date
)

select
    customer_id,
    sum(spend_amount) as spend_amount,
    sum(spend_amount) filter (where is_recent) as spend_12m_amount,
    sum(cost_amount) filter (where is_recent) as known_cost_12m_amount,
    sum(spend_amount) filter (where is_recent and cost_amount is not null)
        as costed_spend_12m_amount
from lines
group by customer_id;

-- step: customer metrics
create temp table category_metrics as
select
    customer_id,
    count(*) as n_categories_12m
from (
    select distinct
        customer_id,
        category
    from transactions
    where
        status = 'paid'
        and kind = 'sale'
        and customer_id is not null
        and category is not null
        and occurred_date > $year_ago_date
        and occurred_date <= $as_of_date
) as bought
group by customer_id;

-- step: customer metrics
create table release.customer_metrics as
with known as (
    select customer_id
    from customers
    where coalesce(least(registered_at, first_contact_at)::date, $as_of_date)
        <= $as_of_date
    union
    select customer_id
    from spend_metrics
)

select
    known.customer_id,
    $as_of_date as as_of_date,
    orders.first_order_date,
    orders.last_order_date,
    $as_of_date - orders.last_order_date as recency_days,
    coalesce(orders.n_orders, 0) as n_orders,
    coalesce(orders.n_orders_12m, 0) as n_orders_12m,
    coalesce(spend.spend_amount, 0)::decimal(18, 2) as spend_amount,
    coalesce(spend.spend_12m_amount, 0)::decimal(18, 2) as spend_12m_amount,
    case
        when
            coalesce(spend.spend_12m_amount, 0) >= 0
            and coalesce(spend.costed_spend_12m_amount, 0)
            >= 0.95 * coalesce(spend.spend_12m_amount, 0)
            or spend.spend_12m_amount < 0
            and coalesce(spend.costed_spend_12m_amount, 0)
            <= 0.95 * spend.spend_12m_amount
            then coalesce(spend.spend_12m_amount, 0)
                - coalesce(spend.known_cost_12m_amount, 0)
    end::decimal(18, 2) as margin_12m_amount,
    case
        when orders.n_orders > 0
            then
                ((orders.order_amount * 100)::hugeint * 2 + orders.n_orders)
                // (2 * orders.n_orders)
                * 0.01
    end::decimal(18, 2) as avg_order_amount,
    coalesce(categories.n_categories_12m, 0) as n_categories_12m,
    date_diff('month', orders.first_order_date, $as_of_date)
    - (
        orders.first_order_date
        + to_months(
            date_diff('month', orders.first_order_date, $as_of_date)::integer
        )
        > $as_of_date
    )::integer as tenure_months,
    (coalesce(orders.earned_points, 0) + coalesce(clawed_back.points, 0))
        ::decimal(18, 4) as points_this_year
from known
left join order_metrics as orders
    on known.customer_id = orders.customer_id
left join spend_metrics as spend
    on known.customer_id = spend.customer_id
left join category_metrics as categories
    on known.customer_id = categories.customer_id
left join clawed_back
    on known.customer_id = clawed_back.customer_id;

-- step: rfm
create table release.rfm_cuts as
with axes as (
    unpivot (
        select
            recency_days::decimal(18, 2) as recency,
            n_orders_12m::decimal(18, 2) as frequency,
            spend_12m_amount as monetary
        from release.customer_metrics
        where n_orders_12m > 0
    )
    on recency, frequency, monetary
    into name axis value axis_value
)

select
    axis,
    'mean' as method,
    sum(axis_value) as axis_sum,
    count(*) as n_customers,
    quantile_disc(axis_value, [0.2, 0.4, 0.6, 0.8]) as edges
from axes
group by axis;

-- step: rfm
create table release.customer_rfm as
with cuts as (
    select
        max(n_customers) as n_customers,
        max(axis_sum) filter (where axis = 'recency') as recency_sum,
        max(axis_sum) filter (where axis = 'frequency') as frequency_sum,
        max(axis_sum) filter (where axis = 'monetary') as monetary_sum,
        any_value(edges) filter (where axis = 'recency') as recency_edges,
        any_value(edges) filter (where axis = 'frequency') as frequency_edges,
        any_value(edges) filter (where axis = 'monetary') as monetary_edges
    from release.rfm_cuts
),

scored as (
    select
        metrics.customer_id,
        metrics.as_of_date,
        metrics.recency_days,
        metrics.n_orders_12m as frequency,
        metrics.spend_12m_amount as monetary_amount,
        5
        - (metrics.recency_days > cuts.recency_edges[1])::tinyint
        - (metrics.recency_days > cuts.recency_edges[2])::tinyint
        - (metrics.recency_days > cuts.recency_edges[3])::tinyint
        - (metrics.recency_days > cuts.recency_edges[4])::tinyint as r_score,
        1
        + (metrics.n_orders_12m > cuts.frequency_edges[1])::tinyint
        + (metrics.n_orders_12m > cuts.frequency_edges[2])::tinyint
        + (metrics.n_orders_12m > cuts.frequency_edges[3])::tinyint
        + (metrics.n_orders_12m > cuts.frequency_edges[4])::tinyint as f_score,
        1
        + (metrics.spend_12m_amount > cuts.monetary_edges[1])::tinyint
        + (metrics.spend_12m_amount > cuts.monetary_edges[2])::tinyint
        + (metrics.spend_12m_amount > cuts.monetary_edges[3])::tinyint
        + (metrics.spend_12m_amount > cuts.monetary_edges[4])::tinyint as m_score,
        metrics.recency_days * cuts.n_customers <= cuts.recency_sum as is_recent,
        metrics.n_orders_12m * cuts.n_customers >= cuts.frequency_sum
            as is_frequent,
        metrics.spend_12m_amount * cuts.n_customers >= cuts.monetary_sum
            as is_big_spender
    from release.customer_metrics as metrics
    cross join cuts
    where metrics.n_orders_12m > 0
)

select
    *,
    case when is_big_spender then 'important_' else 'general_' end
    || case
        when is_recent and is_frequent then 'value'
        when is_frequent then 'keep'
        when is_recent then 'develop'
        else 'retain'
    end as segment
from scored;

-- step: tiers
create table release.customer_tiers as
with ranked as (
    select
        metrics.customer_id,
        metrics.n_orders,
        metrics.n_orders_12m,
        metrics.spend_12m_amount,
        metrics.points_this_year,
        coalesce(customers.is_member, true) as is_member,
        rfm.segment,
        (select max(n_customers) from release.rfm_cuts) as n_customers,
        -- Equal values share the better side.
        rank() over (
            order by
                case when metrics.n_orders_12m > 0 then metrics.spend_12m_amount end
                desc nulls last
        ) as place
    from release.customer_metrics as metrics
    left join customers
        on metrics.customer_id = customers.customer_id
    left join release.customer_rfm as rfm
        on metrics.customer_id = rfm.customer_id
)

select
    customer_id,
    coalesce(segment, 'unrated') as rfm_8,
    case
        when not is_member then null
        when points_this_year >= 5000 then 'D'
        when points_this_year >= 3000 then 'C'
        when points_this_year >= 1000 then 'B'
        else 'A'
    end as annual_points,
    case
        when n_orders_12m = 0 then null
        when place <= (n_customers + 99) // 100 then 'platinum'
        when place <= (5 * n_customers + 99) // 100 then 'gold'
        when place <= (20 * n_customers + 99) // 100 then 'iron'
        else 'lead'
    end as value_pyramid,
    case
        when
            n_orders >= 10
            or (n_orders_12m > 0 and place <= (n_customers + 99) // 100)
            then 'super'
        when n_orders >= 2 then 'repeat'
        when n_orders = 1 then 'first_purchase'
        else 'new'
    end as ecommerce_ladder
from ranked;

-- step: write files
create table release.customers as
select
    customers.* exclude (
        customer_name, phone, email, region, city, birth_date, registered_at,
        first_contact_at
    ),
    customers.registered_at::date as registered_date,
    customers.first_contact_at::date as first_contact_date,
    metrics.n_orders_12m > 0 as is_active,
    10 * (date_diff('year', customers.birth_date, $as_of_date) // 10) as age_band
from customers
inner join release.customer_metrics as metrics
    on customers.customer_id = metrics.customer_id;

-- step: write files
copy release.customer_metrics to $customer_metrics_file (format parquet);

-- step: write files
copy release.customer_rfm to $customer_rfm_file (format parquet);

-- step: write files
copy release.rfm_cuts to $rfm_cuts_file (format parquet);

-- step: write files
copy release.customer_tiers to $customer_tiers_file (format parquet);

-- step: write files
copy release.customers to $customers_file (format parquet);
