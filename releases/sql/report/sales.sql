-- One row is a month and a category: spend less refunds, in the project's currency.
-- category is null where the lines say none.
-- Reads: sales_month of one release.
select
    month,
    category,
    sum(spend_amount) as spend_amount
from sales_month
group by month, category
order by month, category nulls last
