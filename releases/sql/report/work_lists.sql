-- One row is a work list that is made: its customers, how many of them are overdue or
-- due within a week, and what is to be done with most of them.
-- Reads: work_list and work_lists of one release.
with acted as (
    select
        list_id,
        action_en,
        action_zh,
        count(*) as n_rows,
        count(*) filter (due_date < $as_of_date) as n_overdue,
        count(*) filter (
            due_date between $as_of_date
            and cast($as_of_date as date) + interval 7 day
        ) as n_week
    from work_list
    group by list_id, action_en, action_zh
),

listed as (
    select
        list_id,
        sum(n_rows)::bigint as n_rows,
        sum(n_overdue)::bigint as n_overdue,
        sum(n_week)::bigint as n_week,
        arg_max(action_en, (n_rows, action_en)) as action_en,
        arg_max(action_zh, (n_rows, action_en)) as action_zh
    from acted
    group by list_id
)

select
    lists.list_id,
    lists.priority,
    lists.name_en,
    lists.name_zh,
    coalesce(listed.n_rows, 0) as n_rows,
    coalesce(listed.n_overdue, 0) as n_overdue,
    coalesce(listed.n_week, 0) as n_week,
    listed.action_en,
    listed.action_zh
from work_lists as lists
left join listed on lists.list_id = listed.list_id
where lists.is_applicable
order by lists.priority, lists.list_id
