-- One row is a landing file with rejected records that can be corrected.
-- Reads: raw.rejected_rows and raw.files.
-- Params: not_one_record varchar, the reason of what one record cannot stand for.
with rejected as (
    select
        file_id,
        line_no
    from raw.rejected_rows
    where reason_code <> $not_one_record
),

records as (
    select distinct
        rejected.file_id,
        (rejected.line_no - 1) // coalesce(files.line_step, 1) as record
    from rejected
    inner join raw.files as files on rejected.file_id = files.file_id
    -- A row of a correction file is mended where it stands.
    where files.columns is not null
)

select
    files.file_id,
    count(*) as n_records
from records
inner join raw.files as files on records.file_id = files.file_id
group by files.file_id, files.feed, files.path
order by files.feed asc, files.path asc
