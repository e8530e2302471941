-- One row is an unanswered call of a mid-level customer, and what became of it.
-- Reads: marts.missed_calls, marts.service_level.
-- Params: as_of_date (date), callback_days (integer).
-- Days are those that end with the as-of date.
with recent as (
    select *
    from marts.missed_calls
    where called_date > $as_of_date - $callback_days::integer
)

select
    recent.call_id,
    recent.customer_id,
    recent.called_at,
    recent.due_at,
    recent.status,
    recent.returned_at
from recent
inner join marts.service_level as levels
    on recent.customer_id = levels.customer_id
where levels.service_level = 'mid'
