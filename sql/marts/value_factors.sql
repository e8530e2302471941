-- One row is a customer who has bought: what grading by value looks at.
-- Reads: core.customer_metrics, staging.bills, staging.customers, staging.invoices.
-- Params: as_of_date (date), spend_source ('transactions', 'bills' or 'both'),
-- good_late_ratio, fair_late_ratio.
-- Averages and ratios are worked out in whole numbers and rounded half away from zero:
-- dividing decimals would go through floating point. A ratio of a trillion is null.
with first_bills as (
    select
        customer_id,
        min(bill_month) as first_bill_date
    from staging.bills
    where $spend_source in ('bills', 'both')
    group by customer_id
),

factors as (
    select
        metrics.customer_id,
        metrics.spend_amount,
        metrics.margin_amount,
        least(metrics.first_order_date, first_bills.first_bill_date)
            as first_purchase_date,
        (100 * metrics.spend_amount)::hugeint as spend_cents,
        (100 * metrics.margin_amount)::hugeint as margin_cents,
        (100 * metrics.spend_12m_amount)::hugeint as spend_12m_cents,
        (100 * metrics.spend_previous_12m_amount)::hugeint
            as spend_previous_12m_cents
    from core.customer_metrics as metrics
    left join first_bills
        on metrics.customer_id = first_bills.customer_id
),

-- The divisors of ratios are null unless above zero.
existing as (
    select
        customer_id,
        spend_amount,
        margin_amount,
        spend_cents,
        margin_cents,
        case when spend_cents > 0 then spend_cents end as margin_base_cents,
        spend_12m_cents - spend_previous_12m_cents as growth_cents,
        case when spend_previous_12m_cents > 0 then spend_previous_12m_cents end
            as growth_base_cents,
        datediff('year', first_purchase_date, $as_of_date) + 1 as n_years,
        datediff('quarter', first_purchase_date, $as_of_date) + 1 as n_quarters,
        datediff('month', first_purchase_date, $as_of_date) + 1 as n_months
    from factors
    where first_purchase_date is not null
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
)

select
    existing.customer_id,
    existing.spend_amount,
    (
        (2 * existing.spend_cents + sign(existing.spend_cents) * existing.n_years)
        // (2 * existing.n_years) * 0.01
    )::decimal(18, 2) as spend_per_year_amount,
    (
        (2 * existing.spend_cents + sign(existing.spend_cents) * existing.n_quarters)
        // (2 * existing.n_quarters) * 0.01
    )::decimal(18, 2) as spend_per_quarter_amount,
    (
        (2 * existing.spend_cents + sign(existing.spend_cents) * existing.n_months)
        // (2 * existing.n_months) * 0.01
    )::decimal(18, 2) as spend_per_month_amount,
    existing.margin_amount,
    try_cast(
        (
            2000000 * existing.margin_cents
            + sign(existing.margin_cents) * existing.margin_base_cents
        )
        // (2 * existing.margin_base_cents) * 0.000001 as decimal(18, 6)
    ) as margin_ratio,
    try_cast(
        (
            2000000 * existing.growth_cents
            + sign(existing.growth_cents) * existing.growth_base_cents
        )
        // (2 * existing.growth_base_cents) * 0.000001 as decimal(18, 6)
    ) as growth_ratio,
    coalesce(customers.credit_status, credit.invoice_credit) as credit
from existing
left join staging.customers as customers
    on existing.customer_id = customers.customer_id
left join credit
    on existing.customer_id = credit.customer_id
