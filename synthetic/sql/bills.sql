-- One row is a customer's telephone bill for one of the last 24 months.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
with months as (
    select
        *,
        unnest(
            generate_series(
                greatest(
                    date_trunc('month', activated_on),
                    date_trunc('month', $until::date) - to_months(23)
                )::timestamp,
                date_trunc('month', least($until::date, leaves_on))::timestamp,
                to_months(1)
            )
        )::date as bill_month
    from subscribers($seed, $customers, $since::date, $until::date)
),

keyed as (
    select
        *,
        draw(
            key, 3000 + 12 * year(bill_month)::ubigint + month(bill_month)::ubigint
        ) as bill_key
    from months
),

flawed as (
    select
        *,
        flaw_of(
            bill_key,
            ['duplicate', 'duplicate', 'not_a_number', 'not_a_date']
        ) as flaw
    from keyed
)

select
    customer_id,
    bill_month,
    -- A fifth more or less; holidays cost more.
    money(
        least(monthly_cents, 150000)
        * (
            80
            + draw_below(bill_key, 1, 41)
            + case when month(bill_month) in (1, 2, 7, 8) then 10 else 0 end
        )
        // 100
    ) as amount,
    flaw,
    case flaw
        when 'not_a_number' then 'amount'
        when 'not_a_date' then 'bill_month'
    end as flaw_column,
    case flaw
        when 'not_a_number' then 'see attachment'
        when 'not_a_date' then strftime(bill_month, '%Y-13')
    end as flaw_text
from flawed
