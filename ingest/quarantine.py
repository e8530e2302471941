"""Rejected rows as they were, in `data/quarantine/`, readable for the owner alone.

One CSV file a landing file, named by the file's number in the ledger. They are written
before the transaction that loads the file commits; what a killed run left is removed
before its numbers are given again. The rows of a feed that a check rejected after
loading are in one file, which each run writes anew.
"""

import re
from collections.abc import Sequence

import duckdb

from ingest.landing import LandingFile
from ingest.ledger import Entry
from ingest.rejections import record
from ingest.statements import identifier, sql
from project.folder import Project
from sql.contracts import Contract

_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600
_LATE = "rejected_later.csv"


def write(
    con: duckdb.DuckDBPyConnection, project: Project, file: LandingFile, file_id: int
) -> None:
    """Write the rows of one file from the temporary table `_bad`."""
    name = re.sub(r"[^\w.-]+", "_", file.path)[-100:]
    rows = con.sql(
        "select $file as file, _line as line_no, _column as column_name,"
        " _reason as reason_code, _raw as raw_text from _bad where file_id = $file_id"
        " order by line_no",
        params={"file": file.path, "file_id": file_id},
    )
    _write(rows, project, file.feed, f"{file_id}-{name}.csv")


def write_late(
    con: duckdb.DuckDBPyConnection, project: Project, feed: Contract
) -> None:
    """Write the rows that were rejected after loading, with all columns of the feed."""
    found = con.execute(
        "select 1 from raw.rejected_rows where is_late and feed = $feed limit 1",
        {"feed": feed.table},
    ).fetchall()
    if not found:
        (project.quarantine / feed.table / _LATE).unlink(missing_ok=True)
        return
    columns = [sql("t.{name}", name=identifier(one.name)) for one in feed.columns]
    select = sql(
        "select f.path as file, r.line_no, r.column_name, r.reason_code,"
        " {record} as raw_text from raw.rejected_rows as r"
        " inner join raw.files as f on r.file_id = f.file_id"
        " inner join {raw} as t"
        " on r.file_id = t._file_id and r.line_no = t._line_no"
        " where r.is_late and r.feed = $feed order by f.path, r.line_no",
        record=record(columns),
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
