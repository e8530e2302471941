"""Rejected rows as they were, in `data/quarantine/`, readable for the owner alone.

One CSV file a landing file, named by the file's number in the ledger. They are written
before the transaction that loads the file commits; what a killed run left is removed
before its numbers are given again. The rows of a feed that a check rejected after
loading are in one file, which each run writes anew.
"""

import re
from collections.abc import Iterable, Sequence

import duckdb

from ingest.landing import LandingFile
from ingest.layouts import glob_escaped
from ingest.ledger import Entry
from ingest.rejections import as_csv
from ingest.sql_text import identifier, sql
from project.folder import Project
from sql.contracts import Contract

_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600
_LATE = "rejected_later.csv"
_COLUMNS = ("file", "line_no", "column_name", "reason_code", "raw_text")
_MIN_BUFFER = 1_000_000  # bytes; a row may be as long as its file


def write(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    file: LandingFile,
    file_id: int,
    step: int = 1,
) -> None:
    """Write the rows of one file from the temporary table `_bad`.

    Args:
        con: the warehouse.
        project: the project.
        file: the file.
        file_id: its number.
        step: by how much the numbers of rows of one record and of the next differ.
    """
    rows = con.sql(
        "select $file as file, (_line - 1) // $step + 1 as line_no,"
        " _column as column_name, _reason as reason_code, _raw as raw_text from _bad"
        " where file_id = $file_id order by _line",
        params={"file": file.path, "file_id": file_id, "step": step},
    )
    _write(rows, project, file.feed, _name(file_id, file.path))


def move(
    con: duckdb.DuckDBPyConnection, project: Project, entry: Entry, path: str
) -> None:
    """Name a file by the path that it was moved to."""
    folder = project.quarantine / entry.feed
    for kept in folder.glob(f"{entry.file_id}-*"):
        size = kept.stat().st_size + _MIN_BUFFER
        rows = con.sql(
            "select * replace ($file as file) from read_csv($kept, header = true,"
            " auto_detect = false, delim = ',', quote = '\"', escape = '\"',"
            " columns = $columns, max_line_size = $size, buffer_size = $size)",
            params={
                "file": path,
                "kept": glob_escaped(kept),
                "columns": dict.fromkeys(_COLUMNS, "VARCHAR"),
                "size": size,
            },
        )
        # Another name while it is written: it cannot be read and written at once.
        unfinished = f".{kept.name}"
        _write(rows, project, entry.feed, unfinished)
        kept.unlink()
        (folder / unfinished).rename(folder / _name(entry.file_id, path))


def _name(file_id: int, path: str) -> str:
    shown = re.sub(r"[^\w.-]+", "_", path)[-100:]
    return f"{file_id}-{shown}.csv"


def write_late(
    con: duckdb.DuckDBPyConnection, project: Project, feeds: Iterable[Contract]
) -> None:
    """Write the rows that were rejected after loading, with all columns of the feed."""
    found = con.execute("select distinct feed from raw.rejected_rows where is_late")
    with_late = {name for (name,) in found.fetchall()}
    for feed in feeds:
        if feed.table in with_late:
            _write_late(con, project, feed)
        else:
            (project.quarantine / feed.table / _LATE).unlink(missing_ok=True)


def _write_late(
    con: duckdb.DuckDBPyConnection, project: Project, feed: Contract
) -> None:
    columns = [sql("t.{name}", name=identifier(column.name)) for column in feed.columns]
    select = sql(
        "select f.path as file,"
        " (r.line_no - 1) // coalesce(f.line_step, 1) + 1 as line_no,"
        " r.column_name, r.reason_code,"
        " {raw_text} as raw_text from raw.rejected_rows as r"
        " inner join raw.files as f on r.file_id = f.file_id"
        " inner join {raw} as t"
        " on r.file_id = t._file_id and r.line_no = t._line_no"
        " where r.is_late and r.feed = $feed order by f.path, r.line_no",
        raw_text=as_csv(columns),
        raw=identifier("raw", feed.table),
    )
    rows = con.sql(select, params={"feed": feed.table})
    _write(rows, project, feed.table, _LATE)


def _write(
    rows: duckdb.DuckDBPyRelation, project: Project, feed: str, name: str
) -> None:
    folder = project.quarantine / feed
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    project.quarantine.chmod(_PRIVATE_FOLDER)
    target = folder / name
    target.touch(mode=_PRIVATE_FILE)
    rows.write_csv(str(target))
    target.chmod(_PRIVATE_FILE)


def remove_above(project: Project, feed: Contract, last: int) -> None:
    """Remove what attempts have left whose files were never entered in the ledger."""
    for kept in (project.quarantine / feed.table).glob("*-*"):
        if int(kept.name.partition("-")[0]) > last:
            kept.unlink()


def remove(project: Project, feed: Contract, entries: Sequence[Entry]) -> None:
    """Remove what was kept of files that are gone or have changed."""
    for entry in entries:
        for kept in (project.quarantine / feed.table).glob(f"{entry.file_id}-*"):
            kept.unlink()
