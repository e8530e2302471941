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

from ingest import casts, masks, skipping, transcoding
from ingest.layouts import NO_DELIMITER
from ingest.relation import OUTSIDE, Group, sizes
from ingest.sniffing import UTF8
from ingest.sql_text import Sql, listed, literal, select_named, sql, unnested
from ingest.unpacking import opened

# How many records are read again for their text, and how much of each.
_MOST_AGAIN, _LONGEST_AGAIN = 10_000, 20_000
_CHUNK = 1 << 16


def read(
    con: duckdb.DuckDBPyConnection, group: Group, records: Sql | None = None
) -> None:
    """Read the group into temporary tables: its rows, and what could not be split.

    Args:
        con: the warehouse.
        group: the files.
        records: what is read of them, in their order; by default typed rows.
    """
    for name in ("_reject_errors", "_reject_scans", "_typed", "_found", "_unread"):
        con.execute(sql("drop table if exists {name}", name=Sql(name)))
    con.execute(
        sql(
            "create temporary table _typed as {records}",
            records=records or group.typed(with_rejects=True),
        )
    )
    if group.layout.kind == "text":
        _list_found(con, group)


def number(
    con: duckdb.DuckDBPyConnection,
    group: Group,
    scratch: Path,
    *,
    instead: tuple[Sql, Sql] = (OUTSIDE, Sql("true")),
) -> None:
    """Number the records that were read, as the temporary `_staged` and `_unread`.

    `_staged` has the rows as they were read, with their numbers;
    `_unread` the records that could not be split: `_file`, `_line`, `_reason`, `_raw`,
    `_masked`, and `_is_skipped` where the mapping leaves them out by their numbers.

    Args:
        con: the warehouse.
        group: what was read.
        scratch: a folder for copies.
        instead: a column of the rows, and what stands in it where the mapping leaves
            a row out by its number.
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
                "create or replace temporary view _placed as select * exclude (_line),"
                " rowid - list_extract([{firsts}], _file::bigint + 1) + 1 as _line"
                " from _typed",
                firsts=_first_rows(con, group),
            )
        )
    else:
        # The rows that could be read have the numbers that the others left.
        con.execute(
            sql(
                "create or replace temporary table _numbers as {numbers}",
                numbers=select_named("numbering/numbers"),
            )
        )
        con.execute(
            "create or replace temporary view _placed as select t.* exclude (_line),"
            " n.line_no as _line from _typed as t positional join _numbers as n"
        )
    _leave_out(con, group, instead)


def _leave_out(
    con: duckdb.DuckDBPyConnection, group: Group, instead: tuple[Sql, Sql]
) -> None:
    """Skip the first and last rows of each file, as many as the mapping says."""
    counts = dict(
        con.execute(
            "select _file, count(*) from (select _file from _typed union all"
            " select _file from _unread) group by _file"
        ).fetchall()
    )
    last = sql(
        # A list and no join, as for the first rows.
        "list_extract([{counts}], _file::bigint + 1)",
        counts=listed(literal(counts.get(n, 0)) for n in range(len(group.files))),
    )
    outside = skipping.is_outside(group.mapping, Sql("_line"), last)
    column, mark = instead
    told = Sql("*")
    if outside is not None:
        told = sql(
            "* replace (case when {outside} then {mark} else {column} end as {column})",
            outside=outside,
            mark=mark,
            column=column,
        )
    con.execute(
        sql(
            "create or replace temporary view _staged as select {told} from _placed",
            told=told,
        )
    )
    con.execute(
        sql(
            "alter table _unread add column _is_skipped boolean default false;"
            " update _unread set _is_skipped = {outside}",
            outside=outside or Sql("false"),
        )
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
    con.execute(
        sql(
            "create temporary table _found as select *, {quotes} as n_quotes"
            " from ({found})",
            quotes=group.quoting.opens_and_closes(Sql("_raw")),
            found=select_named("numbering/found"),
        ),
        {"paths": [str(file.readable) for file in group.files]},
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
        file = group.files[place]
        packed = None if file.is_copy else file.landing.compression
        spans = [(begins, ends) for _, _, begins, ends in members]
        with opened(file.readable, packed) as stream:
            texts += [text.decode("utf-8", "replace") for text in _cut(stream, spans)]
    if texts:
        con.execute(
            sql(
                "update _found set _raw = again.text, n_quotes = {quotes}"
                " from ({again}) as again"
                " where _found._file = again.file and _found.record = again.record",
                quotes=group.quoting.opens_and_closes(Sql("again.text")),
                again=unnested(file="bigint", record="bigint", text="varchar"),
            ),
            {
                "file": [row[0] for row in partial],
                "record": [row[1] for row in partial],
                "text": texts,
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
            "create or replace temporary view _judged as"
            " select *, {blank} as is_blank, {masked} as _masked from _found",
            blank=casts.blank_record(Sql("_raw"), group.layout.delimiter),
            masked=masks.shape(Sql("_raw")),
        )
    )
    con.execute(
        sql(
            "create temporary table _unread as {unread}",
            unread=select_named("numbering/unread"),
        ),
        {"skip": group.layout.skip},
    )
    con.execute("drop view _judged")
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
    file = group.files[place]
    plain = scratch / "lines.txt"
    transcoding.copy_text(
        file.readable,
        None if file.is_copy else file.landing.compression,
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
            " coalesce({quotes}, 0) as quotes from _lines),"
            " opened as (select line, (sum(quotes) over (rows unbounded preceding)"
            " - quotes) % 2 = 0 as is_start from counted),"
            " numbered as (select line, is_start, {skip} + sum(is_start::integer)"
            " over (rows unbounded preceding) as record from opened)"
            " select {place}, record from numbered"
            " where is_start and (line is null or {blank})",
            quotes=group.quoting.opens_and_closes(Sql("line")),
            skip=before_header,
            place=literal(place),
            blank=casts.blank_record(Sql("line"), group.layout.delimiter),
        )
    )
    con.execute("drop table _lines")
