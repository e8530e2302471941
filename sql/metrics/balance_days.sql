-- One row is a customer: the sum of its daily balances in the window.
-- Reads: staging.balances.
-- Params: as_of_date, after_date (dates), factor (of all but deposits), below_zero.
-- Each account and asset class holds its last balance until its next.
with held as (
    select
        customer_id,
        asset_class,
        case
            when $below_zero = 'as_zero' then greatest(balance_amount, 0)
            else balance_amount
        end as held_amount,
        balance_date as from_date,
        lead(balance_date) over (
            partition by account_id, asset_class order by balance_date asc
        ) as until_date
    from staging.balances
),

days as (
    select
        customer_id,
        case
            when asset_class = 'deposit' then held_amount
            else held_amount * $factor
        end as counted_amount,
        greatest(
            coalesce(least(until_date, $as_of_date + 1), $as_of_date + 1)
            - greatest(from_date, $after_date + 1),
            0
        ) as n_days
    from held
)

select
    customer_id,
    sum(counted_amount * n_days) as measure
from days
group by customer_id
