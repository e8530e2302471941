-- One row is a line of a sale or refund of the web shop abroad, in its own currency.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
-- Some transactions are made up to be rejected: two customers in one, or a currency
-- without a rate.
with numbered as (
    select
        *,
        unnest(
            numbers_below(least(draw_below(key, 360, 7), draw_below(key, 361, 7)))
        )::ubigint as order_no
    from customer_traits($seed, $customers, $since::date, $until::date)
    where region >= 7 and not is_prospect
),

keyed as (
    select
        *,
        draw(key, 18000 + order_no) as order_key
    from numbered
),

ordered as (
    select
        *,
        time_on(
            order_key,
            1,
            day_between(
                order_key,
                2,
                greatest(joined_on, $since::date),
                least($until::date, leaves_on)
            )
        ) as ordered_at,
        draw_below(order_key, 3, 12)::integer as category_no,
        draw_below(order_key, 4, 50)::integer as product_no,
        1 + draw_below(order_key, 5, 3)::integer as pieces,
        unnest(
            case
                when chance(order_key, 6, 500) then ['sale', 'refund']
                when chance(order_key, 7, 60) then ['sale', 'one_of_two', 'two_of_two']
                when chance(order_key, 8, 60) then ['sale', 'test_currency']
                else ['sale']
            end
        ) as paper
    from keyed
),

priced as (
    select
        *,
        draw(order_key, 9) as line_key,
        paper = 'refund' as is_refund,
        case
            when paper = 'refund' then ordered_at + interval 9 day else ordered_at
        end
            as occurred_at,
        5 * category_no * category_no + 90 + 5 * product_no as price_cents,
        case when paper = 'refund' then -pieces else pieces end as signed_pieces
    from ordered
),

flawed as (
    select
        *,
        case
            when paper in ('one_of_two', 'two_of_two') then 'two_customers'
            when paper = 'test_currency' then 'no_exchange_rate'
            when paper = 'sale'
                then flaw_of(
                    line_key,
                    ['duplicate', 'late', 'too_few_columns', 'too_many_columns']
                )
        end as flaw
    from priced
)

select
    case
        when is_refund then 'XR-'
        when paper in ('one_of_two', 'two_of_two') then 'XX-'
        when paper = 'test_currency' then 'XT-'
        else 'X-'
    end
    || (100000 + 8 * customer_no + order_no) as transaction_id,
    case when paper = 'two_of_two' then '2' else '1' end as line_no,
    case
        when paper = 'two_of_two' then customer_id || '/B'
        else customer_id
    end as customer_id,
    occurred_at,
    money(signed_pieces * price_cents * 10) as amount,
    case when is_refund then 'refund' else 'sale' end as kind,
    case when is_refund then 'X-' || (100000 + 8 * customer_no + order_no) end
        as original_transaction_id,
    'P-' || (1000 + 50 * category_no + product_no) as product_id,
    category_of(category_no) as category,
    signed_pieces as quantity,
    money(price_cents * 10) as unit_price,
    money(signed_pieces * price_cents * 6) as cost_amount,
    case
        when paper = 'test_currency' then 'XTS'
        when region = 7 then 'GBP'
        else 'EUR'
    end as currency,
    'web' as channel,
    flaw,
    null::varchar as flaw_column,
    null::varchar as flaw_text
from flawed
where occurred_at::date <= $until::date
order by occurred_at asc, transaction_id asc, line_no asc
