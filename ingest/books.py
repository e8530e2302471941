"""The books: what became of the files and rows of every feed, for who is told of it.

Read from a release, which holds its own, or from the warehouse, where no release was
written. What is new is told by when files were loaded: those that came after the last
release was published, however many runs have been stopped since.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from ingest import masks
from ingest.landing import find_files, shown_place
from ingest.problems import (
    Problem,
    books_of,
    recent,
    refused_files,
    rejected_rows,
)
from ingest.raw_tables import row_day
from ingest.sql_text import Sql, identifier, sql, unnested
from project.folder import Project
from sql.contracts import feeds

_RECONCILIATION = "feed_reconciliation"


@dataclass(frozen=True)
class FeedBooks:
    """What became of a feed: files, and rows.

    Rows read = loaded + duplicate + rejected + skipped.
    """

    feed: str
    n_files: int
    n_refused: int  # files
    n_read: int
    n_loaded: int
    n_duplicate: int
    n_rejected: int
    n_skipped: int
    n_unmatched: int = 0  # of those not skipped: a join of their mapping found no row
    n_corrected: int = 0  # records in whose place stand corrections


@dataclass(frozen=True)
class Books:
    """The feeds that have files, and what of them could not be used."""

    feeds: tuple[FeedBooks, ...]
    problems: tuple[Problem, ...]  # refused files, then rejected rows
    # Feed and path as it may be read; their rows are kept.
    vanished: tuple[tuple[str, str], ...]
    moved: tuple[tuple[str, str], ...] = ()  # names before and after

    def of_kind(self, kind: str, feed: str | None = None) -> tuple[Problem, ...]:
        """The refused files or the rejected rows, of all feeds or of one."""
        return tuple(
            problem
            for problem in self.problems
            if problem.kind == kind and feed in {None, problem.feed}
        )


def read_books(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    *,
    is_release: bool = False,
    in_folder: bool = True,
    moved: Iterable[tuple[str, str]] = (),
) -> Books:
    """The books of the warehouse, or of a release.

    Args:
        con: the warehouse, or a release.
        project: the project.
        is_release: the connection is to a release.
        in_folder: whether files that have left their folder are looked for; a look
            back does not care where they are now.
        moved: the files that moved, by their names before and after.
    """
    rows = con.execute(
        sql(
            "select feed, {counts} from {books} group by feed order by feed",
            counts=_COUNTS,
            books=_with_later_columns(books_of(_RECONCILIATION, is_release=is_release)),
        )
    ).fetchall()
    return Books(
        feeds=tuple(FeedBooks(*row) for row in rows),
        problems=(
            *refused_files(con, is_release=is_release),
            *rejected_rows(con, is_release=is_release),
        ),
        vanished=_vanished(con, project, is_release=is_release) if in_folder else (),
        moved=tuple(moved),
    )


def new_since(
    con: duckdb.DuckDBPyConnection, since: datetime.datetime | None
) -> dict[str, FeedBooks]:
    """What became of the files that were loaded from a time on, by feed.

    None: of all files. The connection is to the warehouse.
    """
    rows = con.execute(
        sql(
            "select feed, {counts} from {books} where {is_recent} group by feed",
            counts=_COUNTS,
            books=books_of(_RECONCILIATION, is_release=False),
            is_recent=recent(since),
        ),
        {} if since is None else {"since": since},
    ).fetchall()
    return {row[0]: FeedBooks(*row) for row in rows}


def recent_days(
    con: duckdb.DuckDBPyConnection, feed: str, as_of_date: datetime.date
) -> list[tuple[datetime.date, int]]:
    """The newest day with rows of a feed, and those of the 28 days before it.

    Of the rows that count on the as-of date, after the staging views were made; each
    day with its number of rows, the newest last. Days are those of the business zone.
    """
    rows = con.execute(
        sql(
            "with days as (select {day} as day, count(*) as n_rows from {feed} as t"
            " where {day} <= $as_of_date group by all)"
            " select day, n_rows from days"
            " where day >= (select max(day) from days) - 28 order by day",
            day=row_day(feeds()[feed]),
            feed=identifier("staging", feed),
        ),
        {"as_of_date": as_of_date},
    ).fetchall()
    return [(found, int(n_rows)) for found, n_rows in rows]


def vanished_places(project: Project, books: Books, feed: str) -> list[str]:
    """Where the files of a feed that vanished were, from the project on."""
    return [
        shown_place(project, of_feed, path)
        for of_feed, path in books.vanished
        if of_feed == feed
    ]


def reasons(project: Project, problems: Sequence[Problem], most: int = 3) -> str:
    """Why, how often, and where first: the most common reasons in one line."""
    parts = [
        f"{problem.reason} {problem.n:,} ({problem.place(project)})"
        for problem in problems[:most]
    ]
    if len(problems) > most:
        parts.append(f"and {len(problems) - most:,} more")
    return ", ".join(parts)


def _with_later_columns(books: Sql) -> Sql:
    """The books with columns that earlier releases have not."""
    return sql(
        "(select null::bigint as n_unmatched, null::bigint as n_corrected where false"
        " union all by name from {books})",
        books=books,
    )


_COUNTS = Sql(
    "count(*), count(*) filter (status = 'refused'), coalesce(sum(n_read), 0)::bigint,"
    " coalesce(sum(n_loaded), 0)::bigint, coalesce(sum(n_duplicate), 0)::bigint,"
    " coalesce(sum(n_rejected), 0)::bigint,"
    # What is left of those read: earlier releases have no such column.
    " coalesce(sum(n_read - n_loaded - n_duplicate - n_rejected), 0)::bigint,"
    " coalesce(sum(n_unmatched), 0)::bigint, coalesce(sum(n_corrected), 0)::bigint"
)


def _vanished(
    con: duckdb.DuckDBPyConnection, project: Project, *, is_release: bool
) -> tuple[tuple[str, str], ...]:
    """The files of the books that are no longer in their folder."""
    files = find_files(project)
    return tuple(
        con.execute(
            sql(
                "select feed, file from {books} where (feed, file) not in"
                " (select (feed, {shown}) from ({landed})) order by feed, file",
                landed=unnested(feed="varchar", path="varchar"),
                books=books_of(_RECONCILIATION, is_release=is_release),
                # Others read masked names, and so do the books.
                shown=masks.shown_path(Sql("path")),
            ),
            {
                "feed": [file.feed for file in files],
                "path": [file.path for file in files],
            },
        ).fetchall()
    )
