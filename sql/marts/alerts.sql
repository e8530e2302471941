-- One row is a thing that somebody must know: what, of whom, and the query behind it.
-- Reads, in the release itself: main.customer_tiers, main.customer_metrics,
-- main.sla_attainment, main.callbacks, main.service_tickets, main.reservation_priority,
-- main.points_ledger, main.feed_reconciliation, main.tier_migrations, main.schemes,
-- main.scheme_tiers.
-- Params: as_of_date (date), most_subjects (integer), rejected_share (decimal),
-- rejected_rows (integer), moved_share (decimal), moved_customers (integer).
-- Of each kind the first most_subjects are shown; n_of_kind says how many there are.
with named as (
    select
        scheme,
        tier,
        name_en,
        name_zh
    from main.scheme_tiers
    where scheme in ('size_class', 'service_level')
),

-- The long view is planned once for both schemes.
graded as materialized (
    select
        customer_id,
        scheme,
        tier,
        previous_tier,
        movement
    from main.customer_tiers
    where scheme in ('size_class', 'dormancy')
),

key_customers as (
    select
        graded.customer_id,
        graded.tier,
        coalesce(named.name_en, graded.tier) as tier_en,
        coalesce(named.name_zh, graded.tier) as tier_zh,
        graded.previous_tier = 'key' and graded.movement = 'down' as is_downgraded,
        coalesce(metrics.spend_12m_amount, 0) as spend_12m_amount
    from graded
    left join main.customer_metrics as metrics
        on graded.customer_id = metrics.customer_id
    left join named
        on graded.scheme = named.scheme and graded.tier = named.tier
    where
        graded.scheme = 'size_class'
        and (graded.tier = 'key' or graded.previous_tier = 'key')
),

dormant as (
    select customer_id
    from graded
    where scheme = 'dormancy' and tier in ('temporary', 'permanent')
),

rejected as (
    select
        feed,
        sum(n_read) as n_read,
        sum(n_rejected) as n_rejected
    from main.feed_reconciliation
    group by feed
),

-- Customers who are new to a scheme did not move.
moved as (
    select
        scheme,
        sum(n_customers) as n_customers,
        sum(n_customers) filter (where from_tier != to_tier) as n_moved
    from main.tier_migrations
    where from_tier is not null
    group by scheme
),

restless as (
    select
        scheme,
        n_customers,
        n_moved
    from moved
    where
        n_customers >= $moved_customers
        and n_moved > $moved_share * n_customers
),

points as (
    select
        clears_next_date,
        sum(expiring_points) as expiring_points,
        count(*) filter (where expiring_points > 0) as n_customers
    from main.points_ledger
    group by clears_next_date
    having sum(expiring_points) > 0
),

conflicts as (
    select
        resource_id,
        count(*) as n_holds
    from main.reservation_priority
    where is_conflict
    group by resource_id
),

-- Tickets that are open and past the hours in which their level is to be served.
late_tickets as (
    select
        tickets.service_level,
        coalesce(min(named.name_en), tickets.service_level) as level_en,
        coalesce(min(named.name_zh), tickets.service_level) as level_zh,
        count(*) as n_tickets,
        min(tickets.opened_date) as first_date
    from main.service_tickets as tickets
    left join named
        on named.scheme = 'service_level' and tickets.service_level = named.tier
    where tickets.is_open and not tickets.is_resolution_in_time
    group by tickets.service_level
),

