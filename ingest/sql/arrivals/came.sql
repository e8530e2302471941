-- One row is a landing file that was read since the release before.
-- Reads: raw.files.
-- Params: since timestamptz; null: all files were.
select
    feed,
    file_id,
    path
from raw.files
where $since is null or loaded_at >= $since
