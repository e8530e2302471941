-- One row is a file of a landing folder, with what became of its rows.
-- Reads: raw.files, raw.row_status, raw.rejected_rows.
with duplicates as (
    select
        file_id,
        count(*) as n_duplicate
    from raw.row_status
    where status = 'duplicate'
    group by file_id
),

rejections as (
    select
        file_id,
        count(*) as n_rejected
    from raw.rejected_rows
    group by file_id
)

select
    files.feed,
    files.path as file,
    files.status,
    files.reason,
    files.n_read,
    files.n_read - coalesce(duplicates.n_duplicate, 0)
    - coalesce(rejections.n_rejected, 0) as n_loaded,
    case
        when files.n_read is not null then coalesce(duplicates.n_duplicate, 0)
    end as n_duplicate,
    case
        when files.n_read is not null then coalesce(rejections.n_rejected, 0)
    end as n_rejected
from raw.files as files
left join duplicates
    on files.file_id = duplicates.file_id
left join rejections
    on files.file_id = rejections.file_id
