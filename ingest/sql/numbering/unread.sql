-- One row is a record that could not be split, by the number that it has among the
-- records that are not blank.
-- Reads: the temporary view _judged and the temporary tables _blank and _typed.
-- Params: skip integer, the records before the first row.
with numbered as (
    select
        judged._file,
        judged._reason,
        judged._raw,
        judged._masked,
        judged.n_quotes,
        judged.record - $skip - (
            select count(*)
            from _blank as blank
            where blank._file = judged._file and blank.record < judged.record
        ) as _line
    from _judged as judged
    where not judged.is_blank or judged._reason = 'unreadable_row'
),

records as (
    select _file from _typed
    union all
    select _file from numbered
),

files as (
    select
        _file,
        count(*) as last_line
    from records
    group by _file
)

select
    numbered._file,
    numbered._line,
    case
        when
            numbered._reason = 'unreadable_row'
            and numbered.n_quotes % 2 = 1
            and numbered._line = files.last_line
            then 'unclosed_quote'
        else numbered._reason
    end as _reason,
    numbered._raw,
    numbered._masked
from numbered
inner join files on numbered._file = files._file
