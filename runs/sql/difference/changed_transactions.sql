-- One row is a transaction of which a line came or went, and the first day of these.
-- Reads: temp.changed_rows.
with named as (
    select
        transaction_id,
        row_date
    from temp.changed_rows
    union all
    select
        original_transaction_id as transaction_id,
        row_date
    from temp.changed_rows
)

select
    transaction_id,
    min(row_date) as row_date
from named
where transaction_id is not null
group by transaction_id
