-- One row is a loaded file, with the time since when its content is known.
-- Of a content that lay at several places, what is said of the file's own place holds.
-- Reads: raw.files and the temporary table _known_from.
select
    files.file_id,
    arg_min(known.since, (known.path <> files.path, known.since)) as since
from raw.files as files
inner join _known_from as known
    on files.feed = known.feed and files.content_digest = known.digest
group by files.file_id
