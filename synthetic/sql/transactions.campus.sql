-- One row is a purchase in the campus shop: young people who came lately buy little,
-- often, and of two categories only.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
with numbered as (
    select
        *,
        unnest(numbers_below(9 + draw_below(key, 371, 16)))::ubigint as order_no
    from customer_traits($seed, $customers, $since::date, $until::date)
    where
        kind in ('person', 'employee', 'household_member')
        and not is_prospect
        and age_of(key) < 25
        and joined_on between $until::date - 200 and $until::date - 20
        and leaves_on > $until::date
        and chance(key, 370, 9000)
),

keyed as (
    select
        *,
        draw(key, 19000 + order_no) as order_key
    from numbered
),

priced as (
    select
        *,
        time_on(order_key, 1, day_between(order_key, 2, joined_on, $until::date))
            as occurred_at,
        -- Some are more frugal than others.
        (3 + draw_below(key, 372, 12) + draw_below(order_key, 3, 6)) * 100 + 90
            as price_cents,
        flaw_of(order_key, ['duplicate', 'late', 'not_a_date', 'not_a_number'])
            as flaw
    from keyed
)

select
    'U-' || (100000 + 32 * customer_no + order_no) as transaction_id,
    '1' as line_no,
    customer_id,
    occurred_at,
    money(price_cents) as amount,
    category_of(pick(order_key, 4, [1, 1, 1, 0])) as category,
    1 as quantity,
    money(price_cents) as unit_price,
    money(price_cents * 55 // 100) as cost_amount,
    'shop' as channel,
    'S-CAMPUS' as store_id,
    flaw,
    case flaw
        when 'not_a_date' then 'occurred_at'
        when 'not_a_number' then 'amount'
    end as flaw_column,
    case flaw
        when 'not_a_date' then impossible(occurred_at)
        when 'not_a_number' then 'free'
    end as flaw_text
from priced
order by occurred_at asc, transaction_id asc
