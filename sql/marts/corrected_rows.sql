-- One row is a record of a landing file in whose place stands a correction.
-- Reads: raw.corrected_records, raw.files, raw.file_names, raw.rejected_rows.
-- A correction is rejected where any row that is made of it is.
with rejected as (
    select distinct
        rows_of.file_id,
        (rows_of.line_no - 1) // coalesce(files.line_step, 1) + 1 as line_no
    from raw.rejected_rows as rows_of
    inner join raw.files as files on rows_of.file_id = files.file_id
)

select
    shown.feed,
    shown.shown_path as file,
    corrected.line_no,
    corrected.column_name,
    corrected.reason_code,
    corrections.shown_path as correction_file,
    corrected.correction_line_no,
    rejected.line_no is not null as is_rejected,
    corrected.known_from
from raw.corrected_records as corrected
inner join raw.file_names as shown
    on corrected.file_id = shown.file_id
left join raw.file_names as corrections
    on corrected.correction_id = corrections.file_id
left join rejected
    on
        corrected.file_id = rejected.file_id
        and corrected.line_no = rejected.line_no
order by
    shown.feed asc,
    shown.shown_path asc,
    corrected.line_no asc
