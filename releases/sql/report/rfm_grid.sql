-- One row is a pair of recency and frequency scores: customers and their spend, in the
-- project's currency.
-- Reads: customer_rfm of one release.
select
    r_score,
    f_score,
    count(*) as n_customers,
    sum(monetary_amount) as spend_amount
from customer_rfm
group by r_score, f_score
order by r_score, f_score
