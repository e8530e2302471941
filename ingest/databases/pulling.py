"""What `fenji pull` does: new rows of tables land as Parquet in the folders of feeds.

A table without a cursor is one file, which is replaced where rows have changed: rows
that are gone from the table are gone from the feed. A table with a cursor gets a file
for each pull that finds something new, numbered, so that the row that came last counts.
What was pulled before is told by these files alone: there is no other memory that could
be lost or differ.

Files are written beside the landing folder and moved in whole. They can be read by
their owner only.
"""

import datetime
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ingest.databases.tables import Table, tables_of
from ingest.layouts import glob_escaped
from ingest.sql_text import Sql, identifier, listed, literal, sql
from project import modes
from project.errors import ConfigurationError
from project.folder import Project
from project.origins import PulledObjects, PulledResource, PulledTable

_SUFFIX = ".parquet"
_WHOLE = f"whole{_SUFFIX}"  # the file of a table without a cursor
_DAYS = ("DATE", "TIMESTAMP")  # what the types of days begin with


@dataclass(frozen=True)
class Pulled:
    """What came of one table."""

    database: str
    feed: str
    table: str  # its folder's name
    n_read: int  # rows that the database gave, or objects that are there
    n_new: int  # of them, those that landed; all of a table that is read whole
    file: Path | None  # that landed, of several the last; None: nothing has changed
    since: object | None = None  # the cursor from which on it was asked
    unit: str = "row"  # what is counted: rows, or files


def pull(project: Project, *, only: tuple[str, ...] = ()) -> Iterator[Pulled]:
    """Pull all tables of the settings, one after the other.

    Args:
        project: the project.
        only: the names of databases; empty: all.

    Raises:
        ConfigurationError: the settings name no database, an unknown feed, or a table
            or column that is not there, the environment holds no address, or a table
            lost its cursor.
        RunError: a database cannot be reached, or refuses what is asked.
    """
    for table in tables_of(project, only):
        with _scratch(project) as scratch:
            if isinstance(table.pulled, PulledObjects):
                yield _copy(table, table.pulled, scratch)
            else:
                yield _pull(project, table, table.pulled, scratch)


@contextmanager
def _scratch(project: Project) -> Iterator[Path]:
    """A folder that is gone afterwards, on the disk of the landing folder.

    Hidden, so that no run takes what is in it for a landing file.
    """
    project.landing.mkdir(parents=True, exist_ok=True)
    for left in project.landing.glob(".pulling-*"):
        shutil.rmtree(left, ignore_errors=True)  # of a pull that was killed
    with (
        modes.private(),
        tempfile.TemporaryDirectory(prefix=".pulling-", dir=project.landing) as name,
    ):
        yield Path(name)


def _copy(table: Table, pulled: PulledObjects, scratch: Path) -> Pulled:
    """Copy the objects of one pattern."""
    from ingest.databases import buckets  # noqa: PLC0415 - imports obstore

    n_found, files = buckets.copy(pulled, table.folder, scratch, table.place)
    return Pulled(
        table.database,
        table.feed,
        pulled.folder,
        n_found,
        len(files),
        files[-1] if files else None,
        unit="file",
    )


def _pull(
    project: Project,
    table: Table,
    pulled: PulledTable | PulledResource,
    scratch: Path,
) -> Pulled:
    """Pull one table or list."""
    pieces = scratch / "pieces"
    pieces.mkdir()
    written = scratch / f"new{_SUFFIX}"
    known = sorted(table.folder.glob(f"*{_SUFFIX}"))
    if pulled.cursor is None:
        _refuse_numbered(project, table, known)
    else:
        known = _all_numbered(known)
    with duckdb.connect() as con:
        # Times without a zone stay as they are, and those with one are told in UTC.
        con.execute("set timezone = 'UTC'")
        con.execute("set preserve_insertion_order = false")
        since = _since(con, table, pulled, known)
        n_read = _read(project, table, pulled, since, pieces)
        new = _rows(sorted(pieces.iterdir())) if n_read else None
        if new and pulled.cursor not in {None, *_names(con, new)}:
            raise ConfigurationError(
                f"there is no such column as '{pulled.cursor}', the cursor",
                table.place,
            )
        if new and pulled.look_back is not None:
            _judge_look_back(con, table, pulled, new)
        if pulled.cursor is None:
            name, rows = _WHOLE, _changed(con, new, known)
        else:
            is_text = isinstance(pulled, PulledResource)
            rows = _unknown(con, new, known, is_text=is_text)
            name = _numbered(known)
        n_new = _write(con, rows, written) if rows else 0
    landed = None
    if rows and (n_new or pulled.cursor is None):
        landed = table.folder / name
        table.folder.mkdir(parents=True, exist_ok=True)
        written.replace(landed)
    return Pulled(
        table.database, table.feed, pulled.folder, n_read, n_new, landed, since
    )


