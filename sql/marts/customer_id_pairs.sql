-- One row is two customer ids that the model finds alike.
-- Reads: staging.customer_id_pairs, staging.customer_ids, core.customers.
-- Ids of customers that do not exist yet on the as-of date are left out.
with pairs as (
    select
        pairs.given_id,
        pairs.other_id,
        pairs.probability_ratio,
        pairs.standing,
        coalesce(one_ids.customer_id, pairs.given_id) as customer_id,
        coalesce(other_ids.customer_id, pairs.other_id) as other_customer_id
    from staging.customer_id_pairs as pairs
    left join staging.customer_ids as one_ids
        on pairs.given_id = one_ids.given_id
    left join staging.customer_ids as other_ids
        on pairs.other_id = other_ids.given_id
)

select
    pairs.given_id,
    pairs.other_id,
    pairs.probability_ratio,
    pairs.standing
from pairs
semi join core.customers as customers
    on pairs.customer_id = customers.customer_id
semi join core.customers as other_customers
    on pairs.other_customer_id = other_customers.customer_id
