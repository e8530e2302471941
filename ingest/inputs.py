"""The whole input of a run: its digest, a part of the run's key, and its files.

It is asked before a run whether there is anything to do. So it opens landing files only
to hash them, and imports neither Dagster nor anything else that is slow to import.
"""

import hashlib
from collections.abc import Sequence

import duckdb

from ingest import ledger, warehouse
from ingest.landing import LandingFile
from project.folder import Project
from sql.contracts import contract
from sql.selects import select_of


def input_digest(
    project: Project,
    files: Sequence[LandingFile],
    con: duckdb.DuckDBPyConnection | None = None,
) -> str:
    """A digest of all input: feeds, paths, contents, mappings, never times.

    It is that of the ledger after a run. Files that were loaded and have vanished are
    part of it, as their rows are kept; those that moved are where they are now. Only
    new and changed files are opened.

    Args:
        project: the project.
        files: all landing files of all feeds.
        con: the warehouse, where it is open already; it is opened otherwise.

    Raises:
        RunError: the warehouse cannot be read.
    """
    known, joined = _known(project) if con is None else _of(con)
    known = ledger.departures(known, files).followed(known)
    changes, _ = ledger.changes(project, known, files, joined)
    state = {
        (entry.feed, entry.path): (entry.content_digest, entry.mapping_digest)
        for entry in known
    }
    for change in changes:
        place = (change.file.feed, change.file.path)
        state[place] = (change.digest, change.mapping_digest)
    whole = hashlib.sha256()
    for place, digests in sorted(state.items()):
        for part in (*place, *digests):
            # The length goes first, so that no two states read alike.
            encoded = part.encode("utf-8", "surrogateescape")
            whole.update(len(encoded).to_bytes(4, "big") + encoded)
    return whole.hexdigest()


def _of(
    con: duckdb.DuckDBPyConnection,
) -> tuple[tuple[ledger.Entry, ...], tuple[ledger.Joined, ...]]:
    """What a warehouse's ledger holds."""
    known = ledger.entries(con)
    try:
        return known, ledger.joined(con)
    except duckdb.CatalogException:
        return known, ()  # an earlier version made it


def _known(
    project: Project,
) -> tuple[tuple[ledger.Entry, ...], tuple[ledger.Joined, ...]]:
    """What the warehouse's ledger holds, read without writing anything."""
    if not warehouse.is_there(project):
        return (), ()
    try:
        with warehouse.reading(project) as con:
            return _of(con)
    except duckdb.CatalogException:
        return (), ()


def loaded_digest(con: duckdb.DuckDBPyConnection) -> str:
    """A digest of the files that are loaded, and of how they were read."""
    rows = con.execute(
        "select feed, path, content_digest, mapping_digest from raw.files order by all"
    ).fetchall()
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def input_files(con: duckdb.DuckDBPyConnection) -> list[dict[str, object]]:
    """The files that were read, for the manifest, by feed and path."""
    names = (
        "feed",
        "file",
        "digest",
        "status",
        "n_read",
        "n_loaded",
        "n_duplicate",
        "n_rejected",
        "n_skipped",
        "loaded_at",
    )
    select = select_of(contract("marts", "feed_reconciliation"))
    rows = con.execute(
        "select r.feed, r.file, content_digest, r.status, r.n_read, n_loaded,"
        f" n_duplicate, n_rejected, r.n_skipped, loaded_at from ({select}) as r"
        " inner join raw.file_names as n on r.feed = n.feed and r.file = n.shown_path"
        " inner join raw.files as f on n.file_id = f.file_id"
        " order by r.feed, f.path"
    ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]
