-- One row is a new file and the headers of it that nothing reads and that no former
-- file of its mapping had.
-- Reads: raw.files and raw.file_names.
-- Params: since (timestamptz): files read from then on are new.
-- Files of which the headers were never noted are not compared.
with loaded as (
    select
        file_id,
        feed,
        mapping_digest,
        unused_headers,
        coalesce(loaded_at >= $since, false) as is_new
    from raw.files
    where status = 'loaded' and unused_headers is not null
),

former as (
    select
        feed,
        mapping_digest,
        flatten(list(unused_headers)) as headers
    from loaded
    where not is_new
    group by feed, mapping_digest
),

pairs as (
    select
        loaded.feed,
        shown.shown_path as file,
        loaded.unused_headers,
        former.headers as former_headers
    from loaded
    inner join former
        on
            loaded.feed = former.feed
            and loaded.mapping_digest = former.mapping_digest
    inner join raw.file_names as shown
        on loaded.file_id = shown.file_id
    where loaded.is_new
),

found as (
    select
        feed,
        file,
        list_filter(
            unused_headers,
            lambda header: not list_contains(former_headers, header)
        ) as headers
    from pairs
)

select
    feed,
    file,
    headers
from found
where len(headers) > 0
order by feed, file
