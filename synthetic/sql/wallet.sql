-- One row is what a customer spends with everybody in a year, as far as it is known.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
with chosen as (
    select
        *,
        chance(key, 341, 4000) as is_category,
        flaw_of(
            key, ['duplicate', 'not_a_date', 'not_a_number', 'required_missing']
        ) as flaw
    from customer_traits($seed, $customers, $since::date, $until::date)
    where not is_prospect and leaves_on > $until::date and chance(key, 340, 2000)
)

select
    customer_id,
    ($until::date - to_months(12))::date + 1 as period_start,
    $until::date as period_end,
    case
        when is_category
            then category_of(favourite_category)
    end as category,
    -- What a year's orders at the customer's pace would cost, and what others get.
    money(
        pace
        * (case when is_organization then 3000 else 600 end)
        * (1 + draw_below(key, 342, 8))
        // (case when is_category then 2 else 1 end)
        // 2
    ) as total_spend_amount,
    least(draw_below(key, 343, 60), draw_below(key, 344, 60))::integer
        as planned_purchase_qty,
    flaw,
    case flaw
        when 'not_a_date' then 'period_end'
        when 'not_a_number' then 'total_spend_amount'
        when 'required_missing' then 'period_start'
    end as flaw_column,
    case flaw
        when 'not_a_date' then impossible($until::date)
        when 'not_a_number' then 'unknown'
    end as flaw_text
from chosen
