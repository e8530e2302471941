-- One row is a record that DuckDB could not split, with what is wrong with it.
-- Reads: the tables that DuckDB fills while it reads, with one row an error.
-- Params: paths varchar[], the files of the group in their order.
-- record: the number of the record, blank lines and those before the rows counted.
-- begins, ends: bytes from the start of the unpacked file.
-- is_partial: DuckDB shows no or only a piece of the record.
-- is_elsewhere: the error lies beyond the line that is shown.
with records as (
    select
        scans.file_path,
        errors.line as record,
        min(errors.line_byte_position) - 1 as begins,
        max(
            greatest(
                errors.byte_position,
                errors.line_byte_position + strlen(errors.csv_line)
            )
        ) - 1 as ends,
        count(distinct errors.csv_line) > 1
        or min(strlen(errors.csv_line)) = 0 as is_partial,
        trim(
            max_by(errors.csv_line, strlen(errors.csv_line)), chr(10) || chr(13)
        ) as _raw,
        first(
            case errors.error_type
                when 'MISSING COLUMNS' then 'too_few_columns'
                when 'TOO MANY COLUMNS' then 'too_many_columns'
                when 'LINE SIZE OVER MAXIMUM' then 'line_too_long'
                when 'INVALID ENCODING' then 'bad_encoding'
                else 'unreadable_row'
            end
            order by errors.byte_position asc, errors.column_idx asc
        ) as _reason,
        bool_or(
            errors.byte_position - errors.line_byte_position
            > strlen(errors.csv_line) + 2
        ) as is_elsewhere
    from _reject_errors as errors
    inner join _reject_scans as scans
        on
            errors.scan_id = scans.scan_id
            and errors.file_id = scans.file_id
    group by scans.file_path, errors.line
)

select
    list_position($paths, file_path) - 1 as _file,
    record,
    begins,
    ends,
    is_partial,
    _raw,
    _reason,
    is_elsewhere
from records
