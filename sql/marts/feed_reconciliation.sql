-- One row is a file of a landing folder, with what became of its rows.
-- Reads: raw.files, raw.file_names, raw.loaded_rows, raw.row_status, raw.rejected_rows,
-- raw.corrected_records.
-- Every number is counted where its rows lie, so that it would show if one were lost.
with excluded as (
    select
        file_id,
        count(*) filter (where status = 'duplicate') as n_duplicate,
        -- Their rows are in the feed's table, and listed in rejected_rows.
        count(*) filter (where status = 'rejected') as n_late
    from raw.row_status
    group by file_id
),

rejections as (
    select
        file_id,
        count(*) as n_rejected
    from raw.rejected_rows
    group by file_id
),

corrections as (
    select
        file_id,
        count(*) as n_corrected
    from raw.corrected_records
    group by file_id
)

select
    files.feed,
    shown.shown_path as file,
    files.status,
    files.reason,
    files.n_read,
    case
        when files.n_read is not null
            then
                coalesce(loaded.n_rows, 0)
                - coalesce(excluded.n_duplicate, 0)
                - coalesce(excluded.n_late, 0)
    end as n_loaded,
    case
        when files.n_read is not null then coalesce(excluded.n_duplicate, 0)
    end as n_duplicate,
    case
        when files.n_read is not null then coalesce(rejections.n_rejected, 0)
    end as n_rejected,
    case
        when files.n_read is not null then coalesce(files.n_skipped, 0)
    end as n_skipped,
    case
        when files.n_read is not null then coalesce(files.n_unmatched, 0)
    end as n_unmatched,
    case
        when files.n_read is not null then coalesce(files.n_records, files.n_read)
    end as n_records,
    case
        when files.n_read is not null then coalesce(corrections.n_corrected, 0)
    end as n_corrected
from raw.files as files
inner join raw.file_names as shown
    on files.file_id = shown.file_id
left join raw.loaded_rows as loaded
    on files.file_id = loaded.file_id
left join excluded
    on files.file_id = excluded.file_id
left join rejections
    on files.file_id = rejections.file_id
left join corrections
    on files.file_id = corrections.file_id