def _refuse_numbered(project: Project, table: Table, known: list[Path]) -> None:
    """Read no table whole beside the files of pulls with a cursor.

    They would count on: also rows that are gone from the table.

    Raises:
        ConfigurationError: there are such files.
    """
    if _number(known):
        folder = table.folder.relative_to(project.landing).as_posix()
        raise ConfigurationError(
            f"'{table.pulled.folder}' was read with a cursor before: give it one, or"
            f" remove the numbered files from landing/{folder} and `fenji forget"
            f" '{folder}/0*'`",
            table.place,
        )


def _all_numbered(known: list[Path]) -> list[Path]:
    """Give the file of a table that was read whole a number, before those to come.

    Files count in the order of their names, and its own would come last.
    """
    whole = next((file for file in known if file.name == _WHOLE), None)
    if whole is None:
        return known
    numbered = [file for file in known if file != whole]
    return [*numbered, whole.rename(whole.with_name(_numbered(numbered)))]


def _numbered(known: list[Path]) -> str:
    """The name of the next file."""
    return f"{_number(known) + 1:08}{_SUFFIX}"


def _read(
    project: Project,
    table: Table,
    pulled: PulledTable | PulledResource,
    since: object | None,
    folder: Path,
) -> int:
    """Write the rows into Parquet files in a folder; returns how many there are."""
    # What reads the one need not be installed for the other.
    if isinstance(pulled, PulledResource):
        from ingest.databases import services  # noqa: PLC0415

        return services.read(
            project, table.database, pulled, since, folder, table.place
        )
    from ingest.databases import reading  # noqa: PLC0415

    return reading.read(project, table.database, pulled, since, folder, table.place)


def _number(known: list[Path]) -> int:
    """The number of the last file; 0: there is none that has a number."""
    numbers = [int(file.stem) for file in known if file.stem.isdecimal()]
    return max(numbers, default=0)


def _rows(files: list[Path]) -> Sql:
    """A select of the rows of Parquet files."""
    return sql(
        "select * from read_parquet([{files}], union_by_name = true)",
        files=listed(literal(glob_escaped(file)) for file in files),
    )


def _since(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    pulled: PulledTable | PulledResource,
    known: list[Path],
) -> Any:  # noqa: ANN401 - a number, a text, a day or a time
    """The cursor from which on rows are asked for; None: all rows.

    Raises:
        ConfigurationError: there is a `look_back`, and the cursor that is known is no
            day or time.
    """
    cursor = pulled.cursor
    if cursor is None or not known:
        return None
    if cursor not in _names(con, _rows(known)):
        return None  # another column was the cursor, and this one was not asked for
    rows = _rows(known)
    value = identifier(cursor)
    if isinstance(pulled, PulledResource):
        value = _of_text(con, value, rows, is_time=pulled.look_back is not None)
    ((last,),) = con.execute(
        sql("select max({value}) from ({rows})", value=value, rows=rows)
    ).fetchall()
    if last is None or pulled.look_back is None:
        return last
    _judge_look_back(con, table, pulled, rows)
    since = last - datetime.timedelta(days=pulled.look_back)
    # In the letters of ISO 8601, where a service asks for it.
    return since.isoformat() if isinstance(pulled, PulledResource) else since


