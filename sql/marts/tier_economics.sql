-- One row is a scheme × tier: what its customers bring and cost over 12 months.
-- Reads: marts.tier_sums.
-- Params: known_spend_ratio (decimal).
-- Quotients are rounded half away from zero in whole cents or millionths: dividing
-- decimals would go through floating point.
with known as (
    select
        scheme,
        tier,
        n_customers,
        spend_12m_amount,
        service_cost_12m_amount,
        n_tickets_12m,
        n_calls_12m,
        case
            when
                -- Of a spend below zero a share is at or below it.
                spend_12m_amount >= 0
                and margin_known_spend_amount >= $known_spend_ratio * spend_12m_amount
                or spend_12m_amount < 0
                and margin_known_spend_amount <= $known_spend_ratio * spend_12m_amount
                then margin_12m_amount
        end as margin_12m_amount
    from marts.tier_sums
),

sums as (
    select
        *,
        margin_12m_amount - service_cost_12m_amount as profit_12m_amount,
        n_customers::hugeint as divisor,
        (sum(n_customers) over of_scheme)::hugeint as all_customers,
        (100 * sum(spend_12m_amount) over of_scheme)::hugeint as all_cents
    from known
    window of_scheme as (partition by scheme)
),

whole as (
    select
        *,
        (100 * spend_12m_amount)::hugeint as spend_cents,
        (100 * profit_12m_amount)::hugeint as profit_cents,
        (100 * service_cost_12m_amount)::hugeint as cost_cents,
        case when all_cents > 0 then all_cents end as base_cents
    from sums
)

select
    scheme,
    tier,
    n_customers,
    spend_12m_amount,
    margin_12m_amount,
    service_cost_12m_amount,
    profit_12m_amount::decimal(18, 2) as profit_12m_amount,
    n_tickets_12m,
    n_calls_12m,
    (
        (2000000 * divisor + all_customers) // (2 * all_customers) * 0.000001
    )::decimal(18, 6) as customer_share_ratio,
    (
        (2000000 * spend_cents + sign(spend_cents) * base_cents)
        // (2 * base_cents) * 0.000001
    )::decimal(18, 6) as spend_share_ratio,
    (
        (2 * spend_cents + sign(spend_cents) * divisor) // (2 * divisor) * 0.01
    )::decimal(18, 2) as spend_per_customer_amount,
    (
        (2 * profit_cents + sign(profit_cents) * divisor) // (2 * divisor) * 0.01
    )::decimal(18, 2) as profit_per_customer_amount,
    (
        (2 * cost_cents + sign(cost_cents) * divisor) // (2 * divisor) * 0.01
    )::decimal(18, 2) as service_cost_per_customer_amount,
    (
        (2000000 * n_tickets_12m::hugeint + divisor) // (2 * divisor) * 0.000001
    )::decimal(18, 6) as tickets_per_customer_ratio,
    (
        (2000000 * n_calls_12m::hugeint + divisor) // (2 * divisor) * 0.000001
    )::decimal(18, 6) as calls_per_customer_ratio
from whole
