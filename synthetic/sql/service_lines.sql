-- One row is a line in service, or one that was.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
with numbered as (
    select
        *,
        unnest(numbers_below(n_lines))::ubigint as line_no
    from subscribers($seed, $customers, $since::date, $until::date)
),

keyed as (
    select
        *,
        draw(key, 2000 + line_no) as line_key
    from numbered
),

dated as (
    select
        *,
        -- The first line is the oldest.
        case
            when line_no = 0 then activated_on
            else
                day_between(
                    line_key, 1, activated_on, least($until::date, leaves_on)
                )
        end as line_activated_on,
        flaw_of(
            line_key, ['duplicate', 'not_a_date', 'required_missing']
        ) as flaw
    from keyed
)

select
    'L-' || (1000000 + 128 * customer_no + line_no) as service_id,
    customer_id,
    line_activated_on as activated_on,
    case
        when leaves_on <= $until::date then leaves_on
        when line_no > 0 and chance(line_key, 2, 800)
            then day_between(line_key, 3, line_activated_on, $until::date)
    end as terminated_on,
    flaw,
    case flaw
        when 'not_a_date' then 'activated_on'
        when 'required_missing' then 'customer_id'
    end as flaw_column,
    case flaw when 'not_a_date' then impossible(line_activated_on) end as flaw_text
from dated
