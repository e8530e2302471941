-- One row is a customer on the red or the black list on the as-of date.
-- Reads: staging.overrides.
-- Params: as_of_date (date).
-- An entry holds on its first and on its last day. Of the entries of one list in force
-- the one that began last counts; the black list goes before the red.
with entries as (
    select
        customer_id,
        case scheme when 'black_list' then 'black' else 'red' end as list_flag,
        reason,
        approved_by,
        starts_on,
        ends_on
    from staging.overrides
    where
        scheme in ('black_list', 'red_list')
        and starts_on <= $as_of_date
        and (ends_on is null or ends_on >= $as_of_date)
)

select
    customer_id,
    list_flag,
    reason,
    approved_by,
    starts_on,
    ends_on
from entries
qualify
    row_number() over (
        partition by customer_id
        order by list_flag = 'black' desc, starts_on desc
    ) = 1
