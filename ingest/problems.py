"""What could not be used of the landing files, like with like, for who is told of it.

It is counted from the books: those of the warehouse, or those that a release holds.
"""

import datetime
from dataclasses import dataclass
from typing import Literal

import duckdb

from ingest.landing import shown_place
from ingest.rejections import REASONS, WAYS_OUT
from ingest.sql_text import Sql, identifier, sql
from project.folder import Project
from sql.contracts import contract
from sql.selects import select_of

# What one line names.
_FILES = 3
_REASONS = 3
_REFUSED = 1  # of the reasons, where rows were rejected as well


@dataclass(frozen=True)
class Problem:
    """Files of a feed that were refused, or rows that were rejected, for one reason."""

    kind: Literal["refused", "rejected"]
    feed: str
    reason: str  # of files in words, of rows one of the reason codes
    column_name: str | None  # that failed; None: the file or the row as a whole
    n: int  # files or rows
    file: str  # the first of them, below the feed's folder
    line_no: int | None  # of the first row, as `rejected_rows` counts

    def place(self, project: Project) -> str:
        """Where the first of them is: file, line and column, from the project on."""
        shown = shown_place(project, self.feed, self.file)
        if self.line_no is not None:
            shown += f":{self.line_no}"
        return f"{shown} {self.column_name}" if self.column_name else shown


def refused_files(
    con: duckdb.DuckDBPyConnection,
    *,
    since: datetime.datetime | None = None,
    is_release: bool = False,
) -> tuple[Problem, ...]:
    """The refused files, grouped by feed and reason; the most common ones first.

    Args:
        con: the warehouse, or a release.
        since: only files that were read at this time or later; of a warehouse.
        is_release: the connection is to a release.
    """
    refused = sql(
        "select feed, file, reason, null as column_name, null::bigint as line_no"
        " from {books} where status = 'refused'",
        books=books_of("feed_reconciliation", is_release=is_release),
    )
    return _grouped(con, "refused", refused, since)


def rejected_rows(
    con: duckdb.DuckDBPyConnection,
    *,
    since: datetime.datetime | None = None,
    is_release: bool = False,
) -> tuple[Problem, ...]:
    """The rejected rows, by feed, reason and column; the most common ones first.

    Args:
        con: the warehouse, or a release.
        since: only rows of files that were read at this time or later; of a warehouse.
        is_release: the connection is to a release.
    """
    rejected = sql(
        "select feed, file, reason_code as reason, column_name, line_no from {books}",
        books=books_of("rejected_rows", is_release=is_release),
    )
    return _grouped(con, "rejected", rejected, since)


def nothing_loaded(con: duckdb.DuckDBPyConnection, project: Project) -> str:
    """Why no row could be loaded, and what to do, in one line.

    It names the files, and the three most common reasons with a place to look at.
    """
    rows = con.execute(
        "select feed, shown_path from raw.file_names order by feed, shown_path"
    )
    files = [shown_place(project, feed, path) for feed, path in rows.fetchall()]
    if not files:
        return (
            f"{project.landing}: nothing could be loaded; put files below"
            " landing/<feed>/, such as landing/transactions/sales.csv"
        )
    refused, rejected = refused_files(con), rejected_rows(con)
    problems = [*refused[:_REFUSED], *rejected]
    problems = [*problems[:_REASONS], *refused[_REFUSED:]][:_REASONS]
    reasons = [_explained(project, problem) for problem in problems]
    told = "; ".join(
        [
            f"nothing could be loaded of {_listed(files)}",
            *(reasons or ["there is no row below the header"]),
        ]
    )
    if rejected:
        told += f"; the rejected rows lie in {project.quarantine}"
    return f"{told}; `fenji run --json` lists all reasons"


def _listed(files: list[str]) -> str:
    shown = ", ".join(files[:_FILES])
    more = len(files) - _FILES
    return f"{shown} and {_counted(more, 'more file')}" if more > 0 else shown


def _explained(project: Project, problem: Problem) -> str:
    place = problem.place(project)
    if problem.kind == "refused":
        return (
            f"{_counted(problem.n, 'file')} refused, such as {place}: {problem.reason}"
        )
    told = (
        f"{_counted(problem.n, 'row')} rejected, such as {place}: {problem.reason},"
        f" {REASONS[problem.reason]}"
    )
    way = WAYS_OUT.get(problem.reason)
    return f"{told}: {way} in fenji.yaml" if way else told


def books_of(table: str, *, is_release: bool) -> Sql:
    """The table `feed_reconciliation` or `rejected_rows` of a release or the warehouse.

    A release stores it; of the warehouse it is the select that the release is made by.
    """
    if is_release:
        return identifier("main", table)
    return sql("({select}) as books", select=Sql(select_of(contract("marts", table))))


def recent(since: datetime.datetime | None) -> Sql:
    """Whether a row of these tables is of a file that was read at `$since` or later."""
    if since is None:
        return Sql("true")
    return Sql(
        "(feed, file) in (select (feed, shown_path) from raw.file_names"
        " where file_id in (select file_id from raw.files where loaded_at >= $since))"
    )


def _grouped(
    con: duckdb.DuckDBPyConnection,
    kind: Literal["refused", "rejected"],
    found: Sql,
    since: datetime.datetime | None,
) -> tuple[Problem, ...]:
    """Like with like, the most common ones first.

    Args:
        con: the warehouse, or a release.
        kind: what the problems are of.
        found: a select with one row a file or row: `feed`, `file`, `reason`,
            `column_name`, `line_no`.
        since: only of files that were read at this time or later.
    """
    rows = con.execute(
        sql(
            "select feed, reason, column_name, n, first_place.file,"
            " first_place.line_no from (select feed, reason, column_name,"
            " count(*) as n, min({{'file': file, 'line_no': line_no}}) as first_place"
            " from ({found}) where {is_recent} group by feed, reason, column_name)"
            " order by n desc, feed, reason, column_name",
            found=found,
            is_recent=recent(since),
        ),
        {} if since is None else {"since": since},
    ).fetchall()
    return tuple(Problem(kind, *row) for row in rows)


def _counted(n: int, name: str) -> str:
    return f"{n:,} {name}" if n == 1 else f"{n:,} {name}s"
