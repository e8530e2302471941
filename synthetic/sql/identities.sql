-- One row is an identifier of a customer in some system.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
with numbered as (
    select
        *,
        unnest(['card', 'openid', 'loyalty_app']) as id_kind,
        unnest([0, 1, 2]) as id_no
    from customer_traits($seed, $customers, $since::date, $until::date)
    where not is_prospect
),

keyed as (
    select
        *,
        draw(key, 17000 + id_no::ubigint) as id_key
    from numbered
),

flawed as (
    select
        *,
        flaw_of(id_key, ['duplicate', 'required_missing']) as flaw
    from keyed
    where chance(id_key, 1, [6000, 4000, 2000][id_no + 1])
)

select
    customer_id,
    id_kind,
    case id_kind
        when 'card'
            then
                '8' || lpad((customer_no * 7 + 11)::varchar, 11, '0')
        when 'openid'
            then
                'o' || lpad(printf('%x', draw(id_key, 2)), 8, '0')
                || lpad(printf('%x', customer_no), 8, '0')
        else 'u' || (1000 + customer_no)
    end as id_value,
    flaw,
    case flaw when 'required_missing' then 'id_value' end as flaw_column,
    null::varchar as flaw_text
from flawed
