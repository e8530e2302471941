-- One row is a month and a service level as it was in that month.
-- Reads: marts.service_level, marts.service_level_rule, marts.service_level_months,
-- marts.service_goals, marts.offered_calls, marts.missed_calls, staging.tickets,
-- staging.ticket_ratings, core.known_customers, core.lines.
-- Params: as_of_date (date), shown_months (integer).
-- Months count back from 0, that of the as-of date. Ranks are 1 high, 2 mid, 3 general,
-- listed from month 0 on. A contact counts in the month in which it began, with all
-- that is known of it on the as-of date; answers count as in satisfaction_scores.
-- Tickets are held against the goals of the level of the month, as in service_tickets.
with tiers as (
    select
        listed.level_rank,
        listed.level_code
    from (
        values (1, 'high'), (2, 'mid'), (3, 'general')
    ) as listed (level_rank, level_code)
),

months as (
    select
        listed.month_no::integer as month_no,
        (
            date_trunc('month', $as_of_date::date)
            - to_months(listed.month_no::integer)
        )::date as month_date,
        case
            when listed.month_no = 0 then $as_of_date::date
            else (
                date_trunc('month', $as_of_date::date)
                - to_months(listed.month_no::integer - 1)
            )::date - 1
        end as last_date
    from range($shown_months::bigint) as listed (month_no)
),

rules as (
    select
        count(*) > 0 as has_rule,
        $shown_months as n_months
    from marts.service_level_rule
),

now as (
    select
        customer_id,
        case service_level when 'high' then 1 when 'mid' then 2 else 3 end
            as level_rank
    from marts.service_level
),

-- Who has no row at the ends of earlier months was general, where the rule is known.
standings as (
    select
        now.customer_id,
        [now.level_rank] || list_resize(
            coalesce(earlier.level_ranks, []::integer[]),
            rules.n_months,
            case when rules.has_rule then 3 else now.level_rank end
        ) as level_ranks,
        coalesce(earlier.order_months, 0) as order_months
    from now
    cross join rules
    left join marts.service_level_months as earlier
        on now.customer_id = earlier.customer_id
),

customers as (
    select
        months.month_no,
        standings.level_ranks[months.month_no + 1] as level_rank,
        count(*) as n_customers
    from standings
    inner join core.known_customers as known
        on standings.customer_id = known.customer_id
    inner join months
        on coalesce(known.first_known_date <= months.last_date, true)
    group by months.month_no, standings.level_ranks[months.month_no + 1]
),

-- Lost is who had an order in time at the end of the month before, and has none now.
lost as (
    select
        months.month_no,
        standings.level_ranks[months.month_no + 2] as level_rank,
        count(*) as n_lost
    from standings
    inner join months
        on
            (standings.order_months >> months.month_no) & 1 = 0
            and (standings.order_months >> (months.month_no + 1)) & 1 = 1
    group by months.month_no, standings.level_ranks[months.month_no + 2]
),

contacts as (
    select
        customer_id,
        opened_date as contact_date,
        1 as n_tickets,
        (coalesce(kind = 'complaint', false))::integer as n_complaints,
        case
            when first_response_at >= opened_at
                then epoch_us(first_response_at) - epoch_us(opened_at)
        end as response_us,
        case
            when resolved_at >= opened_at
                then epoch_us(resolved_at) - epoch_us(opened_at)
        end as resolution_us,
        coalesce(direction, 'in') = 'in' as is_request,
        case
            when first_response_at is null and resolved_at is null
                then epoch_us(($as_of_date + 1)::timestamptz) - epoch_us(opened_at)
        end as unanswered_us,
        case
            when resolved_at is null
                then epoch_us(($as_of_date + 1)::timestamptz) - epoch_us(opened_at)
        end as unresolved_us,
        0 as n_offered,
        0 as n_in_time,
        null as callback_status,
        null as score
    from staging.tickets
    union all
    select
        customer_id,
        queued_date as contact_date,
        0 as n_tickets,
        0 as n_complaints,
        null as response_us,
        null as resolution_us,
        false as is_request,
        null as unanswered_us,
        null as unresolved_us,
        1 as n_offered,
        is_in_time::integer as n_in_time,
        null as callback_status,
        null as score
    from marts.offered_calls
    union all
    select
        customer_id,
        called_date as contact_date,
        0 as n_tickets,
        0 as n_complaints,
        null as response_us,
        null as resolution_us,
        false as is_request,
        null as unanswered_us,
        null as unresolved_us,
        0 as n_offered,
        0 as n_in_time,
        status as callback_status,
        null as score
    from marts.missed_calls
    union all
    select
        tickets.customer_id,
        coalesce(ratings.rated_date, tickets.opened_date) as contact_date,
        0 as n_tickets,
        0 as n_complaints,
        null as response_us,
        null as resolution_us,
        false as is_request,
        null as unanswered_us,
        null as unresolved_us,
        0 as n_offered,
        0 as n_in_time,
        null as callback_status,
        ratings.score
    from staging.ticket_ratings as ratings
    inner join staging.tickets as tickets
        on ratings.ticket_id = tickets.ticket_id
),

dated_contacts as (
    select
        contacts.*,
        months.month_no,
        coalesce(standings.level_ranks[months.month_no + 1], 3) as level_rank
    from contacts
    inner join months
        on date_trunc('month', contacts.contact_date) = months.month_date
    left join standings
        on contacts.customer_id = standings.customer_id
),

