-- One row is a record that could be split, by its file and number: rows that could not
-- be split leave their numbers out.
-- Reads: the temporary tables _typed and _unread.
with records as (
    select _file from _typed
    union all
    select _file from _unread
),

totals as (
    select
        _file,
        count(*) as n
    from records
    group by _file
),

all_lines as (
    select
        _file,
        unnest(range(1, n + 1)) as line_no
    from totals
)

select
    all_lines._file,
    all_lines.line_no
from all_lines
anti join _unread
    on all_lines._file = _unread._file and all_lines.line_no = _unread._line
order by all_lines._file asc, all_lines.line_no asc
