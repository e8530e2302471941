"""The records of text files: read into a table once, numbered, none left out.

DuckDB gives neither the number of a record nor a place for records that it cannot
split; it keeps the order, and lists what it could not read by the number of the
record, blank lines counted. From both the number of every row follows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

import duckdb

from ingest import casts, masks, transcoding
from ingest.relation import NO_DELIMITER, Group, sizes
from ingest.sniffing import UTF8
from ingest.sql_text import Sql, listed, literal, sql
from ingest.unpacking import opened

# How many records are read again for their text, and how much of each.
_MOST_AGAIN, _LONGEST_AGAIN = 10_000, 20_000
_CHUNK = 1 << 16

# DuckDB's words for what is wrong with a record, and ours.
_REASONS = {
    "MISSING COLUMNS": "too_few_columns",
    "TOO MANY COLUMNS": "too_many_columns",
    "LINE SIZE OVER MAXIMUM": "line_too_long",
    "INVALID ENCODING": "bad_encoding",
}


def read(con: duckdb.DuckDBPyConnection, group: Group) -> None:
    """Read the group into temporary tables: typed rows, and what could not be split."""
    for name in ("_reject_errors", "_reject_scans", "_typed", "_found", "_unread"):
        con.execute(sql("drop table if exists {name}", name=Sql(name)))
    con.execute(
        sql(
            "create temporary table _typed as {typed}",
            typed=group.typed(with_rejects=True),
        )
    )
    if group.layout.kind == "text":
        _list_found(con, group)


def number(con: duckdb.DuckDBPyConnection, group: Group, scratch: Path) -> None:
    """Number the records that were read, as the temporary `_staged` and `_unread`.

    `_staged` has the typed rows as `Group.typed` gives them, with their numbers;
    `_unread` the records that could not be split: `_file`, `_line`, `_reason`, `_raw`,
    `_masked`.
    """
    if group.layout.kind == "text":
        _list_unread(con, group, scratch)
    else:
        con.execute(
            "create temporary table _unread (_file ubigint, _line bigint,"
            " _reason varchar, _raw varchar, _masked varchar)"
        )
    if con.execute("select 1 from _unread limit 1").fetchone() is None:
        con.execute(
            sql(
                "create or replace temporary view _staged as select * exclude (_line),"
                " rowid - list_extract([{firsts}], _file::bigint + 1) + 1 as _line"
                " from _typed",
                firsts=_first_rows(con, group),
            )
        )
        return
    # The rows that could be read have the numbers that those that could not leave.
    con.execute(
        "create or replace temporary table _numbers as with totals as (select _file,"
        " count(*) as n from (select _file from _typed union all"
        " select _file from _unread) group by _file)"
        " select _file, line from (select _file, unnest(range(1, n + 1)) as line"
        " from totals) as all_lines anti join _unread as u"
        " on all_lines._file = u._file and all_lines.line = u._line"
        " order by _file, line"
    )
    con.execute(
        "create or replace temporary view _staged as select t.* exclude (_line),"
        " n.line as _line from _typed as t positional join _numbers as n"
    )


def _first_rows(con: duckdb.DuckDBPyConnection, group: Group) -> Sql:
    """The first row of each file in `_typed`, which holds the files one by one."""
    firsts = dict(
        con.execute("select _file, min(rowid) from _typed group by _file").fetchall()
    )
    # A list and no join: DuckDB's joins lose the order of rows.
    return listed(literal(firsts.get(place)) for place in range(len(group.files)))


def _list_found(con: duckdb.DuckDBPyConnection, group: Group) -> None:
    """What DuckDB could not split, once a record, as `_found`."""
    paths = [str(file.readable) for file in group.files]
    reasons = " ".join(
        f"when '{theirs}' then '{ours}'" for theirs, ours in _REASONS.items()
    )
    con.execute(
        sql(
            "create temporary table _found as"
            " select *, length(_raw) - length(replace(_raw, '\"', '')) as n_quotes"
            " from (select list_position($paths, file_path) - 1 as _file,"
            " line as record, min(line_byte_position) - 1 as begins,"
            " max(greatest(byte_position, line_byte_position + strlen(csv_line))) - 1"
            " as ends, count(distinct csv_line) > 1 or min(strlen(csv_line)) = 0"
            " as is_partial, trim(max_by(csv_line, strlen(csv_line)),"
            " chr(10) || chr(13)) as _raw,"
            " first(case error_type {reasons} else 'unreadable_row' end"
            " order by byte_position, column_idx) as _reason,"
            # The error lies beyond the line that is shown.
            " bool_or(byte_position - line_byte_position > strlen(csv_line) + 2)"
            " as is_elsewhere from _reject_errors inner join _reject_scans"
            " using (scan_id, file_id) group by file_path, line)",
            reasons=Sql(reasons),
        ),
        {"paths": paths},
    )
    _read_again(con, group)


def _read_again(con: duckdb.DuckDBPyConnection, group: Group) -> None:
    """Take from the files what DuckDB shows only in pieces, or not at all.

    It does so with records that hold an escaped quote and a line end. Their text is
    needed for the rejected rows alone, so no more of them are read than people look at.
    """
    partial = con.execute(
        "select _file, record, begins, ends from _found where is_partial"
        " and _reason = 'unreadable_row' order by _file, begins limit $most",
        {"most": _MOST_AGAIN},
    ).fetchall()
    texts = []
    for place, members in groupby(partial, key=lambda row: row[0]):
        source = group.files[place]
        packed = None if source.is_copy else source.landing.compression
        spans = [(begins, ends) for _, _, begins, ends in members]
        with opened(source.readable, packed) as stream:
            texts += [text.decode("utf-8", "replace") for text in _cut(stream, spans)]
    if texts:
        con.execute(
            "update _found set _raw = again.text, n_quotes = length(again.text)"
            " - length(replace(again.text, '\"', '')) from (select unnest($files) as"
            " file, unnest($records) as record, unnest($texts) as text) as again"
            " where _found._file = again.file and _found.record = again.record",
            {
                "files": [row[0] for row in partial],
                "records": [row[1] for row in partial],
                "texts": texts,
            },
        )


def _cut(stream: BinaryIO, spans: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    """Pieces of a stream, each to the end of its last line; they follow one another."""
    held, place = b"", 0  # what was read last, and where it begins
    for begins, ends in spans:
        while place + len(held) < begins and (more := stream.read(_CHUNK)):
            held, place = more, place + len(held)
        held, place = held[max(0, begins - place) :], max(place, begins)
        size = ends - begins
        while (end := held.find(b"\n", size)) < 0 and len(held) < size + _LONGEST_AGAIN:
            if not (more := stream.read(_CHUNK)):
                break
            held += more
        yield held[: min(end if end >= 0 else len(held), _LONGEST_AGAIN)].rstrip(b"\r")


def cut(con: duckdb.DuckDBPyConnection) -> list[int]:
    """The places of the files with a record that is longer than the reader held."""
    return _places(
        con,
        Sql(
            "_reason = 'line_too_long' or _reason = 'unreadable_row'"
            " and (is_elsewhere or n_quotes % 2 = 1)"
        ),
    )


def undecoded(con: duckdb.DuckDBPyConnection) -> list[int]:
    """The places of the files with a record that is no text."""
    return _places(con, Sql("_reason = 'bad_encoding'"))


def _places(con: duckdb.DuckDBPyConnection, condition: Sql) -> list[int]:
    rows = con.execute(
        sql(
            "select distinct _file from _found where {condition} order by _file",
            condition=condition,
        )
    ).fetchall()
    return [row[0] for row in rows]


def _list_unread(con: duckdb.DuckDBPyConnection, group: Group, scratch: Path) -> None:
    """The records that could not be split, by their numbers, as `_unread`."""
    con.execute("create temporary table _blank (_file ubigint, record bigint)")
    for (place,) in con.execute(
        "select distinct _file from _found order by _file"
    ).fetchall():
        _list_blank(con, group, place, scratch)
    con.execute(
        sql(
            "create temporary table _unread as"
            " with numbered as (select _file, record - {skip} -"
            " (select count(*) from _blank as b where b._file = f._file"
            " and b.record < f.record) as _line, _reason, _raw, n_quotes"
            " from _found as f where not {blank} or _reason = 'unreadable_row'),"
            " ends as (select _file, count(*) as last_line from (select _file"
            " from _typed union all select _file from numbered) group by _file)"
            " select n._file, _line, case when _reason = 'unreadable_row'"
            " and n_quotes % 2 = 1 and _line = last_line then 'unclosed_quote'"
            " else _reason end as _reason, _raw, {masked} as _masked"
            " from numbered as n inner join ends as e on n._file = e._file",
            skip=literal(group.layout.skip),
            masked=masks.shape(Sql("_raw")),
            blank=casts.blank_record(Sql("_raw"), group.layout.delimiter),
        )
    )
    con.execute("drop table _found")
    con.execute("drop table _blank")


def _list_blank(
    con: duckdb.DuckDBPyConnection, group: Group, place: int, scratch: Path
) -> None:
    """The blank records of a file, by the number that they would have.

    A line belongs to the record before it while a quote is open, that is while the
    number of quotes so far is odd.
    """
    before_header = literal(max(group.layout.skip - 1, 0))
    source = group.files[place]
    plain = scratch / "lines.txt"
    transcoding.copy_text(
        source.readable,
        None if source.is_copy else source.landing.compression,
        plain,
        encoding=UTF8,
        errors="replace",
    )
    con.execute(
        sql(
            "create temporary table _lines as select line from read_csv({path},"
            " auto_detect = false, strict_mode = false, header = false, quote = '',"
            " escape = '', delim = {delimiter}, columns = {{'line': 'VARCHAR'}},"
            " skip = {skip}, {sizes})",
            path=literal(str(plain)),
            delimiter=literal(NO_DELIMITER),
            skip=before_header,
            sizes=sizes(replace(group.layout, compression="none")),
        )
    )
    con.execute(
        sql(
            # Windows without an order run over the rows as they lie, in a stream.
            "insert into _blank with counted as (select line,"
            " coalesce(length(line) - length(replace(line, '\"', '')), 0) as quotes"
            " from _lines),"
            " opened as (select line, (sum(quotes) over (rows unbounded preceding)"
            " - quotes) % 2 = 0 as is_start from counted),"
            " numbered as (select line, is_start, {skip} + sum(is_start::integer)"
            " over (rows unbounded preceding) as record from opened)"
            " select {place}, record from numbered"
            " where is_start and (line is null or {blank})",
            skip=before_header,
            place=literal(place),
            blank=casts.blank_record(Sql("line"), group.layout.delimiter),
        )
    )
    con.execute("drop table _lines")
