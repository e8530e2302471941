-- One row is a customer, with the points of the period since the last clear.
-- Reads: core.customers, core.points_events, staging.point_redemptions.
-- Params: as_of_date (date), clear_every_months (integer), expiring_days (integer).
-- Points are cleared at local midnight on the first of January, and from there every
-- clear_every_months. A balance below zero is cleared as well: debts are not carried.
with months as (
    select
        12 * year($as_of_date) + month($as_of_date) - 1
        - (12 * year($as_of_date) + month($as_of_date) - 1)
        % $clear_every_months as clear_month
),

clears as (
    select make_date(clear_month // 12, 1 + clear_month % 12, 1) as cleared_on
    from months
),

period as (
    select
        cleared_on,
        (cleared_on - to_months($clear_every_months))::date as cleared_before_on,
        (cleared_on + to_months($clear_every_months))::date as clears_next_date,
        (cleared_on + to_months($clear_every_months))::date - $as_of_date
        <= $expiring_days as clears_soon
    from clears
),

movements as (
    select
        customer_id,
        event_date as movement_date,
        points as points_earned,
        0 as points_redeemed
    from core.points_events
    union all
    select
        customer_id,
        redeemed_date as movement_date,
        0 as points_earned,
        points as points_redeemed
    from staging.point_redemptions
),

sums as (
    select
        movements.customer_id,
        sum(movements.points_earned) filter (
            where movements.movement_date >= period.cleared_on
        ) as points_earned,
        sum(movements.points_redeemed) filter (
            where movements.movement_date >= period.cleared_on
        ) as points_redeemed,
        sum(movements.points_earned - movements.points_redeemed) filter (
            where movements.movement_date < period.cleared_on
        ) as points_cleared
    from movements
    inner join period
        on movements.movement_date >= period.cleared_before_on
    group by movements.customer_id
),

balances as (
    select
        customers.customer_id,
        coalesce(sums.points_earned, 0) as points_earned,
        coalesce(sums.points_redeemed, 0) as points_redeemed,
        coalesce(sums.points_cleared, 0) as points_cleared,
        coalesce(sums.points_earned, 0) - coalesce(sums.points_redeemed, 0)
            as points_balance
    from core.customers as customers
    left join sums
        on customers.customer_id = sums.customer_id
    where
        exists (select 1 from core.points_events)
        or exists (select 1 from staging.point_redemptions)
)

select
    balances.customer_id,
    balances.points_earned::decimal(18, 4) as points_earned,
    balances.points_redeemed::decimal(18, 4) as points_redeemed,
    balances.points_cleared::decimal(18, 4) as points_cleared,
    balances.points_balance::decimal(18, 4) as points_balance,
    case
        when period.clears_soon and balances.points_balance > 0
            then balances.points_balance
        else 0
    end::decimal(18, 4) as expiring_points,
    period.clears_next_date
from balances
cross join period
