-- One row is a customer: of the biggest categories, how many it has not bought from.
-- Reads: core.lines, core.customers.
-- Params: after_date (date), of (how many categories are the biggest).
with spent as (
    select
        customer_id,
        category,
        sum(spend_amount) as spend_amount,
        count(*) filter (where kind = 'sale') as n_sales
    from core.lines
    where line_date > $after_date and customer_id is not null and category is not null
    group by customer_id, category
),

biggest as (
    select category
    from spent
    group by category
    order by sum(spend_amount) desc, category asc
    limit $of
),

bought as (
    select
        spent.customer_id,
        count(*) as n_bought
    from spent
    inner join biggest on spent.category = biggest.category
    where spent.n_sales > 0
    group by spent.customer_id
)

select
    customers.customer_id,
    (select count(*) from biggest) - coalesce(bought.n_bought, 0) as measure
from core.customers as customers
left join bought on customers.customer_id = bought.customer_id
