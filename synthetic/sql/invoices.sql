-- One row is an invoice to a company in the last 24 months.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
with months as (
    select
        *,
        -- Most pay in time.
        pick(key, 260, [100, 100, 100, 100, 100, 100, 1200, 1200, 1200, 4500])
            as late_in_10000,
        unnest(numbers_below(24)) as months_ago
    from customer_traits($seed, $customers, $since::date, $until::date)
    where is_organization and not is_prospect
),

keyed as (
    select
        *,
        draw(key, 7000 + months_ago::ubigint) as invoice_key
    from months
),

issued as (
    select
        *,
        day_between(invoice_key, 2, month_on, last_day(month_on)) as issued_on
    from (
        select
            *,
            (date_trunc('month', $until::date) - to_months(months_ago::integer))::date
                as month_on
        from keyed
    ) as placed
    where chance(invoice_key, 1, 4000)
),

settled as (
    select
        *,
        case
            when chance(invoice_key, 3, late_in_10000)
                then issued_on + 31 + draw_below(invoice_key, 4, 70)::integer
            else issued_on + 3 + draw_below(invoice_key, 4, 27)::integer
        end as paid_on,
        flaw_of(
            invoice_key,
            ['duplicate', 'not_a_date', 'not_a_number', 'required_missing']
        ) as flaw
    from issued
    where issued_on between joined_on and least($until::date, leaves_on)
)

select
    'I-' || (100000 + 32 * customer_no + months_ago) as invoice_id,
    customer_id,
    issued_on,
    issued_on + 30 as due_on,
    case when paid_on <= $until::date then paid_on end as paid_on,
    money(skewed(invoice_key, 5, 30000)) as amount,
    flaw,
    case flaw
        when 'not_a_date' then 'due_on'
        when 'not_a_number' then 'amount'
        when 'required_missing' then 'invoice_id'
    end as flaw_column,
    case flaw
        when 'not_a_date' then impossible(issued_on)
        when 'not_a_number' then '1 200,-'
    end as flaw_text
from settled
