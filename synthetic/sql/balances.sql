-- One row is the balance of an account in one asset class at the end of a month, for
-- the last 15 months.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
with holders as (
    select
        customer_no,
        key,
        customer_id,
        joined_on,
        skewed(key, 250, 6000000) as wealth_cents,
        -- One in ten has three kinds of assets, two in ten have two.
        case
            when draw_below(key, 250, 10) = 0 then [0, 1, 2 + draw_below(key, 252, 4)]
            when draw_below(key, 250, 10) <= 2 then [0, 1 + draw_below(key, 252, 5)]
            else [0]
        end as class_nos
    from customer_traits($seed, $customers, $since::date, $until::date)
    where not is_prospect and leaves_on > $until::date and chance(key, 251, 2500)
),

accounts as (
    select
        *,
        unnest(class_nos)::integer as class_no
    from holders
),

held as (
    select
        *,
        draw(key, 6000 + class_no::ubigint) as account_key
    from accounts
),

months as (
    select
        *,
        unnest(numbers_below(15)) as months_ago
    from held
),

dated as (
    select
        *,
        draw(account_key, 100 + months_ago::ubigint) as balance_key,
        case
            when months_ago = 0 then $until::date
            else last_day($until::date - to_months(months_ago::integer))
        end as balance_date
    from months
),

flawed as (
    select
        *,
        flaw_of(
            balance_key,
            ['duplicate', 'duplicate', 'not_a_date', 'not_in_list', 'not_a_number']
        ) as flaw
    from dated
    where balance_date >= joined_on
)

select
    customer_id,
    'A-' || (100000 + customer_no) as account_id,
    balance_date,
    ['deposit', 'wealth', 'fund', 'metal', 'insurance', 'securities'][class_no + 1]
        as asset_class,
    -- Some accounts are overdrawn now and then.
    money(
        case
            when class_no = 0 and chance(balance_key, 1, 100)
                then -least(wealth_cents // 10, 500000)
            else
                wealth_cents
                * (70 + draw_below(balance_key, 2, 31))
                // (100 * len(class_nos))
        end
    ) as balance_amount,
    case when class_no > 0 and chance(account_key, 3, 1500) then 'USD' else 'CNY' end
        as currency,
    flaw,
    case flaw
        when 'not_a_date' then 'balance_date'
        when 'not_in_list' then 'asset_class'
        when 'not_a_number' then 'balance_amount'
    end as flaw_column,
    case flaw
        when 'not_a_date' then impossible(balance_date)
        when 'not_in_list' then 'gold bars'
        when 'not_a_number' then '#REF!'
    end as flaw_text
from flawed
