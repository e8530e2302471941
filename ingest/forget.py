"""Taking a file's rows out of the warehouse: `fenji forget FILE`."""

import datetime
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingest import ledger
from ingest.landing import find_files
from ingest.load import remove
from project.documents import nearest
from project.errors import ConfigurationError
from project.folder import Project
from sql.contracts import feeds


@dataclass(frozen=True)
class Forgotten:
    """A file whose rows were taken out."""

    n_rows: int
    # Where it still lies, so that the next run loads it again; None: nowhere.
    still_at: Path | None


def forget(
    con: duckdb.DuckDBPyConnection, project: Project, file: str, at: datetime.datetime
) -> Forgotten:
    """Take a file's rows and its ledger entry out.

    The rows of its former versions go as well. A file that is still in its folder is
    loaded again by the next run.

    Args:
        con: the warehouse.
        project: the project.
        file: the file's path below its feed's folder, with the feed's name before it
            where several feeds have such a file, or its path as a shell completes it.
        at: from when on it no longer counts.

    Raises:
        ConfigurationError: no such file was loaded, or several feeds have one.
    """
    ledger.prepare(con)
    known = ledger.entries(con)
    given = file.removeprefix("./")
    landing = str(project.landing) + "/"
    given = given.removeprefix(landing).removeprefix("landing/")
    found = [
        one
        for one in known
        if given in {one.path, f"{one.feed}/{one.path}"}
        or one.path == file.removeprefix("./")
    ]
    if not found:
        paths = [f"{one.feed}/{one.path}" for one in known]
        raise ConfigurationError(
            f"{file}: no such file was loaded{nearest(given, paths)}"
        )
    if len(found) > 1:
        names = " or ".join(f"{one.feed}/{one.path}" for one in found)
        raise ConfigurationError(f"{file}: name its feed as well: {names}")
    entry = found[0]
    still_at = next(
        (
            one.absolute
            for one in find_files(project, feed=entry.feed)
            if one.path == entry.path
        ),
        None,
    )
    return Forgotten(remove(con, project, feeds()[entry.feed], entry, at), still_at)
