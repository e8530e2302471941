-- One row is a rejected record of a landing file, with why it was rejected: of several
-- rows that were made of it, as the first of them.
-- Reads: raw.rejected_rows and raw.files.
-- Params: file_id integer; not_one_record varchar, as for `rejected`.
with rejected as (
    select
        file_id,
        line_no,
        coalesce(column_name || ': ', '') || reason_code as reason
    from raw.rejected_rows
    where file_id = $file_id and reason_code <> $not_one_record
)

select
    (rejected.line_no - 1) // coalesce(files.line_step, 1) + 1 as _line,
    first(
        rejected.reason order by rejected.line_no asc, rejected.reason asc
    ) as reason
from rejected
inner join raw.files as files on rejected.file_id = files.file_id
group by _line
