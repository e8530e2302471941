-- One row is a contract of a telephone customer; the next follows where one ends.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
with numbered as (
    select
        *,
        unnest([0, 1, 2]) as contract_no
    from subscribers($seed, $customers, $since::date, $until::date)
    where chance(key, 220, 6500)
),

dated as (
    select
        *,
        draw(key, 4000 + contract_no::ubigint) as contract_key,
        (activated_on + to_months(24 * contract_no::integer))::date as starts_on
    from numbered
),

flawed as (
    select
        *,
        flaw_of(
            contract_key, ['duplicate', 'not_a_date', 'required_missing']
        ) as flaw
    from dated
    where starts_on <= least($until::date, leaves_on)
)

select
    'V-' || (100000 + 4 * customer_no + contract_no) as contract_id,
    customer_id,
    starts_on,
    case
        when leaves_on <= $until::date
            then least(leaves_on, (starts_on + to_months(24))::date - 1)
        when contract_no < 2 or chance(contract_key, 1, 7000)
            then (starts_on + to_months(24))::date - 1
    end as ends_on,
    flaw,
    case flaw
        when 'not_a_date' then 'ends_on'
        when 'required_missing' then 'starts_on'
    end as flaw_column,
    case flaw when 'not_a_date' then impossible(starts_on) end as flaw_text
from flawed
