-- One row is a rejected row of a landing file.
-- Reads: raw.rejected_rows, raw.files, raw.file_names.
select
    rejected.feed,
    shown.shown_path as file,
    case
        when files.line_step is null then rejected.line_no
        else (rejected.line_no - 1) // files.line_step + 1
    end as line_no,
    rejected.column_name,
    rejected.reason_code,
    rejected.raw_text
from raw.rejected_rows as rejected
inner join raw.files as files
    on rejected.file_id = files.file_id
inner join raw.file_names as shown
    on rejected.file_id = shown.file_id
order by
    rejected.feed asc,
    files.path asc,
    rejected.line_no asc
