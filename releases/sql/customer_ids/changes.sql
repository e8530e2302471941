-- One row is an id that belongs to another customer than in the release before.
-- Reads: marts.customer_ids, temp.previous_ids, temp.previous_customers.
-- Params: from_as_of_date (date of the release before).
with ids as (
    select given_id from marts.customer_ids
    union
    select given_id from temp.main.previous_ids
),

compared as (
    select
        ids.given_id,
        current_ids.linked_by,
        current_ids.linked_id,
        coalesce(current_ids.customer_id, ids.given_id) as customer_id,
        coalesce(
            previous_ids.customer_id, previous_customers.customer_id
        ) as previous_customer_id
    from ids
    left join marts.customer_ids as current_ids
        on ids.given_id = current_ids.given_id
    left join temp.main.previous_ids as previous_ids
        on ids.given_id = previous_ids.given_id
    left join temp.main.previous_customers as previous_customers
        on ids.given_id = previous_customers.customer_id
)

select
    given_id,
    case
        when previous_customer_id is null then 'added'
        when customer_id = given_id then 'split'
        when previous_customer_id = given_id then 'merged'
        else 'moved'
    end as movement,
    previous_customer_id,
    customer_id,
    linked_by,
    linked_id,
    $from_as_of_date::date as from_as_of_date
from compared
where
    previous_customer_id is distinct from customer_id
    and (previous_customer_id is not null or customer_id != given_id)
order by given_id
