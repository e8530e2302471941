-- One row is a customer, with the points of the period since the last clear.
-- Reads: core.customers, core.points_events, staging.point_redemptions,
-- marts.late_clears.
-- Params: as_of_date (date), clear_every_months, late_clear_months, expiring_days
-- (integers), point_value (decimal; 0: it is not known).
-- Points are cleared at local midnight on the first of January, and from there every
-- clear_every_months. Of customers in late_clears, what was earned before such a day is
-- cleared late_clear_months after it; what they redeem in between takes those points
-- first, and count against the period in which they were redeemed once that has ended.
-- A balance below zero is cleared as well: debts are not carried. What a customer owes
-- in points the company does not owe: such a balance is a liability of 0.
with delays as (
    select distinct unnest([0, $late_clear_months]) as delay_months
),

months as (
    select
        delay_months,
        12 * year($as_of_date) + month($as_of_date) - 1 - delay_months as last_month
    from delays
),

clears as (
    select
        delay_months,
        last_month - last_month % $clear_every_months as clear_month
    from months
),

ends as (
    select
        delay_months,
        make_date(clear_month // 12, 1 + clear_month % 12, 1) as ended_on
    from clears
),

period as (
    select
        delay_months,
        ended_on,
        (ended_on + to_months(delay_months::integer))::date as cleared_on,
        (ended_on - to_months($clear_every_months))::date as ended_before_on,
        (ended_on + to_months($clear_every_months))::date as ends_next_on,
        (
            ended_on + to_months(($clear_every_months + delay_months)::integer)
        )::date as clears_next_date
    from ends
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

accounts as (
    select
        customers.customer_id,
        period.*
    from core.customers as customers
    left join marts.late_clears as late
        on customers.customer_id = late.customer_id
    inner join period
        on
            period.delay_months
            = case when late.customer_id is null then 0 else $late_clear_months end
    where
        exists (select 1 from core.points_events)
        or exists (select 1 from staging.point_redemptions)
),

sums as (
    select
        accounts.customer_id,
        sum(movements.points_earned) filter (
            where movements.movement_date >= accounts.ended_on
        ) as points_earned,
        sum(movements.points_redeemed) filter (
            where movements.movement_date >= accounts.ended_on
        ) as points_redeemed,
        sum(movements.points_earned - movements.points_redeemed) filter (
            where movements.movement_date < accounts.ended_on
        ) as old_points,
        sum(movements.points_redeemed) filter (
            where
            movements.movement_date >= accounts.ended_on
            and movements.movement_date < accounts.cleared_on
        ) as late_points,
        -- Since the next day that ends a period, which has come where clears are late.
        sum(movements.points_earned) filter (
            where movements.movement_date >= accounts.ends_next_on
        ) as new_points
    from movements
    inner join accounts
        on
            movements.customer_id = accounts.customer_id
            and movements.movement_date >= accounts.ended_before_on
    where movements.movement_date >= (select min(period.ended_before_on) from period)
    group by accounts.customer_id
),

balances as (
    select
        accounts.customer_id,
        accounts.clears_next_date,
        coalesce(sums.points_earned, 0) as points_earned,
        coalesce(sums.old_points, 0) as old_points,
        coalesce(sums.points_redeemed, 0) as points_redeemed,
        coalesce(sums.new_points, 0) as new_points,
        least(
            coalesce(sums.late_points, 0), greatest(coalesce(sums.old_points, 0), 0)
        ) as used_old_points
    from accounts
    left join sums
        on accounts.customer_id = sums.customer_id
)

select
    customer_id,
    points_earned::decimal(18, 4) as points_earned,
    (points_redeemed - used_old_points)::decimal(18, 4) as points_redeemed,
    (old_points - used_old_points)::decimal(18, 4) as points_cleared,
    (points_earned - points_redeemed + used_old_points)::decimal(18, 4)
        as points_balance,
    case
        when clears_next_date - $as_of_date <= $expiring_days
            then greatest(
                points_earned - points_redeemed + used_old_points - new_points, 0
            )
        else 0
    end::decimal(18, 4) as expiring_points,
    clears_next_date,
    case
        when $point_value > 0
            then
                greatest(
                    points_earned - points_redeemed + used_old_points, 0
                )::decimal(18, 4) * $point_value::decimal(18, 8)
    end::decimal(18, 2) as points_liability_amount
from balances
