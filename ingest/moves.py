"""Files that were moved are followed: one file stays one, wherever it lies.

What is gone from its place, and what stands elsewhere, the ledger finds out; here the
rows follow. Afterwards all is as if the files had always lain where they are now, for
their paths decide which of several rows counts.
"""

import datetime

import duckdb

from ingest import ledger, masks, quarantine, replaced_files
from ingest.duplicates import Settlement
from project.folder import Project
from sql.contracts import Contract
from sql.transactions import transaction


def follow(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    feed: Contract,
    gone: ledger.Departures,
    *,
    columns: frozenset[str],
    at: datetime.datetime,
) -> None:
    """Enter where the files of a feed are now, in one transaction.

    Rows stay, with the number of their file, and which of them count is settled anew.
    Entries that others stand for are removed; their rows are kept aside, for whoever
    asks what was known before.

    Args:
        con: the warehouse.
        project: the project.
        feed: the feed.
        gone: its files that are not where they were.
        columns: the canonical columns that its files give.
        at: since when that is known.
    """
    removed = [entry.file_id for entry in gone.removed]
    moved = [entry.file_id for entry, _ in gone.moved]
    with transaction(con):
        settlement = Settlement(con, feed, columns)
        settlement.begin()
        settlement.touch(removed)
        before = [
            file_id for file_id in _order(con, feed) if file_id not in set(removed)
        ]
        replaced_files.keep(con, feed, removed, at)
        ledger.delete(con, feed, removed)
        ledger.move(con, gone.moved, at)
        # Where the order of the files is as it was, so is every row's status.
        is_reordered = _order(con, feed) != before
        if is_reordered:
            settlement.touch(moved)
        if removed or is_reordered:
            settlement.settle(everything=False, n_files=len(before))
    quarantine.remove(project, feed, gone.removed)
    for entry, file in gone.moved:
        quarantine.move(con, project, entry, file.path)


def _order(con: duckdb.DuckDBPyConnection, feed: Contract) -> list[int]:
    """The files of a feed in the order that decides which row counts."""
    rows = con.execute(
        "select file_id from raw.files where feed = $feed order by path",
        {"feed": feed.table},
    ).fetchall()
    return [file_id for (file_id,) in rows]


def named(
    con: duckdb.DuckDBPyConnection, gone: ledger.Departures
) -> tuple[tuple[str, str], ...]:
    """Each file that was moved: feed and path as it may be read, before and now."""
    return tuple(
        (
            f"{entry.feed}/{masks.path_in_words(con, entry.path)}",
            f"{file.feed}/{masks.path_in_words(con, file.path)}",
        )
        for entry, file in (*gone.moved, *gone.merged)
    )
