-- One row is an attribute and one of its most frequent values: customers and their
-- spend, in the project's currency. value is null where it is not known.
-- Counted over the tiers of the scheme that grades most customers.
-- Reads: segment_counts of one release.
with counted as (
    select
        attribute,
        value,
        scheme,
        sum(n_customers)::bigint as n_customers,
        sum(spend_12m_amount) as spend_amount
    from segment_counts
    group by attribute, value, scheme
),

widest as (
    select scheme
    from counted
    group by scheme
    order by sum(n_customers) desc, scheme asc
    limit 1
)

select
    counted.attribute,
    counted.value,
    counted.n_customers,
    counted.spend_amount,
    sum(counted.n_customers) over (partition by counted.attribute)::bigint as n_all
from counted
inner join widest on counted.scheme = widest.scheme
qualify
    row_number() over (
        partition by counted.attribute
        order by counted.n_customers desc, counted.value asc nulls last
    ) <= $shown
order by
    counted.attribute asc,
    counted.n_customers desc,
    counted.value asc nulls last
