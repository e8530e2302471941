-- One row is a line of a sale, refund or adjustment, in order of time.
-- Params: seed, customers (integers); since (date): the first month with orders;
-- until (date): the last day with rows; from_date, to_date (dates): rows in [from, to).
-- Most sales follow the season and the customer's pace. Refunds are transactions of
-- their own that name the sale, or name nothing, or are lines of the sale itself.
with traits as (
    select *
    from customer_traits($seed, $customers, $since::date, $until::date)
),

months as (
    select
        month_at::date as month_date,
        date_diff('month', $since::date, month_at::date)::ubigint as month_no,
        -- Retail's year: spring festival, 618, singles' day, Christmas.
        [112, 120, 88, 92, 100, 122, 92, 86, 98, 108, 150, 132][month(month_at)]
            as season
    from
        -- A refund may follow its sale in the next month.
        generate_series(
            greatest(
                $since::date,
                (date_trunc('month', $from_date::date) - interval 1 month)::date
            ),
            $to_date::date - interval 1 day,
            interval 1 month
        ) as series (month_at)
),

customer_months as (
    select
        traits.customer_no,
        traits.customer_id,
        traits.region,
        traits.is_organization,
        traits.joined_on,
        traits.leaves_on,
        traits.favourite_category,
        traits.taste,
        months.month_date,
        months.month_no,
        draw(traits.key, 1000 + months.month_no) as month_key,
        traits.pace * months.season as pace
    from traits
    cross join months
    where
        not traits.is_prospect
        and traits.joined_on < months.month_date + interval 1 month
        and traits.leaves_on >= months.month_date
),

-- The pace is in thousandths, the season in hundredths; a customer's months differ
-- between none and twice its pace.
placed_orders as (
    select
        * exclude (pace),
        unnest(
            range(
                least(
                    60,
                    (
                        ((pace * draw(month_key, 1)) >> 31)
                        + draw_below(month_key, 2, 100000)
                    ) // 100000
                )::integer
            )
        )::ubigint as order_no
    from customer_months
),

keyed_orders as (
    select
        *,
        draw(month_key, 100 + order_no) as order_key
    from placed_orders
),

orders as (
    select
        *,
        (customer_no << 13) + (month_no << 6) + order_no as order_number,
        month_date
        + draw_below(order_key, 1, day(last_day(month_date)))::integer
            as order_date,
        not is_organization and chance(order_key, 2, 400) as is_anonymous,
        pick(order_key, 3, [1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5]) as n_lines,
        pick(order_key, 4, ['shop', 'shop', 'shop', 'web', 'app', 'app', 'phone'])
            as channel,
        draw_below(order_key, 5, 10000) as outcome,
        case
            -- One order in 400 is sent again, or late: see the flaws below.
            when chance(order_key, 6, 25)
                then pick(
                    order_key,
                    7,
                    [
                        'late',
                        'late',
                        'duplicate',
                        'duplicate',
                        'not_a_date',
                        'not_in_list',
                        'required_missing',
                        'not_a_number',
                        'too_few_columns',
                        'too_many_columns'
                    ]
                )
        end as flaw
    from keyed_orders
),

-- What becomes of an order, in ten thousandths: 400 are refunded within 28 days, in
-- full or the first line; others are never paid.
documents as (
    select
        *,
        unnest(
            case when outcome < 400 then ['sale', 'refund'] else ['sale'] end
        ) as document_kind
    from orders
    where order_date between joined_on and least(leaves_on, $until::date)
),

dated_documents as (
    select
        *,
        case
            when document_kind = 'refund'
                then order_date + 1 + draw_below(order_key, 8, 28)::integer
            else order_date
        end as document_date
    from documents
),

due_documents as (
    select
        order_key,
        order_number,
        customer_id,
        region,
        is_organization,
        favourite_category,
        taste,
        is_anonymous,
        channel,
        flaw,
        document_kind = 'refund' as is_refund,
        case
            when document_kind = 'refund' and outcome >= 240 then 1
            else n_lines
        end as n_lines,
        -- A refund without its receipt, and an adjustment, stand alone.
        document_kind = 'sale' and outcome between 400 and 449 as is_unlinked_refund,
        document_kind = 'sale' and outcome between 450 and 469 as is_adjustment,
        case
            when outcome between 9700 and 9849 then 'cancelled'
            when outcome between 9850 and 9949 then 'pending'
            when outcome >= 9980 then 'test'
            else 'paid'
        end as status,
        -- From eight to ten, most at three in the afternoon.
        document_date
        + to_seconds(
            28800
            + draw_below(order_key, 9, 25200)::bigint
            + draw_below(order_key, 10, 25200)::bigint
        ) as occurred_at
    from dated_documents
    where
        document_date >= $from_date::date
        and document_date < $to_date::date
        and document_date <= $until::date
),

