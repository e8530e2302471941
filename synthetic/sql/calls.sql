-- One row is a call of the last twelve months, in order of time.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
-- Bills go out on the last day of a month, and then more people call. The more calls an
-- hour has, the longer they wait, and some hang up; most of these are called back.
with numbered as (
    select
        *,
        unnest(
            numbers_below(
                case
                    when is_organization then draw_below(key, 311, 7)
                    else least(draw_below(key, 311, 5), draw_below(key, 312, 5))
                end
            )
        )::ubigint as call_no
    from customer_traits($seed, $customers, $since::date, $until::date)
    where leaves_on > $until::date - 365
),

keyed as (
    select
        *,
        draw(key, 11000 + call_no) as call_key
    from numbered
),

dated as (
    select
        *,
        day_between(
            call_key,
            1,
            greatest(joined_on, $until::date - 364),
            least($until::date, leaves_on)
        ) as drawn_on
    from keyed
),

queued as (
    select
        *,
        time_on(
            call_key,
            3,
            case
                when
                    chance(call_key, 2, 1500)
                    then least(last_day(drawn_on), $until::date)
                else drawn_on
            end
        ) as queued_at,
        chance(call_key, 4, 2000) as is_outbound
    from dated
),

loaded as (
    select
        *,
        load_pct(
            count(*) over (partition by date_trunc('hour', queued_at)),
            count(*) over (),
            365 * 12
        ) as load_pct
    from queued
),

waited as (
    select
        *,
        -- A line that is picked up at once, or rings out at a busy hour.
        pick(call_key, 5, [1, 1, 2, 2, 3, 3, 4, 6, 9, 20])
        * least(load_pct, 800)
        * least(load_pct, 800)
        // 10000
        + 2 as wait_seconds,
        pick(call_key, 6, [4, 25, 40, 60, 60, 90, 90, 120, 180, 300])
            as patience_seconds
    from loaded
),

ended as (
    select
        *,
        not is_outbound and wait_seconds > patience_seconds as is_given_up,
        flaw_of(
            call_key,
            ['duplicate', 'late', 'not_a_date', 'not_a_boolean', 'not_in_list']
        ) as flaw
    from waited
),

calls as (
    select
        call_key,
        'H-' || (100000 + 8 * customer_no + call_no) as call_id,
        -- One caller in twelve is not known.
        case when is_outbound or not chance(call_key, 7, 800) then customer_id end
            as customer_id,
        queued_at,
        case
            when not is_given_up then queued_at + to_seconds(wait_seconds::bigint)
        end as answered_at,
        case
            when is_given_up then queued_at + to_seconds(patience_seconds::bigint)
            else
                queued_at
                + to_seconds(
                    wait_seconds::bigint
                    + 20
                    + least(skewed(call_key, 8, 40), 3600)::bigint
                )
        end as ended_at,
        is_given_up as is_abandoned,
        case when is_outbound then 'out' else 'in' end as direction,
        case
            when is_prospect then 'pre_sale'
            else pick(call_key, 9, ['pre_sale', 'in_sale', 'after_sale', 'after_sale'])
        end as service_stage,
        case
            when not is_given_up then agent_id_of(agent_of(call_key, 10, $customers))
        end as agent_id,
        case when not is_given_up then money(100 + draw_below(call_key, 11, 900)) end
            as cost_amount,
        flaw,
        case flaw
            when 'not_a_date' then 'queued_at'
            when 'not_a_boolean' then 'is_abandoned'
            when 'not_in_list' then 'direction'
        end as flaw_column,
        case flaw
            when 'not_a_date' then impossible(queued_at)
            when 'not_a_boolean' then 'maybe'
            when 'not_in_list' then 'sideways'
        end as flaw_text
    from ended
),

-- Most of those who gave up are called back, some only days later.
returned as (
    select
        *,
        queued_at
        + to_minutes(10 + least(skewed(call_key, 13, 400), 6000)::bigint)
            as called_back_at
    from calls
    where
        is_abandoned
        and customer_id is not null
        and flaw is null
        and chance(call_key, 12, 7500)
)

select
    call_id,
    customer_id,
    queued_at,
    answered_at,
    ended_at,
    is_abandoned,
    direction,
    service_stage,
    agent_id,
    cost_amount,
    flaw,
    flaw_column,
    flaw_text
from calls
union all
select
    call_id || 'R' as call_id,
    customer_id,
    called_back_at as queued_at,
    called_back_at + to_seconds(6) as answered_at,
    called_back_at
    + to_seconds(30 + least(skewed(call_key, 14, 60), 3600)::bigint) as ended_at,
    false as is_abandoned,
    'out' as direction,
    service_stage,
    agent_id_of(agent_of(call_key, 15, $customers)) as agent_id,
    money(100 + draw_below(call_key, 16, 900)) as cost_amount,
    null as flaw,
    null as flaw_column,
    null as flaw_text
from returned
where called_back_at::date <= $until::date
order by queued_at asc, call_id asc
