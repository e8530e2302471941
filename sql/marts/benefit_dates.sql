-- One row is a customer with a birthday that matters, or who bought on the as-of date.
-- Reads: core.customers, core.orders, marts.birthday_benefits.
-- Params: as_of_date (date).
-- A leap day plus whole years is clamped to the month's end: born on 29 February, the
-- birthday of a common year is 28 February. A date of birth that lies ahead is wrong.
-- A basket is one order, less what was refunded of it: two of a day are not added up.
with ages as (
    select
        customers.customer_id,
        customers.birth_date,
        datesub('year', customers.birth_date, $as_of_date) as n_years
    from core.customers as customers
    inner join marts.birthday_benefits as holders
        on customers.customer_id = holders.customer_id
    where customers.birth_date <= $as_of_date
),

birthdays as (
    select
        customer_id,
        case
            when birth_date + to_years(n_years) >= $as_of_date
                then birth_date + to_years(n_years)
            else birth_date + to_years(n_years + 1)
        end::date as birthday_date
    from ages
),

baskets as (
    select
        customer_id,
        max(net_amount) as basket_amount
    from core.orders
    where order_date = $as_of_date
    group by customer_id
)

select
    coalesce(birthdays.customer_id, baskets.customer_id) as customer_id,
    birthdays.birthday_date,
    baskets.basket_amount
from birthdays
full outer join baskets
    on birthdays.customer_id = baskets.customer_id
