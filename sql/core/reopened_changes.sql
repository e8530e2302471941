-- One row is what a line adds to a transaction whose sums change within the dates that
-- are graded together, or takes back of it.
-- Reads: core.transaction_changes, core.transaction_sums.
-- Params: first_date, last_date (of those that are graded together).
with reopened as (
    select
        transaction_id,
        last_change_date
    from core.transaction_sums
    where
        first_change_date < last_change_date
        and first_change_date <= $last_date
        and last_change_date > $first_date
)

select
    changes.*,
    reopened.last_change_date
from core.transaction_changes as changes
inner join reopened
    on changes.transaction_id = reopened.transaction_id
