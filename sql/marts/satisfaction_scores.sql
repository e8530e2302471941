-- One row is a ticket, customer, agent or dimension, over all time or in a month.
-- Reads: staging.ticket_ratings, staging.tickets.
-- Params: reward_score, warn_score.
-- A score is the mean of the answers, in whole numbers; bands compare the sums.
-- An answer without a time counts in the month of its ticket; without that it has no
-- date at all and is left out.
with answers as (
    select
        ratings.ticket_id,
        tickets.customer_id,
        tickets.agent_id,
        ratings.dimension,
        ratings.score,
        date_trunc('month', coalesce(ratings.rated_date, tickets.opened_date))::date
            as answer_month
    from staging.ticket_ratings as ratings
    left join staging.tickets as tickets
        on ratings.ticket_id = tickets.ticket_id
    where ratings.rated_date is not null or tickets.opened_date is not null
),

scopes as (
    select
        'ticket' as scope_type,
        ticket_id as scope_id,
        answer_month,
        score
    from answers
    union all
    select
        'customer' as scope_type,
        customer_id as scope_id,
        answer_month,
        score
    from answers
    where customer_id is not null
    union all
    select
        'agent' as scope_type,
        agent_id as scope_id,
        answer_month,
        score
    from answers
    where agent_id is not null
    union all
    select
        'dimension' as scope_type,
        dimension as scope_id,
        answer_month,
        score
    from answers
),

sums as (
    select
        scope_type,
        scope_id,
        answer_month,
        sum(score) as sum_of_scores,
        count(*)::hugeint as n_answers
    from scopes
    group by
        grouping sets (
            (scope_type, scope_id), (scope_type, scope_id, answer_month)
        )
)

select
    scope_type,
    scope_id,
    answer_month as month,  -- noqa: RF04
    (
        (200000000 * sum_of_scores + n_answers) // (2 * n_answers) * 0.00000001
    )::decimal(24, 8) as score,
    n_answers::bigint as n_answers,
    case
        when scope_type != 'agent' then null
        when sum_of_scores >= $reward_score * n_answers then 'reward'
        when sum_of_scores < $warn_score * n_answers then 'warn'
    end as band
from sums