def _judge_look_back(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    pulled: PulledTable | PulledResource,
    rows: Sql,
) -> None:
    """See that days can be taken off the cursor, with the first rows that come.

    Raises:
        ConfigurationError: it is no day or time in these rows.
    """
    cursor = str(pulled.cursor)
    kind = dict(_described(con, rows))[cursor]
    is_time = kind.startswith(_DAYS)
    if isinstance(pulled, PulledResource):
        kind = "not always one"
        ((is_time,),) = con.execute(
            sql(
                "select coalesce(bool_and(try_cast({cursor} as timestamptz) is not null"
                " or {cursor} is null), true) from ({rows})",
                cursor=identifier(cursor),
                rows=rows,
            )
        ).fetchall()
    if not is_time:
        raise ConfigurationError(
            f"'look_back' needs a cursor of days or times, and {cursor} is {kind}:"
            " leave 'look_back' out, or read the table whole",
            table.place,
        )


def _of_text(
    con: duckdb.DuckDBPyConnection, cursor: Sql, rows: Sql, *, is_time: bool
) -> Sql:
    """A cursor that is text: a time, or a whole number where all of it are."""
    if is_time:
        return sql("try_cast({cursor} as timestamptz)", cursor=cursor)
    number = sql("try_cast({cursor} as hugeint)", cursor=cursor)
    found = con.execute(
        sql(
            "select bool_and({number} is not null) from ({rows})"
            " where {cursor} is not null",
            number=number,
            rows=rows,
            cursor=cursor,
        )
    ).fetchone()
    return number if found and found[0] else cursor


def _changed(
    con: duckdb.DuckDBPyConnection, new: Sql | None, known: list[Path]
) -> Sql | None:
    """The rows of a table that is read whole; None where they are as they were."""
    if not known:
        return new
    former = _rows(known)
    if new is None:  # nothing is left of the table
        new = sql("select * from ({former}) where false", former=former)
    return None if _sum_of(con, new) == _sum_of(con, former) else new


def _unknown(
    con: duckdb.DuckDBPyConnection,
    new: Sql | None,
    known: list[Path],
    *,
    is_text: bool,
) -> Sql | None:
    """The rows that no file has yet; a row that came twice may be known once."""
    if new is None or not known:
        return new
    former = _rows(known)
    if is_text:
        # A service leaves fields out that have no value.
        names = sorted({*_names(con, new), *_names(con, former)})
        new, former = (_widened(con, rows, names) for rows in (new, former))
    if _described(con, new) != _described(con, former):
        return new  # the table has other columns now, so that all its rows are others
    return sql("({new}) except all (select * from ({former}))", new=new, former=former)


def _widened(con: duckdb.DuckDBPyConnection, rows: Sql, names: list[str]) -> Sql:
    """Rows of text in these columns; null in those that they do not have."""
    has = set(_names(con, rows))
    columns = [
        identifier(name)
        if name in has
        else sql("null::varchar as {name}", name=identifier(name))
        for name in names
    ]
    return sql("select {columns} from ({rows})", columns=listed(columns), rows=rows)


def _described(con: duckdb.DuckDBPyConnection, rows: Sql) -> list[tuple[str, str]]:
    """The columns and types of a select."""
    found = con.execute(sql("describe {rows}", rows=rows)).fetchall()
    return [(name, kind) for name, kind, *_ in found]


def _names(con: duckdb.DuckDBPyConnection, rows: Sql) -> list[str]:
    """The names of the columns of a select."""
    return [name for name, _ in _described(con, rows)]


def _sum_of(con: duckdb.DuckDBPyConnection, rows: Sql) -> object:
    """What tells whether two selects have the same rows, in whatever order."""
    counted = con.execute(
        sql("select count(*), sum(hash(t)::hugeint) from ({rows}) as t", rows=rows)
    ).fetchone()
    return _described(con, rows), counted


def _write(con: duckdb.DuckDBPyConnection, rows: Sql, target: Path) -> int:
    """Write rows into a Parquet file; how many there are."""
    written = con.execute(
        sql(
            "copy ({rows}) to {target} (format parquet, compression zstd)",
            rows=rows,
            target=literal(str(target)),
        )
    ).fetchone()
    return int(written[0]) if written else 0
