-- One row is a reservation of the last two months.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
-- Everybody wants the same few resources, so that some are promised twice.
with numbered as (
    select
        *,
        unnest(numbers_below(pick(key, 351, [1, 1, 1, 2])))::ubigint as reservation_no
    from customer_traits($seed, $customers, $since::date, $until::date)
    where leaves_on > $until::date and chance(key, 350, 500)
),

keyed as (
    select
        *,
        draw(key, 16000 + reservation_no) as reservation_key
    from numbered
),

requested as (
    select
        *,
        time_on(
            reservation_key,
            2,
            day_between(
                reservation_key, 1, greatest(joined_on, $until::date - 60), $until::date
            )
        ) as requested_at,
        draw_below(reservation_key, 3, 10) as fate,
        flaw_of(
            reservation_key, ['duplicate', 'late', 'not_a_date', 'required_missing']
        ) as flaw
    from keyed
    where joined_on <= $until::date
)

select
    'Q-' || (10000 + 2 * customer_no + reservation_no) as reservation_id,
    customer_id,
    'B-'
    || (
        100
        + least(
            draw_below(reservation_key, 4, 10 + $customers // 250),
            draw_below(reservation_key, 5, 10 + $customers // 250)
        )
    ) as resource_id,
    requested_at,
    case when fate < 6 then pick(reservation_key, 6, ['front desk', '客服一组', 'app']) end
        as accepted_by,
    case
        when fate < 6
            then
                requested_at
                + to_days(2 + draw_below(reservation_key, 7, 40)::integer)
    end as holds_until,
    case
        when fate < 2
            then least(
                requested_at + to_days(1 + draw_below(reservation_key, 8, 10)::integer),
                $until::date + interval 20 hour
            )
    end as released_at,
    case when fate = 9 then requested_at + to_hours(3) end as cancelled_at,
    flaw,
    case flaw
        when 'not_a_date' then 'requested_at'
        when 'required_missing' then 'resource_id'
    end as flaw_column,
    case flaw when 'not_a_date' then impossible(requested_at) end as flaw_text
from requested
order by requested_at asc, reservation_id asc
