-- One row is a column of a new file of which nearly no value is one of its type, while
-- nearly all were in each former file of the mapping.
-- Reads: raw.files, raw.file_names and raw.rejected_rows.
-- Params: since (timestamptz): files read from then on are new.
-- Nearly: of 20 rows and more 95% were rejected for the column, and in no former file
-- more than 5%. Rows that the mapping leaves out are none.
with loaded as (
    select
        file_id,
        feed,
        mapping_digest,
        columns,
        n_read - coalesce(n_skipped, 0) as n_rows,
        coalesce(loaded_at >= $since, false) as is_new
    from raw.files
    where status = 'loaded' and columns is not null
),

failed as (
    select
        file_id,
        column_name,
        reason_code,
        count(*) as n
    from raw.rejected_rows
    where
        not is_late
        and column_name is not null
        and reason_code in (
            'not_a_number',
            'not_a_whole_number',
            'out_of_range',
            'not_a_date',
            'not_a_boolean',
            'not_in_list'
        )
    group by file_id, column_name, reason_code
),

by_column as (
    select
        file_id,
        column_name,
        -- Of two reasons that are as frequent the first by name.
        arg_max(reason_code, (n, reason_code)) as reason_code,
        sum(n)::bigint as n
    from failed
    group by file_id, column_name
),

suspects as (
    select
        loaded.file_id,
        loaded.feed,
        loaded.mapping_digest,
        loaded.n_rows,
        by_column.column_name,
        by_column.reason_code,
        by_column.n
    from loaded
    inner join by_column on loaded.file_id = by_column.file_id
    where
        loaded.is_new
        and loaded.n_rows >= 20
        and by_column.n * 100 >= loaded.n_rows * 95
)

select
    suspects.feed,
    shown.shown_path as file,
    suspects.column_name,
    suspects.reason_code,
    suspects.n as n_rejected,
    suspects.n_rows,
    count(*) as n_files
from suspects
inner join loaded as former
    on
        suspects.feed = former.feed
        and suspects.mapping_digest = former.mapping_digest
        and not former.is_new
        and former.n_rows > 0
        and list_contains(former.columns, suspects.column_name)
left join by_column as earlier
    on
        former.file_id = earlier.file_id
        and suspects.column_name = earlier.column_name
inner join raw.file_names as shown
    on suspects.file_id = shown.file_id
group by
    suspects.feed,
    shown.shown_path,
    suspects.column_name,
    suspects.reason_code,
    suspects.n,
    suspects.n_rows
having max(coalesce(earlier.n, 0) * 100 - former.n_rows * 5) <= 0
order by suspects.feed, shown.shown_path, suspects.column_name