held_contacts as (
    select
        dated_contacts.*,
        case
            when dated_contacts.response_us is not null
                then
                    dated_contacts.response_us::hugeint
                    <= 3600000000 * goals.response_goal_hours
            when
                dated_contacts.unanswered_us::hugeint
                > 3600000000 * goals.response_goal_hours
                then false
        end as is_response_in_time,
        case
            when dated_contacts.resolution_us is not null
                then
                    dated_contacts.resolution_us::hugeint
                    <= 3600000000 * goals.resolution_goal_hours
            when
                dated_contacts.unresolved_us::hugeint
                > 3600000000 * goals.resolution_goal_hours
                then false
        end as is_resolution_in_time
    from dated_contacts
    inner join tiers
        on dated_contacts.level_rank = tiers.level_rank
    left join marts.service_goals as goals
        on
            tiers.level_code = goals.service_level
            and dated_contacts.is_request
),

served as (
    select
        month_no,
        level_rank,
        sum(n_tickets)::hugeint as n_tickets,
        sum(n_complaints)::hugeint as n_complaints,
        sum(response_us)::hugeint as response_us,
        count(response_us)::hugeint as n_responses,
        sum(resolution_us)::hugeint as resolution_us,
        count(resolution_us)::hugeint as n_resolutions,
        sum(n_offered)::hugeint as n_offered,
        sum(n_in_time)::hugeint as n_in_time,
        count(callback_status) filter (where level_rank = 2) as n_callbacks,
        count(*) filter (where level_rank = 2 and callback_status != 'due')::hugeint
            as n_due,
        count(*) filter (
            where level_rank = 2 and callback_status = 'done_in_time'
        )::hugeint as n_done_in_time,
        sum(score)::hugeint as sum_of_scores,
        count(score)::hugeint as n_answers,
        count(is_response_in_time)::hugeint as n_responses_held,
        (count(*) filter (where is_response_in_time))::hugeint
            as n_responses_in_time,
        count(is_resolution_in_time)::hugeint as n_resolutions_held,
        (count(*) filter (where is_resolution_in_time))::hugeint
            as n_resolutions_in_time
    from held_contacts
    group by month_no, level_rank
),

spend as (
    select
        months.month_no,
        standings.level_ranks[months.month_no + 1] as level_rank,
        sum(bought.spend_amount)::decimal(18, 2) as spend_amount
    from core.lines as bought
    inner join months
        on date_trunc('month', bought.line_date) = months.month_date
    inner join standings
        on bought.customer_id = standings.customer_id
    group by months.month_no, standings.level_ranks[months.month_no + 1]
),

-- Every level of a month at whose end there was a customer.
levels as (
    select
        months.month_no,
        months.month_date,
        tiers.level_rank,
        tiers.level_code as service_level,
        months.month_no = 0 or rules.has_rule as is_level_of_month
    from months
    semi join customers
        on months.month_no = customers.month_no
    cross join tiers
    cross join rules
)

select
    levels.month_date as month,  -- noqa: RF04
    levels.service_level,
    coalesce(customers.n_customers, 0) as n_customers,
    coalesce(served.n_tickets, 0)::bigint as n_tickets,
    coalesce(served.n_complaints, 0)::bigint as n_complaints,
    (
        (served.response_us + 18 * served.n_responses)
        // nullif(36 * served.n_responses, 0)
        * 0.00000001
    )::decimal(24, 8) as first_response_hours,
    (
        (served.resolution_us + 18 * served.n_resolutions)
        // nullif(36 * served.n_resolutions, 0)
        * 0.00000001
    )::decimal(24, 8) as resolution_hours,
    coalesce(served.n_offered, 0)::bigint as n_calls_offered,
    (
        (2000000 * served.n_in_time + served.n_offered)
        // nullif(2 * served.n_offered, 0)
        * 0.000001
    )::decimal(18, 6) as in_time_ratio,
    coalesce(served.n_callbacks, 0) as n_callbacks,
    (
        (2000000 * served.n_done_in_time + served.n_due)
        // nullif(2 * served.n_due, 0)
        * 0.000001
    )::decimal(18, 6) as callbacks_in_time_ratio,
    (
        (200000000 * served.sum_of_scores + served.n_answers)
        // nullif(2 * served.n_answers, 0)
        * 0.00000001
    )::decimal(24, 8) as satisfaction_score,
    coalesce(spend.spend_amount, 0)::decimal(18, 2) as spend_amount,
    coalesce(lost.n_lost, 0) as n_lost,
    levels.is_level_of_month,
    (
        (2000000 * served.n_responses_in_time + served.n_responses_held)
        // nullif(2 * served.n_responses_held, 0)
        * 0.000001
    )::decimal(18, 6) as responses_in_time_ratio,
    (
        (2000000 * served.n_resolutions_in_time + served.n_resolutions_held)
        // nullif(2 * served.n_resolutions_held, 0)
        * 0.000001
    )::decimal(18, 6) as resolutions_in_time_ratio
from levels
left join customers
    on
        levels.month_no = customers.month_no
        and levels.level_rank = customers.level_rank
left join lost
    on
        levels.month_no = lost.month_no
        and levels.level_rank = lost.level_rank
left join served
    on
        levels.month_no = served.month_no
        and levels.level_rank = served.level_rank
left join spend
    on
        levels.month_no = spend.month_no
        and levels.level_rank = spend.level_rank
