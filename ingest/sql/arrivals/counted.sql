-- One row is a feed with files that were read since the release before: what became of
-- their rows, and what they took the place of.
-- Reads: raw.files, raw.file_names, raw.former_files, raw.corrected_records and the
-- temporary tables _came and _books.
-- Params: since timestamptz; null: there was no release before.
-- A version that came and went between two releases took no place of any.
with new_corrections as (
    select
        file_id,
        count(*) as n_corrected
    from raw.corrected_records
    where $since is null or known_from >= $since
    group by file_id
),

replaced as (
    select
        feed,
        path,
        sum(n_read) as n_read
    from raw.former_files
    where is_kept and loaded_at < $since and replaced_at >= $since
    group by feed, path
)

select
    came.feed,
    count(*) as n_files,
    count(*) filter (books.status = 'refused') as n_refused,
    coalesce(sum(books.n_read), 0)::bigint as n_read,
    coalesce(sum(books.n_loaded), 0)::bigint as n_loaded,
    coalesce(sum(books.n_duplicate), 0)::bigint as n_duplicate,
    coalesce(sum(books.n_rejected), 0)::bigint as n_rejected,
    coalesce(sum(books.n_skipped), 0)::bigint as n_skipped,
    coalesce(sum(new_corrections.n_corrected), 0)::bigint as n_corrected,
    coalesce(sum(replaced.n_read), 0)::bigint as n_replaced
from _came as came
inner join raw.file_names as shown on came.file_id = shown.file_id
inner join _books as books
    on came.feed = books.feed and shown.shown_path = books.file
left join new_corrections on came.file_id = new_corrections.file_id
left join replaced on came.feed = replaced.feed and came.path = replaced.path
group by came.feed
order by came.feed asc
