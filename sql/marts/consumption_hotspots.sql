-- One row is a customer and one of the categories that it spends most on.
-- Reads: core.lines, core.customer_metrics.
-- Params: as_of_date (date), n_hotspots (integer).
-- Of categories with equal spend the first by name stands before the others.
with spend as (
    select
        customer_id,
        category,
        sum(spend_amount) as category_amount
    from core.lines
    where
        customer_id is not null
        and category is not null
        and line_date > ($as_of_date - to_months(12))::date
    group by customer_id, category
    having sum(spend_amount) > 0
),

ranked as (
    select
        customer_id,
        category,
        category_amount,
        row_number() over (
            partition by customer_id
            order by category_amount desc, category asc
        ) as hotspot_rank
    from spend
),

leaders as (
    select
        customer_id,
        category,
        category_amount,
        hotspot_rank
    from ranked
    where hotspot_rank <= $n_hotspots
),

hotspots as (
    select
        leaders.customer_id,
        leaders.category,
        leaders.hotspot_rank,
        leaders.category_amount as spend_12m_amount,
        (100 * leaders.category_amount)::hugeint as category_cents,
        case
            when metrics.spend_12m_amount > 0
                then (100 * metrics.spend_12m_amount)::hugeint
        end as total_cents
    from leaders
    left join core.customer_metrics as metrics
        on leaders.customer_id = metrics.customer_id
)

select
    customer_id,
    category,
    hotspot_rank::integer as hotspot_rank,
    spend_12m_amount::decimal(18, 2) as spend_12m_amount,
    case
        when category_cents >= total_cents then 1
        else (2000000 * category_cents + total_cents) // (2 * total_cents) * 0.000001
    end::decimal(18, 6) as share_ratio
from hotspots
