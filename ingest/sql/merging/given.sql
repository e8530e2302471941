-- One row is a file of a feed and a class of columns that it gives: those which the
-- very same files give, so that they come and go together.
-- Reads: raw.files.
-- Params: feed varchar; columns varchar[], of the feed, those of its key left out.
-- A file that gives nothing but keys has one class, of no column: it still says that
-- there is such a row.
with loaded as (
    select
        file_id,
        path,
        case
            when not coalesce(is_partial, false) then list_sort($columns)
            when list_has_any(columns, $columns)
                then list_sort(list_intersect(columns, $columns))
            else ['']
        end as gives
    from raw.files
    where feed = $feed and columns is not null
),

shapes as (
    select
        gives,
        row_number() over (order by gives)::integer as shape_no
    from loaded
    group by gives
),

gives as (
    select
        shape_no,
        unnest(gives) as column_name
    from shapes
),

givers as (
    select
        column_name,
        list(shape_no order by shape_no) as shapes
    from gives
    group by column_name
),

classes as (
    select
        shapes,
        list(column_name order by column_name) as column_names,
        row_number() over (order by shapes)::integer as class_no
    from givers
    group by shapes
)

select
    loaded.file_id,
    -- Files are ordered by their paths, byte by byte.
    dense_rank() over (order by loaded.path) as place,
    shapes.shape_no,
    classes.class_no,
    classes.column_names
from loaded
inner join shapes on loaded.gives = shapes.gives
inner join classes on list_contains(classes.shapes, shapes.shape_no)
