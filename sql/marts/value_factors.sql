-- One row is a customer who has bought: what grading by value looks at.
-- Reads: core.lines, core.orders, staging.customers, staging.invoices.
-- Params: as_of_date (date), known_cost_ratio, good_late_ratio, fair_late_ratio.
-- Averages and ratios are worked out in whole numbers and rounded half away from zero:
-- dividing decimals would go through floating point. A ratio of a trillion is null.
with spend as (
    select
        customer_id,
        sum(spend_amount) as spend_amount,
        sum(cost_amount) as known_cost_amount,
        sum(spend_amount) filter (where cost_amount is not null)
            as costed_spend_amount,
        coalesce(
            sum(spend_amount) filter (
                where line_date > ($as_of_date - to_months(12))::date
            ),
            0
        ) as spend_12m_amount,
        coalesce(
            sum(spend_amount) filter (
                where line_date <= ($as_of_date - to_months(12))::date
                and line_date > ($as_of_date - to_months(24))::date
            ),
            0
        ) as spend_previous_12m_amount
    from core.lines
    where customer_id is not null
    group by customer_id
),

purchases as (
    select
        customer_id,
        order_date as purchase_date
    from core.orders
    union all
    select
        customer_id,
        line_date as purchase_date
    from core.lines
    where kind = 'bill'
),

periods as (
    select
        customer_id,
        datediff('year', min(purchase_date), $as_of_date) + 1 as n_years,
        datediff('quarter', min(purchase_date), $as_of_date) + 1 as n_quarters,
        datediff('month', min(purchase_date), $as_of_date) + 1 as n_months
    from purchases
    group by customer_id
),

invoices as (
    select
        customer_id,
        count(*) as n_invoices,
        count(*) filter (
            where coalesce(paid_on, $as_of_date) > due_on
        ) as n_late_invoices
    from staging.invoices
    group by customer_id
),

credit as (
    select
        customer_id,
        case
            when n_late_invoices <= $good_late_ratio * n_invoices then 'good'
            when n_late_invoices <= $fair_late_ratio * n_invoices then 'fair'
            else 'poor'
        end as invoice_credit
    from invoices
),

margins as (
    select
        customer_id,
        spend_amount,
        spend_12m_amount,
        spend_previous_12m_amount,
        case
            when
                spend_amount >= 0
                and costed_spend_amount >= $known_cost_ratio * spend_amount
                or spend_amount < 0
                and costed_spend_amount <= $known_cost_ratio * spend_amount
                then spend_amount - known_cost_amount
        end as margin_amount
    from spend
),

-- Money as whole cents; the divisors of ratios are null unless above zero.
whole as (
    select
        margins.customer_id,
        margins.spend_amount,
        margins.margin_amount,
        periods.n_years::hugeint as n_years,
        periods.n_quarters::hugeint as n_quarters,
        periods.n_months::hugeint as n_months,
        (100 * margins.spend_amount)::hugeint as spend_cents,
        (100 * margins.margin_amount)::hugeint as margin_cents,
        (
            100 * (margins.spend_12m_amount - margins.spend_previous_12m_amount)
        )::hugeint as growth_cents,
        case
            when margins.spend_amount > 0
                then (100 * margins.spend_amount)::hugeint
        end as margin_base_cents,
        case
            when margins.spend_previous_12m_amount > 0
                then (100 * margins.spend_previous_12m_amount)::hugeint
        end as growth_base_cents
    from margins
    inner join periods
        on margins.customer_id = periods.customer_id
)

select
    whole.customer_id,
    whole.spend_amount::decimal(18, 2) as spend_amount,
    (
        (2 * whole.spend_cents + sign(whole.spend_cents) * whole.n_years)
        // (2 * whole.n_years) * 0.01
    )::decimal(18, 2) as spend_per_year_amount,
    (
        (2 * whole.spend_cents + sign(whole.spend_cents) * whole.n_quarters)
        // (2 * whole.n_quarters) * 0.01
    )::decimal(18, 2) as spend_per_quarter_amount,
    (
        (2 * whole.spend_cents + sign(whole.spend_cents) * whole.n_months)
        // (2 * whole.n_months) * 0.01
    )::decimal(18, 2) as spend_per_month_amount,
    whole.margin_amount::decimal(18, 2) as margin_amount,
    try_cast(
        (
            2000000 * whole.margin_cents
            + sign(whole.margin_cents) * whole.margin_base_cents
        )
        // (2 * whole.margin_base_cents) * 0.000001 as decimal(18, 6)
    ) as margin_ratio,
    try_cast(
        (
            2000000 * whole.growth_cents
            + sign(whole.growth_cents) * whole.growth_base_cents
        )
        // (2 * whole.growth_base_cents) * 0.000001 as decimal(18, 6)
    ) as growth_ratio,
    coalesce(customers.credit_status, credit.invoice_credit) as credit
from whole
left join staging.customers as customers
    on whole.customer_id = customers.customer_id
left join credit
    on whole.customer_id = credit.customer_id
