"""Exports that changed: columns that are gone, new, or hold other values than before.

A column that the feed does not require may be gone without an error, and what is
computed from it then says nothing, or something else; a column of numbers that holds
text now rejects nearly every row. So both are told, and a gate may stop them. Only
files of one mapping are compared, and only with what all of them had.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from ingest import header_names
from ingest.landing import shown_place
from ingest.sql_text import select_named
from project.folder import Project
from project.quantities import number_of


@dataclass(frozen=True)
class LostColumns:
    """A new file, and the columns that all files before it had."""

    feed: str
    place: str  # of the file, from the project folder on, as it may be read
    columns: tuple[str, ...]
    # Of each: the new header of the file that may be it, "" where none is near.
    renamed: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """The file and what it lacks."""
        parts = [
            f"{column} (renamed to '{name}'?)" if name else column
            for column, name in zip(self.columns, self.renamed, strict=True)
        ]
        return f"{self.place} lacks {', '.join(parts)}"


@dataclass(frozen=True)
class AddedColumns:
    """A new file, and the headers that no file before it had and nothing reads."""

    feed: str
    place: str
    headers: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """The file and what it has."""
        few = 5
        names = [f"'{name}'" for name in self.headers[:few]]
        more = len(self.headers) - few
        shown = ", ".join(names) + (f" and {more} more" if more > 0 else "")
        return f"{self.place} has {shown}"


@dataclass(frozen=True)
class RetypedColumn:
    """A new file, and a column of which nearly no value is one of its type any more."""

    feed: str
    place: str
    column: str
    reason: str  # why its values are rejected, mostly
    n_rejected: int
    n_rows: int
    n_files: int  # before it, of whose rows nearly none was rejected for the column

    @property
    def in_words(self) -> str:
        """The file, the column and what is wrong with its values."""
        return (
            f"{self.place}: {self.column} is {self.reason} in {self.n_rejected:,} of"
            f" {number_of(self.n_rows, 'row')}, and was not in the"
            f" {number_of(self.n_files, 'file')} before"
        )


@dataclass(frozen=True)
class Drift:
    """What of new files is not as it was, by feed and path."""

    lost: tuple[LostColumns, ...] = ()
    added: tuple[AddedColumns, ...] = ()
    retyped: tuple[RetypedColumn, ...] = ()


def drift(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    since: datetime.datetime | None,
) -> Drift:
    """How new files differ from all that were read before with the same mapping.

    Args:
        con: the warehouse.
        project: the project.
        since: files read from then on are new; None: all are, and none is compared.
    """
    if since is None:
        return Drift()
    found = {
        kind: con.execute(select_named(f"drift/{kind}"), {"since": since}).fetchall()
        for kind in ("lost", "added", "retyped")
    }
    new = {(feed, path): list(headers) for feed, path, headers in found["added"]}
    lost = []
    for feed, path, columns in found["lost"]:
        place = shown_place(project, feed, path)
        renamed = _renamed(project, feed, columns, new.get((feed, path), []))
        lost.append(LostColumns(feed, place, tuple(columns), renamed))
    return Drift(
        tuple(lost),
        tuple(
            AddedColumns(feed, shown_place(project, feed, path), tuple(headers))
            for (feed, path), headers in new.items()
            if headers
        ),
        tuple(
            RetypedColumn(feed, shown_place(project, feed, path), *told)
            for feed, path, *told in found["retyped"]
        ),
    )


def _renamed(
    project: Project, feed: str, columns: Sequence[str], headers: list[str]
) -> tuple[str, ...]:
    """Of each lost column the new header that is nearest, which is no other's then."""
    found = []
    for column in columns:
        names = [
            given
            for mapping in project.settings.mappings_of(feed)
            if isinstance(given := mapping.columns.get(column), str)
        ]
        places = header_names.near(headers, names, column)
        found.append(headers.pop(places[0]) if places else "")
    return tuple(found)
