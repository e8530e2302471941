-- One row is a row of a feed that does not count since another one has its key.
-- A row is a duplicate when an earlier one has its key and its content; it is
-- superseded when a later one has its key and other content.
-- Reads: the temporary view _repeated_rows.
-- Params: feed varchar.
with placed as (
    select
        _file_id,
        _line_no,
        place,
        min(place) over same_content as first_place,
        max(place) over same_content as last_place,
        max(place) over same_key as key_place
    from _repeated_rows
    window
        same_key as (partition by key, nth),
        same_content as (partition by key, nth, content)
)

select
    $feed::varchar as feed,
    _file_id as file_id,
    _line_no as line_no,
    case when place > first_place then 'duplicate' else 'superseded' end as status
from placed
where place > first_place or last_place < key_place
