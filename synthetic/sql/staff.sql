-- One row is a person who handles contacts or looks after customers.
-- Params: seed, customers (integers).
-- The first of each team leads it; an account manager reports to the first of them.
with numbered as (
    select
        series.person_no < n_agents($customers) as is_agent,
        case
            when series.person_no < n_agents($customers) then series.person_no
            else series.person_no - n_agents($customers)
        end as number_in_kind,
        draw(draw($seed, 610), series.person_no::ubigint) as person_key
    from
        range((n_agents($customers) + n_managers($customers))::bigint)
            as series (person_no)
),

flawed as (
    select
        *,
        case when is_agent then number_in_kind % 8 = 0 else number_in_kind = 0 end
            as is_leader,
        flaw_of(person_key, ['duplicate', 'required_missing', 'not_in_list']) as flaw
    from numbered
)

select
    case
        when is_agent then agent_id_of(number_in_kind)
        else manager_id_of(number_in_kind)
    end as agent_id,
    case
        when is_agent then 'service ' || (1 + number_in_kind // 8)
        else 'account managers'
    end as team,
    case
        when is_leader then 'expert'
        else pick(person_key, 1, ['junior', 'junior', 'senior', 'senior', 'expert'])
    end as level, -- noqa: RF04
    case
        when is_leader then null
        when is_agent then agent_id_of(number_in_kind - number_in_kind % 8)
        else manager_id_of(0)
    end as manager_id,
    flaw,
    case flaw
        when 'required_missing' then 'agent_id'
        when 'not_in_list' then 'level'
    end as flaw_column,
    case flaw when 'not_in_list' then 'trainee' end as flaw_text
from flawed
