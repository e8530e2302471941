"""Columns that files always had and a new file has no more: an export that changed.

A column that the feed does not require may be gone without an error, and what is
computed from it then says nothing, or something else. So it is told, and a gate may
stop it. Only files of one mapping are compared, and only what all of them had.
"""

import datetime
from dataclasses import dataclass

import duckdb

from ingest.landing import shown_place
from ingest.sql_text import select_named
from project.folder import Project


@dataclass(frozen=True)
class LostColumns:
    """A new file, and the columns that all files before it had."""

    feed: str
    place: str  # of the file, from the project folder on, as it may be read
    columns: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """The file and what it lacks."""
        return f"{self.place} lacks {', '.join(self.columns)}"


def lost_columns(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    since: datetime.datetime | None,
) -> tuple[LostColumns, ...]:
    """The new files that lack columns, by feed and path.

    Args:
        con: the warehouse.
        project: the project.
        since: files read from then on are new; None: all are, and none is compared.
    """
    if since is None:
        return ()
    rows = con.execute(select_named("lost_columns/lost"), {"since": since}).fetchall()
    return tuple(
        LostColumns(feed, shown_place(project, feed, path), tuple(columns))
        for feed, path, columns in rows
    )
