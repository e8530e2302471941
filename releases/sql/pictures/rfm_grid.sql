-- One row is a pair of recency and frequency scores: how many customers have it.
-- Reads: release.main.customer_rfm.
select
    r_score,
    f_score,
    count(*) as n_customers
from release.main.customer_rfm
group by r_score, f_score
order by r_score, f_score
