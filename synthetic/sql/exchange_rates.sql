-- One row is the rate of a currency from a Monday on.
-- Params: seed (integer); since, until (dates): the time that orders span.
with weeks as (
    select
        unnest(
            generate_series(
                (date_trunc('week', $since::date) - to_days(28))::timestamp,
                $until::date::timestamp,
                to_days(7)
            )
        )::date as rate_date
),

rates as (
    select
        weeks.rate_date,
        currencies.currency,
        currencies.ten_thousandths,
        currencies.currency_no,
        (weeks.rate_date - date '2000-01-01')::ubigint as day_no
    from weeks
    cross join (
        values
        (1::ubigint, 'EUR', 78200), (2::ubigint, 'GBP', 91300),
        (3::ubigint, 'USD', 71800), (4::ubigint, 'HKD', 9200)
    ) as currencies (currency_no, currency, ten_thousandths)
),

keyed as (
    select
        *,
        draw(draw($seed, 400 + currency_no), day_no) as rate_key
    from rates
),

flawed as (
    select
        *,
        flaw_of(
            rate_key, ['duplicate', 'not_a_date', 'not_a_number', 'out_of_range']
        ) as flaw
    from keyed
)

select
    currency,
    rate_date,
    -- Up to two per cent around the mean.
    (
        ten_thousandths * (9800 + draw_below(rate_key, 1, 401))::integer * 0.00000001
    )::decimal(18, 8) as rate,
    flaw,
    case flaw
        when 'not_a_date' then 'rate_date'
        when 'not_a_number' then 'rate'
        when 'out_of_range' then 'rate'
    end as flaw_column,
    case flaw
        when 'not_a_date' then impossible(rate_date)
        when 'not_a_number' then 'n/a'
        when 'out_of_range' then '0'
    end as flaw_text
from flawed
order by rate_date asc, currency asc
