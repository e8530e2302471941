-- One row is a customer, with its place in the queues of the service team.
-- Reads: core.customers, marts.service_level, marts.importance_list.
-- Params: black_priority, red_priority, high_priority, mid_priority, general_priority
-- (integers).
-- The black list goes before everything else, also before the best level.
with standing as (
    select
        customers.customer_id,
        coalesce(levels.service_level, 'general') as service_level,
        coalesce(levels.service_need, 'none') as service_need,
        coalesce(lists.list_flag, 'normal') as list_flag
    from core.customers as customers
    left join marts.service_level as levels
        on customers.customer_id = levels.customer_id
    left join marts.importance_list as lists
        on customers.customer_id = lists.customer_id
)

select
    customer_id,
    service_level,
    service_need,
    list_flag,
    case
        when list_flag = 'black' then $black_priority
        when list_flag = 'red' then $red_priority
        when service_level = 'high' then $high_priority
        when service_level = 'mid' then $mid_priority
        else $general_priority
    end::integer as queue_priority
from standing