found as (
    select
        'key_customer_downgraded' as kind,
        'high' as severity,
        'customer' as subject_type,
        customer_id as subject_id,
        row_number() over (order by spend_12m_amount desc, customer_id asc) as place,
        format(
            'Key customer {} fell to the class {}; spend of 12 months: {:,.2f}',
            customer_id, tier_en, spend_12m_amount::double
        ) as text_en,
        format(
            '关键客户{}降为{}，近12个月消费{:,.2f}',
            customer_id, tier_zh, spend_12m_amount::double
        ) as text_zh,
        'select customer_id, tier, previous_tier, movement from customer_tiers'
        || ' where scheme = ''size_class'' and customer_id = ' as query_start,
        customer_id as query_value
    from key_customers
    where is_downgraded

    union all

    select
        'key_customer_dormant' as kind,
        'high' as severity,
        'customer' as subject_type,
        key_customers.customer_id as subject_id,
        row_number() over (
            order by
                key_customers.spend_12m_amount desc,
                key_customers.customer_id asc
        ) as place,
        format(
            'Key customer {} is dormant; spend of 12 months: {:,.2f}',
            key_customers.customer_id, key_customers.spend_12m_amount::double
        ) as text_en,
        format(
            '关键客户{}已沉睡，近12个月消费{:,.2f}',
            key_customers.customer_id, key_customers.spend_12m_amount::double
        ) as text_zh,
        'select customer_id, tier, reason_code from customer_tiers'
        || ' where scheme = ''dormancy'' and customer_id = ' as query_start,
        key_customers.customer_id as query_value
    from key_customers
    inner join dormant
        on key_customers.customer_id = dormant.customer_id
    where key_customers.tier = 'key'

    union all

    select
        'goal_missed' as kind,
        'medium' as severity,
        'service_level' as subject_type,
        missed.service_level as subject_id,
        row_number() over (order by missed.service_level asc) as place,
        format(
            'Calls answered in time, level {}: {:.1f} %, the goal is {:.0f} %',
            coalesce(named.name_en, missed.service_level),
            100 * missed.attainment_ratio::double,
            100 * missed.goal_ratio::double
        ) as text_en,
        format(
            '“{}”服务级别接通率{:.1f}%，未达到目标{:.0f}%',
            coalesce(named.name_zh, missed.service_level),
            100 * missed.attainment_ratio::double,
            100 * missed.goal_ratio::double
        ) as text_zh,
        'select * from sla_attainment where not is_met'
        || format(' and call_date = date ''{}''', $as_of_date::date)
        || ' and service_level = ' as query_start,
        missed.service_level as query_value
    from main.sla_attainment as missed
    left join named
        on named.scheme = 'service_level' and missed.service_level = named.tier
    where not missed.is_met and missed.call_date = $as_of_date

    union all

    select
        'callback_overdue' as kind,
        'high' as severity,
        'call' as subject_type,
        call_id as subject_id,
        row_number() over (order by due_at asc, call_id asc) as place,
        format(
            'Customer {} waits to be called back; the call was due {}',
            customer_id, strftime(due_at, '%Y-%m-%d %H:%M')
        ) as text_en,
        format(
            '客户{}待回访，应于{}前完成', customer_id, strftime(due_at, '%Y-%m-%d %H:%M')
        ) as text_zh,
        'select * from callbacks where call_id = ' as query_start,
        call_id as query_value
    from main.callbacks
    where status = 'overdue'

    union all

    select
        'tickets_past_goal' as kind,
        'medium' as severity,
        'service_level' as subject_type,
        service_level as subject_id,
        row_number() over (order by service_level asc) as place,
        format(
            'Open tickets past the hours of their level, {}: {:,}; the oldest is of {}',
            level_en, n_tickets, first_date::varchar
        ) as text_en,
        format(
            '“{}”服务级别有{:,}件未结工单超出时限，最早提交于{}',
            level_zh, n_tickets, first_date::varchar
        ) as text_zh,
        'select * from service_tickets where is_open and not is_resolution_in_time'
        || ' and service_level = ' as query_start,
        service_level as query_value
    from late_tickets

    union all

    select
        'reservations_in_conflict' as kind,
        'high' as severity,
        'resource' as subject_type,
        resource_id as subject_id,
        row_number() over (order by n_holds desc, resource_id asc) as place,
        format('Resource {} is held {} times at once', resource_id, n_holds)
            as text_en,
        format('资源{}被同时占用{}次', resource_id, n_holds) as text_zh,
        'select * from reservation_priority where is_conflict and resource_id = '
            as query_start,
        resource_id as query_value
    from conflicts

    union all

    select
        'points_expiring' as kind,
        'low' as severity,
        'date' as subject_type,
        clears_next_date::varchar as subject_id,
        row_number() over (order by clears_next_date asc) as place,
        format(
            'On {} points of {:,} customers lapse: {:,}',
            clears_next_date::varchar,
            n_customers,
            floor(expiring_points)::bigint
        ) as text_en,
        format(
            '{}将有{:,}名客户的{:,}积分清零',
            clears_next_date::varchar,
            n_customers,
            floor(expiring_points)::bigint
        ) as text_zh,
        'select clears_next_date, sum(expiring_points) from points_ledger'
        || ' where expiring_points > 0 group by all having'
        || ' clears_next_date = ' as query_start,
        clears_next_date::varchar as query_value
    from points

    union all

    select
        'rejected_rows' as kind,
        'medium' as severity,
        'feed' as subject_type,
        feed as subject_id,
        row_number() over (order by feed asc) as place,
        format(
            'Of {:,} rows of {} {:,} were rejected',
            n_read::bigint, feed, n_rejected::bigint
        ) as text_en,
        format(
            '{}共读取{:,}行，其中{:,}行被拒绝',
            feed, n_read::bigint, n_rejected::bigint
        ) as text_zh,
        'select feed, sum(n_read), sum(n_rejected) from feed_reconciliation'
        || ' group by all having feed = ' as query_start,
        feed as query_value
    from rejected
    where
        n_read >= $rejected_rows
        and n_rejected > $rejected_share * n_read

    union all

    select
        'distribution_moved' as kind,
        'medium' as severity,
        'scheme' as subject_type,
        restless.scheme as subject_id,
        row_number() over (order by restless.scheme asc) as place,
        format(
            '{}: {:,} of {:,} customers changed their tier',
            schemes.name_en, restless.n_moved::bigint, restless.n_customers::bigint
        ) as text_en,
        format(
            '{}：{:,}名客户中有{:,}名等级变动',
            schemes.name_zh, restless.n_customers::bigint, restless.n_moved::bigint
        ) as text_zh,
        'select * from tier_migrations where from_tier != to_tier and scheme = '
            as query_start,
        restless.scheme as query_value
    from restless
    inner join main.schemes as schemes
        on restless.scheme = schemes.scheme
),

counted as (
    select
        *,
        count(*) over (partition by kind) as n_of_kind
    from found
)

select
    kind || ':' || subject_id as alert_id,
    kind,
    severity,
    subject_type,
    subject_id,
    text_en,
    text_zh,
    query_start || '''' || replace(query_value, '''', '''''') || '''' as query,
    n_of_kind
from counted
where place <= $most_subjects
