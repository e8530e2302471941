-- One row is a stop of service because a bill was not paid.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
with numbered as (
    select
        *,
        unnest(numbers_below(pick(key, 231, [1, 1, 1, 2, 2, 3, 4])))::ubigint as stop_no
    from subscribers($seed, $customers, $since::date, $until::date)
    where chance(key, 230, 800)
),

keyed as (
    select
        *,
        draw(key, 5000 + stop_no) as stop_key
    from numbered
),

dated as (
    select
        *,
        time_on(
            stop_key,
            1,
            $until::date
            - 15
            - 85 * stop_no::integer
            - draw_below(stop_key, 2, 80)::integer
        ) as stopped_at,
        flaw_of(stop_key, ['duplicate', 'not_a_date', 'not_in_list']) as flaw
    from keyed
)

select
    customer_id,
    stopped_at,
    pick(stop_key, 3, ['single', 'single', 'double']) as kind,
    flaw,
    case flaw
        when 'not_a_date' then 'stopped_at'
        when 'not_in_list' then 'kind'
    end as flaw_column,
    case flaw
        when 'not_a_date' then impossible(stopped_at)
        when 'not_in_list' then 'both ways'
    end as flaw_text
from dated
where stopped_at::date between activated_on and leaves_on