sorted_documents as (
    select *
    from due_documents
    order by occurred_at asc, order_number asc, is_refund asc
),

lines as (
    select
        *,
        unnest(range(n_lines))::ubigint + 1 as line_no
    from sorted_documents
),

keyed_lines as (
    select
        *,
        draw(order_key, 100 + line_no) as line_key
    from lines
),

choices as (
    select
        *,
        case
            when chance(line_key, 1, 5000) then favourite_category
            else least(draw_below(line_key, 2, 12), draw_below(line_key, 12, 12))
        end::integer as category_no,
        -- Customers of taste 2 reach for the dear end of a category, others do not.
        case
            when taste = 2
                then greatest(
                    draw_below(line_key, 3, 50), draw_below(line_key, 4, 50)
                )
            else least(draw_below(line_key, 3, 50), draw_below(line_key, 4, 50))
        end as product_no,
        case
            when is_organization then 2 + draw_below(line_key, 5, 19)
            else
                1 + least(
                    draw_below(line_key, 5, 4), draw_below(line_key, 6, 4)
                )
        end::integer as pieces,
        case
            when chance(line_key, 7, 1200) then 5 + draw_below(line_key, 8, 26)
            else 0
        end::integer as discount_pct,
        is_refund
        or is_unlinked_refund
        or (line_no > 1 and not is_adjustment and chance(line_key, 9, 40))
            as is_taken_back
    from keyed_lines
),

prices as (
    select
        *,
        -- From the category's base up, ending in 90 hundredths.
        [690, 1290, 1890, 2490, 2990, 3490, 4990, 5990, 7990, 9990, 12990, 19990][
            category_no + 1
        ] * (100 + 3 * product_no::integer) // 10000 * 100 + 90 as price_cents,
        [48, 52, 55, 58, 60, 62, 64, 66, 68, 70, 72, 78][category_no + 1]
            as cost_pct,
        case when is_taken_back then -1 else 1 end as direction
    from choices
),

sums as (
    select
        *,
        pieces * price_cents as gross_cents,
        pieces * price_cents * discount_pct // 100 as discount_cents
    from prices
)

select
    (case when is_refund then 'R-' else 'T-' end) || order_number as transaction_id,
    line_no::varchar as line_no,
    case when not is_anonymous then customer_id end as customer_id,
    occurred_at,
    money(
        case
            when is_adjustment then -least(500, gross_cents)
            else direction * (gross_cents - discount_cents)
        end
    ) as amount,
    case
        when is_taken_back then 'refund'
        when is_adjustment then 'adjustment'
        else 'sale'
    end as kind,
    status,
    case when is_refund then 'T-' || order_number end as original_transaction_id,
    'P-' || (1000 + 50 * category_no + product_no) as product_id,
    category_of(category_no) as category,
    case when not is_adjustment then direction * pieces end as quantity,
    money(price_cents) as unit_price,
    -- One cost in fifty is not known.
    case
        when is_adjustment then 0.00::decimal(18, 2)
        when not chance(line_key, 10, 200)
            then money(direction * gross_cents * cost_pct // 100)
    end as cost_amount,
    money(discount_cents) as discount_amount,
    channel = 'phone' and chance(line_key, 11, 1500) as is_service_sale,
    channel,
    case
        when channel = 'shop'
            then 'S-' || (100 + 5 * region + draw_below(order_key, 11, 5))
    end as store_id,
    flaw,
    case flaw
        when 'not_a_date' then 'occurred_at'
        when 'not_in_list' then 'status'
        when 'required_missing' then 'transaction_id'
        when 'not_a_number' then 'amount'
    end as flaw_column,
    case flaw
        when 'not_a_date' then strftime(occurred_at, '%Y-02-30 %H:%M:%S')
        when 'not_in_list' then 'payed'
        when 'not_a_number' then 'n/a'
    end as flaw_text
from sums
