-- One row is a new file and the columns that all former files of its mapping have.
-- Reads: raw.files and raw.file_names.
-- Params: since (timestamptz): files read from then on are new.
-- A column that one of the former files lacks as well is not missed: files differ. Nor
-- is any missed where columns are merged: there each file gives what it has.
with loaded as (
    select
        file_id,
        feed,
        mapping_digest,
        columns,
        coalesce(loaded_at >= $since, false) as is_new
    from raw.files
    where
        status = 'loaded'
        and columns is not null
        and not coalesce(is_partial, false)
),

expected as (
    select
        feed,
        mapping_digest,
        unnest(columns) as column_name,
        count(*) as n_having
    from loaded
    where not is_new
    group by feed, mapping_digest, column_name
),

former as (
    select
        feed,
        mapping_digest,
        count(*) as n_files
    from loaded
    where not is_new
    group by feed, mapping_digest
)

select
    loaded.feed,
    shown.shown_path as file,
    list(expected.column_name order by expected.column_name) as lost_columns
from loaded
inner join former
    on
        loaded.feed = former.feed
        and loaded.mapping_digest = former.mapping_digest
inner join expected
    on
        loaded.feed = expected.feed
        and loaded.mapping_digest = expected.mapping_digest
        and former.n_files = expected.n_having
inner join raw.file_names as shown
    on loaded.file_id = shown.file_id
where
    loaded.is_new
    and not list_contains(loaded.columns, expected.column_name)
group by loaded.feed, shown.shown_path
order by loaded.feed, shown.shown_path
