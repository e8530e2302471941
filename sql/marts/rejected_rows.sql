-- One row is a rejected row of a landing file.
-- Reads: raw.rejected_rows, raw.files, raw.file_names, raw.corrected_records.
select
    rejected.feed,
    shown.shown_path as file,
    (rejected.line_no - 1) // coalesce(files.line_step, 1) + 1 as line_no,
    rejected.column_name,
    rejected.reason_code,
    rejected.raw_text,
    corrections.shown_path as correction_file,
    corrected.correction_line_no
from raw.rejected_rows as rejected
inner join raw.files as files
    on rejected.file_id = files.file_id
inner join raw.file_names as shown
    on rejected.file_id = shown.file_id
left join raw.corrected_records as corrected
    on
        rejected.file_id = corrected.file_id
        and (rejected.line_no - 1) // coalesce(files.line_step, 1) + 1
        = corrected.line_no
left join raw.file_names as corrections
    on corrected.correction_id = corrections.file_id
order by
    rejected.feed asc,
    files.path asc,
    rejected.line_no asc
