-- One row is a row of a correction file, with what is wrong with it, if anything.
-- Reads: the temporary table _correction_problems.
-- Of several corrections of one record none is used: nothing says which is right. Rows
-- that change nothing correct nothing.
with counted as (
    select
        *,
        count(*) filter (problem is null and is_touched) over (
            partition by line_no
        ) as n_corrections
    from _correction_problems
)

select
    * exclude (problem, problem_column, n_corrections),
    case
        when problem is not null then problem
        when is_touched and n_corrections > 1 then 'corrected_twice'
    end as problem,
    case
        when problem is not null then problem_column
        when is_touched and n_corrections > 1 then 'fenji_line_no'
    end as problem_column,
    problem is null and is_touched and n_corrections = 1 as is_used
from counted
