-- One row is a feed, with the former versions of files that go when files are
-- forgotten: those of the files, and those of equal files that lay elsewhere and are in
-- the ledger no more.
-- Reads: raw.files and raw.former_files.
-- Params: ids integer[], the files to forget.
with forgotten as (
    select * from raw.files
    where list_contains($ids, file_id)
),

versions as (
    select
        feed,
        path,
        content_digest
    from forgotten
    union distinct
    select
        former.feed,
        former.path,
        former.content_digest
    from raw.former_files as former
    semi join forgotten
        on former.feed = forgotten.feed and former.path = forgotten.path
)

select
    former.feed,
    list(former.file_id order by former.file_id asc) as file_ids
from raw.former_files as former
where
    former.is_kept
    and (
        (former.feed, former.path) in (select (v.feed, v.path) from versions as v)
        or (
            (former.feed, former.path) not in (
                select (files.feed, files.path) from raw.files as files
            )
            and former.content_digest in (select v.content_digest from versions as v)
        )
    )
group by former.feed
order by former.feed asc
