-- One row is a service ticket of the last two years, in order of time.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
with tickets as (
    select
        *,
        least(n_assets(key, is_organization), 4) as n_of_assets,
        flaw_of(
            ticket_key,
            ['duplicate', 'late', 'not_a_date', 'not_in_list', 'not_a_boolean']
        ) as flaw
    from service_tickets($seed, $customers, $since::date, $until::date)
)

select
    ticket_id,
    customer_id,
    opened_at,
    case when first_response_at::date <= $until::date then first_response_at end
        as first_response_at,
    case when resolved_at::date <= $until::date then resolved_at end as resolved_at,
    kind_of_ticket as kind,
    case when chance(ticket_key, 20, 1500) then 'out' else 'in' end as direction,
    case
        when is_prospect then 'pre_sale'
        else pick(
            ticket_key,
            21,
            ['pre_sale', 'in_sale', 'after_sale', 'after_sale', 'after_sale']
        )
    end as service_stage,
    case when not chance(ticket_key, 22, 500) then severity end as severity,
    case
        when resolved_at::date <= $until::date then 'closed'
        when first_response_at::date <= $until::date then 'in progress'
        else 'new'
    end as status,
    case
        when resolved_at::date <= $until::date
            then pick(ticket_key, 23, ['solved', 'solved', 'solved', '已解决', 'refused'])
    end as result,
    agent_id_of(agent_no) as agent_id,
    case
        when kind_of_ticket = 'fault' and n_of_assets > 0
            then asset_id_of(
                customer_no, draw_below(ticket_key, 24, n_of_assets)
            )
    end as asset_id,
    kind_of_ticket = 'fault' and chance(ticket_key, 25, 4000) as needs_engineer,
    kind_of_ticket = 'complaint' and chance(ticket_key, 26, 2500)
        as exceeds_authority,
    -- A visit costs more than a talk; some cost more than the customer brings.
    money(
        skewed(ticket_key, 27, case kind_of_ticket when 'fault' then 1500 else 400 end)
    ) as cost_amount,
    flaw,
    case flaw
        when 'not_a_date' then 'opened_at'
        when 'not_in_list' then 'severity'
        when 'not_a_boolean' then 'needs_engineer'
    end as flaw_column,
    case flaw
        when 'not_a_date' then impossible(opened_at)
        when 'not_in_list' then '9'
        when 'not_a_boolean' then 'perhaps'
    end as flaw_text
from tickets
order by opened_at asc, ticket_id asc
