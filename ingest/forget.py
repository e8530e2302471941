"""Taking the rows of files out of the warehouse: `fenji forget FILE…`.

Here the files are found that a name or a pattern stands for. Their rows are taken out
by `ingest.load.remove`; files in the landing folders are never touched.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingest import ledger
from ingest.landing import LandingFile, find_files, pattern, shown_place
from ingest.load import remove
from ingest.raw_tables import prepare
from project.documents import nearest
from project.errors import ConfigurationError
from project.folder import Project
from sql.contracts import feeds


@dataclass(frozen=True)
class Forgotten:
    """A file whose rows are taken out, or would be."""

    feed: str
    path: str  # below the feed's folder
    n_rows: int  # that were loaded from it, whether they count or not
    # Where it still lies, so that the next run loads it again; None: nowhere.
    still_at: Path | None


def find(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    names: Sequence[str],
    *,
    vanished: bool = False,
) -> tuple[Forgotten, ...]:
    """The files that the names stand for, by feed and path.

    Args:
        con: the warehouse.
        project: the project.
        names: a name is a file's path below its feed's folder, with the feed's name
            before it where several feeds have such a file, or its path as a shell
            completes it; or a pattern of either, where `*` and `?` stay within a
            folder, `**` goes over folders, and one without a slash holds in any depth
            of any feed.
        vanished: only files that are gone from their folders; without names, all those.

    Raises:
        ConfigurationError: a name stands for no file that was loaded, or for one of
            several feeds.
    """
    prepare(con)
    known = ledger.entries(con)
    standing = {(file.feed, file.path): file for file in find_files(project)}
    # By number: two names may stand for one file.
    chosen = {} if names else {entry.file_id: entry for entry in known}
    rows = con.execute("select file_id, shown_path from raw.file_names").fetchall()
    for name in names:
        found = _named(project, known, name, dict(rows))
        chosen |= {entry.file_id: entry for entry in found}
    entries = [
        entry
        for entry in sorted(chosen.values(), key=lambda entry: (entry.feed, entry.path))
        if not (vanished and (entry.feed, entry.path) in standing)
    ]
    counts = dict(
        con.execute(
            "select file_id, n_rows from raw.loaded_rows"
            " where list_contains($ids::integer[], file_id)",
            {"ids": [entry.file_id for entry in entries]},
        ).fetchall()
    )
    return tuple(
        Forgotten(
            entry.feed,
            entry.path,
            counts.get(entry.file_id, 0),
            _place(standing.get((entry.feed, entry.path))),
        )
        for entry in entries
    )


def forget(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    files: Sequence[Forgotten],
    at: datetime.datetime,
) -> None:
    """Take the rows of files and their ledger entries out.

    The rows of their former versions go as well. A file that is still in its folder is
    loaded again by the next run.

    Args:
        con: the warehouse.
        project: the project.
        files: as `find` found them.
        at: from when on they no longer count.
    """
    known = {(entry.feed, entry.path): entry for entry in ledger.entries(con)}
    # One transaction a feed: which of its rows count is settled once.
    for feed in dict.fromkeys(file.feed for file in files):
        entries = [known[feed, file.path] for file in files if file.feed == feed]
        remove(con, project, feeds()[feed], entries, at)


def _place(file: LandingFile | None) -> Path | None:
    return None if file is None else file.absolute


def _named(
    project: Project,
    known: Sequence[ledger.Entry],
    name: str,
    published: Mapping[int, str],
) -> list[ledger.Entry]:
    """The entries that a name or a pattern stands for.

    Also the names that a release has for them, which may be masked.

    Raises:
        ConfigurationError: there is none, or a name is that of several feeds' files.
    """
    given = name.removeprefix("./").removeprefix(f"{project.root}/")
    below = given.removeprefix(f"{project.landing.name}/")
    called = {
        entry.file_id: (
            entry.path,
            f"{entry.feed}/{entry.path}",
            shown_place(project, entry.feed, entry.path),
            published[entry.file_id],
            f"{entry.feed}/{published[entry.file_id]}",
        )
        for entry in known
    }
    found = [
        entry for entry in known if {name, given, below} & set(called[entry.file_id])
    ]
    if len(found) > 1:
        names = " or ".join(f"{entry.feed}/{entry.path}" for entry in found)
        raise ConfigurationError(f"{name}: name its feed as well: {names}")
    if not found and any(sign in name for sign in "*?["):
        patterns = {pattern(given), pattern(below)}
        found = [
            entry
            for entry in known
            if any(
                regex.fullmatch(text)
                for regex in patterns
                for text in called[entry.file_id]
            )
        ]
    if not found:
        paths = [f"{entry.feed}/{entry.path}" for entry in known]
        raise ConfigurationError(
            f"{name}: no such file was loaded{nearest(below, paths)}"
        )
    return found
