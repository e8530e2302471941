-- One row is a customer's answer to one question about a resolved ticket.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
-- Whoever waited long says so; some agents please more than others.
with answers as (
    select
        *,
        unnest([1, 2, 3, 4, 5]) as dimension_no,
        resolved_at + to_hours(1 + draw_below(ticket_key, 41, 72)::integer) as rated_at,
        draw_below(draw($seed, 500), agent_no, 10) as manner
    from service_tickets($seed, $customers, $since::date, $until::date)
    where chance(ticket_key, 40, 4500)
),

keyed as (
    select
        *,
        draw(ticket_key, 50 + dimension_no::ubigint) as answer_key
    from answers
    where rated_at::date <= $until::date
),

flawed as (
    select
        *,
        flaw_of(
            answer_key,
            ['duplicate', 'not_in_list', 'not_in_list', 'required_missing']
        ) as flaw
    from keyed
    where chance(answer_key, 1, 8500)
)

select
    ticket_id,
    [
        'response_speed', 'resolution_degree', 'resolution_efficiency', 'attitude',
        'price'
    ][dimension_no] as dimension,
    pick(
        answer_key,
        2,
        case
            when dimension_no = 1 and wait_minutes > 60 then [1, 1, 3]
            when manner < 2 then [5, 5, 5, 5, 5, 5, 5, 5, 5, 3]
            when manner > 8 then [1, 1, 3, 3, 5]
            else [5, 5, 5, 5, 3, 3, 1]
        end
    ) as score,
    rated_at,
    flaw,
    case flaw
        when 'not_in_list' then 'score'
        when 'required_missing' then 'dimension'
    end as flaw_column,
    case flaw
        when 'not_in_list' then pick(answer_key, 3, ['2', '4', '10'])
    end as flaw_text
from flawed
order by rated_at asc, ticket_id asc, dimension_no asc
