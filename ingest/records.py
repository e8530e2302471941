"""The records of text files: read into a table once, numbered, none left out.

DuckDB gives neither the number of a record nor a place for records that it cannot
split; it keeps the order, and lists what it could not read by the number of the
record, blank lines counted. From both the number of every row follows.
"""

from collections.abc import Iterator

import duckdb

from ingest import casts
from ingest.sources import Group, NO_DELIMITER
from ingest.statements import Sql, literal, sql

# DuckDB's words for what is wrong with a record, and ours.
_REASONS = {
    "MISSING COLUMNS": "too_few_columns",
    "TOO MANY COLUMNS": "too_many_columns",
    "LINE SIZE OVER MAXIMUM": "line_too_long",
    "INVALID ENCODING": "bad_encoding",
}


def stage(con: duckdb.DuckDBPyConnection, group: Group) -> None:
    """Read the group into the temporary views `_staged` and `_unread`.

    `_staged` has the typed rows as `Group.typed` gives them, with their numbers;
    `_unread` the records that could not be split: `_file`, `_line`, `_reason`, `_raw`,
    `_masked`.
    """
    for name in ("_reject_errors", "_reject_scans", "_typed", "_unread"):
        con.execute(sql("drop table if exists {name}", name=Sql(name)))
    con.execute(
        sql(
            "create temporary table _typed as {typed}",
            typed=group.typed(with_rejects=True),
        )
    )
    if group.layout.kind == "text":
        _list_unread(con, group)
    else:
        con.execute(
            "create temporary table _unread (_file ubigint, _line bigint,"
            " _reason varchar, _raw varchar, _masked varchar)"
        )
    # The first so many rows that could be read stand before the first that could not:
    # a row is moved on by the unread ones before it.
    con.execute(
        "create or replace temporary view _staged as"
        " with firsts as (select _file, min(rowid) as first from _typed group by _file),"
        " shifts as (select _file, _line - nth + 1 as since, max(nth) as shift from"
        " (select _file, _line, row_number() over (partition by _file order by _line)"
        " as nth from _unread) group by all),"
        " placed as (select t.* exclude (_line), t.rowid - f.first + 1 as nth_good"
        " from _typed as t inner join firsts as f on t._file = f._file)"
        " select p.* exclude (nth_good), nth_good + coalesce(s.shift, 0) as _line"
        " from placed as p asof left join shifts as s"
        " on p._file = s._file and p.nth_good >= s.since"
        if _any_unread(con)
        else "create or replace temporary view _staged as"
        " select t.* exclude (_line), t.rowid - f.first + 1 as _line from _typed as t"
        " inner join (select _file, min(rowid) as first from _typed group by _file)"
        " as f on t._file = f._file"
    )


def _any_unread(con: duckdb.DuckDBPyConnection) -> bool:
    return con.execute("select 1 from _unread limit 1").fetchone() is not None


def _list_unread(con: duckdb.DuckDBPyConnection, group: Group) -> None:
    """What DuckDB could not split, once a record, as `_unread`."""
    paths = [str(file.readable) for file in group.files]
    reasons = " ".join(
        f"when '{theirs}' then '{ours}'" for theirs, ours in _REASONS.items()
    )
    con.execute(
        sql(
            "create temporary table _found as select"
            " list_position($paths, file_path) - 1 as _file, line as record,"
            " trim(first(csv_line order by byte_position, column_idx),"
            " chr(10) || chr(13)) as _raw,"
            " first(case error_type {reasons} else case when"
            " contains(error_message, 'unterminated quote') then 'unclosed_quote'"
            " else 'unreadable_row' end end order by byte_position, column_idx)"
            " as _reason from _reject_errors inner join _reject_scans"
            " using (scan_id, file_id) group by file_path, line",
            reasons=Sql(reasons),
        ),
        {"paths": paths},
    )
    con.execute("create temporary table _blank (_file ubigint, record bigint)")
    for (place,) in con.execute(
        "select distinct _file from _found order by _file"
    ).fetchall():
        _list_blank(con, group, place)
    con.execute(
        sql(
            "create temporary table _unread as select _file, record - {skip} -"
            " (select count(*) from _blank as b where b._file = f._file"
            " and b.record < f.record) as _line, _reason, _raw, {masked} as _masked"
            " from _found as f where not {blank}",
            skip=literal(group.layout.skip),
            masked=group.masked_line(Sql("_raw")),
            blank=casts.blank(Sql("_raw")),
        )
    )
    con.execute("drop table _found")
    con.execute("drop table _blank")


def _list_blank(con: duckdb.DuckDBPyConnection, group: Group, place: int) -> None:
    """The blank lines of a file, by the number of the record that they would be.

    A line belongs to the record before it while a quote is open, that is while the
    number of quotes so far is odd. Read as Latin-1, in which every byte is a character.
    """
    before_header = literal(max(group.layout.skip - 1, 0))
    con.execute(
        sql(
            "create temporary table _lines as select line from read_csv([{path}],"
            " auto_detect = false, strict_mode = false, header = false, quote = '',"
            " escape = '', delim = {delimiter}, columns = {{'line': 'VARCHAR'}},"
            " skip = {skip}, encoding = 'latin-1', max_line_size = {size})",
            path=group.path_of(place),
            delimiter=literal(NO_DELIMITER),
            skip=before_header,
            size=literal(group.layout.max_line_size),
        )
    )
    con.execute(
        sql(
            "insert into _blank with counted as (select rowid as n, line,"
            " coalesce(length(line) - length(replace(line, '\"', '')), 0) as quotes"
            " from _lines),"
            " opened as (select n, line, coalesce(sum(quotes) over (order by n"
            " rows between unbounded preceding and 1 preceding), 0) % 2 = 0"
            " as is_start from counted),"
            " numbered as (select line, is_start, {skip} + count(*) filter (is_start)"
            " over (order by n rows unbounded preceding) as record from opened)"
            " select {place}, record from numbered"
            " where is_start and (line is null or {blank})",
            skip=before_header,
            place=literal(place),
            blank=casts.blank(Sql("line")),
        )
    )
    con.execute("drop table _lines")


def lessons(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, str]]:
    """The files that may read better another way: their places, and why."""
    yield from con.execute(
        "select distinct _file, _reason from _unread where _reason in"
        " ('unclosed_quote', 'line_too_long', 'bad_encoding') order by all"
    ).fetchall()
