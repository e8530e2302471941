-- One row is a version of a file that was moved, the present one or a former one, with
-- the path that it had and the one that it has now.
-- Reads: raw.files, raw.former_files and the temporary table _now.
with versions as (
    select
        file_id,
        feed,
        path
    from raw.files
    union all
    select
        file_id,
        feed,
        path
    from raw.former_files
)

select
    versions.file_id,
    versions.path as was,
    _now.path
from versions
inner join raw.files as files
    on versions.feed = files.feed and versions.path = files.path
inner join _now on files.file_id = _now.file_id
