-- One row is a row of a feed whose columns are merged, and that does not count.
-- A row is a duplicate when the row that spoke of its columns before it says the same
-- of the same columns. It is superseded when later rows speak of every column of it.
-- Reads: the temporary view _repeated_rows, the temporary table _given.
-- Params: feed varchar.
-- Duplicates speak again for nobody: what they repeat stands, and nothing between the
-- two spoke of any of these columns.
with said as (
    select
        repeated._file_id,
        repeated._line_no,
        repeated.key,
        repeated.place,
        repeated.content,
        given.shape_no,
        given.class_no
    from _repeated_rows as repeated
    inner join _given as given on repeated._file_id = given.file_id
),

followed as (
    select
        *,
        lag(content) over before as content_before,
        lag(shape_no) over before as shape_before
    from said
    window before as (partition by key, class_no order by place)
),

compared as (
    select
        *,
        bool_and(
            coalesce(content = content_before and shape_no = shape_before, false)
        ) over (partition by _file_id, _line_no) as is_duplicate
    from followed
),

counted as (
    select
        *,
        max(case when not is_duplicate then place end) over same_columns as last_place
    from compared
    window same_columns as (partition by key, class_no)
)

select
    $feed::varchar as feed,
    _file_id as file_id,
    _line_no as line_no,
    case when is_duplicate then 'duplicate' else 'superseded' end as status
from counted
group by _file_id, _line_no, is_duplicate
having is_duplicate or bool_and(place < last_place)
