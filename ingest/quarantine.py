"""Rejected rows as they were, in `data/quarantine/`, readable for the owner alone.

One CSV file a landing file, named by the file's number in the ledger. They are written
before the transaction that loads the file commits; what a killed run left is removed
before its numbers are given again.
"""

import re
from collections.abc import Sequence

import duckdb

from ingest.landing import LandingFile
from ingest.ledger import Entry
from project.folder import Project
from sql.contracts import Contract

_PRIVATE_FOLDER, _PRIVATE_FILE = 0o700, 0o600


def write(
    con: duckdb.DuckDBPyConnection, project: Project, file: LandingFile, file_id: int
) -> None:
    """Write the rows of one file from the temporary table `_bad`."""
    folder = project.quarantine / file.feed
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    project.quarantine.chmod(_PRIVATE_FOLDER)
    name = re.sub(r"[^\w.-]+", "_", file.path)[-100:]
    target = folder / f"{file_id}-{name}.csv"
    target.touch(mode=_PRIVATE_FILE)
    con.sql(
        "select $file as file, _line as line_no, _column as column_name,"
        " _reason as reason_code, _raw as raw_text from _bad where file_id = $file_id"
        " order by line_no",
        params={"file": file.path, "file_id": file_id},
    ).write_csv(str(target))
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
