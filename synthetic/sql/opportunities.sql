-- One row is a deal in the pipeline of the last 30 months, open or closed.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
with numbered as (
    select
        *,
        unnest(numbers_below(pick(key, 281, [1, 1, 1, 2, 2, 3])))::ubigint
            as opportunity_no
    from customer_traits($seed, $customers, $since::date, $until::date)
    where
        chance(
            key,
            280,
            case when is_organization or is_prospect then 6000 else 400 end
        )
),

keyed as (
    select
        *,
        draw(key, 9000 + opportunity_no) as opportunity_key
    from numbered
),

opened as (
    select
        *,
        time_on(
            opportunity_key,
            2,
            day_between(
                opportunity_key,
                1,
                greatest(joined_on, $until::date - 900),
                $until::date
            )
        ) as created_at,
        pick(
            opportunity_key,
            3,
            case
                when is_prospect then ['lost', 'lost', 'open']
                else ['won', 'won', 'won', 'lost', 'lost', 'open']
            end
        ) as outcome
    from keyed
),

ended as (
    select
        *,
        created_at
        + to_days(10 + draw_below(opportunity_key, 4, 170)::integer) as ended_at,
        flaw_of(
            opportunity_key,
            ['duplicate', 'not_in_list', 'not_a_date', 'not_a_number']
        ) as flaw
    from opened
),

staged as (
    select
        *,
        case
            when outcome = 'open' or ended_at::date > $until::date then 'open'
            else outcome
        end as reached
    from ended
)

select
    'O-' || (10000 + 4 * customer_no + opportunity_no) as opportunity_id,
    customer_id,
    reached as stage,  -- noqa: RF04
    case
        when not chance(opportunity_key, 5, 2000)
            then
                pick(
                    opportunity_key, 6, ['clear', 'clear', 'clear', 'potential', 'none']
                )
    end as need_level,
    case
        when not chance(opportunity_key, 7, 1500)
            then pick(opportunity_key, 8, ['very', 'general', 'general', 'none'])
    end as intent_level,
    -- Some are overdue, some have no date.
    case
        when chance(opportunity_key, 9, 800) then null
        when reached = 'open'
            then
                $until::date
                - 45
                + draw_below(opportunity_key, 10, 300)::integer
        else ended_at::date - 10 + draw_below(opportunity_key, 10, 30)::integer
    end as expected_close_date,
    money(
        skewed(
            opportunity_key, 11, case when is_organization then 300000 else 80000 end
        )
    ) as amount,
    created_at,
    case when reached != 'open' then ended_at end as closed_at,
    flaw,
    case flaw
        when 'not_in_list' then 'stage'
        when 'not_a_date' then 'expected_close_date'
        when 'not_a_number' then 'amount'
    end as flaw_column,
    case flaw
        when 'not_in_list' then 'nearly won'
        when 'not_a_date' then 'Q3'
        when 'not_a_number' then 'tbd'
    end as flaw_text
from staged
