-- One row is a redemption of points.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
with numbered as (
    select
        *,
        unnest(
            numbers_below(least(draw_below(key, 271, 4), draw_below(key, 272, 4)))
        )::ubigint
            as redemption_no
    from customer_traits($seed, $customers, $since::date, $until::date)
    where not is_prospect and chance(key, 270, 6500)
),

keyed as (
    select
        *,
        draw(key, 8000 + redemption_no) as redemption_key
    from numbered
),

dated as (
    select
        *,
        time_on(
            redemption_key,
            2,
            day_between(
                redemption_key,
                1,
                greatest(joined_on + 60, $until::date - 500),
                least($until::date, leaves_on)
            )
        ) as redeemed_at,
        flaw_of(
            redemption_key,
            ['duplicate', 'late', 'not_a_number', 'required_missing']
        ) as flaw
    from keyed
)

select
    'G-' || (100000 + 4 * customer_no + redemption_no) as redemption_id,
    customer_id,
    redeemed_at,
    -- Whoever buys more has more to spend.
    100 * least(50, 1 + pace * (1 + draw_below(redemption_key, 3, 3)) // 1000)::integer
        as points,
    pick(
        redemption_key,
        4,
        ['umbrella', 'mug', '代金券', '保温杯', 'voucher', 'tea set', '充电宝', '雨伞']
    ) as gift,
    flaw,
    case flaw
        when 'not_a_number' then 'points'
        when 'required_missing' then 'customer_id'
    end as flaw_column,
    case flaw when 'not_a_number' then 'many' end as flaw_text
from dated
-- In the first months of a year there is little to spend.
where
    month(redeemed_at) >= 3
    and redeemed_at::date between joined_on and least($until::date, leaves_on)
