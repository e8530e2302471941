-- One row is a column of a feed whose columns are merged: how many files give it, and
-- the last of these, which has the last word.
-- Reads: raw.files.
with gives as (
    select
        feed,
        path,
        unnest(columns) as column_name
    from raw.files
    where is_partial and columns is not null
)

select
    feed,
    column_name,
    count(*) as n_files,
    -- Byte by byte, as files are ordered; no two of a feed have one path.
    max(path) as last_path
from gives
group by feed, column_name
