"""What a run came to: what came in, what of it could not be used, who moved.

It is the same after a run that published, after one that found nothing new, and after
one that failed: lines that fit one screen, or part of the JSON object. It holds figures
and names of files, never a row. The figures come from the release that stands, or from
the warehouse where none was written.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from rich.cells import cell_len
from rich.table import Table

from data_quality.gates import added_columns, lacking_columns
from ingest.arrivals import Arrivals
from ingest.books import Books, FeedBooks, read_books
from ingest.landing import shown_place
from ingest.problems import Problem
from pipelines.commands import terminal
from project.folder import Project
from project.quantities import number_of
from releases import reading, store
from releases.summary import (
    Movement,
    is_long_before,
    movements,
    newest_order,
    total,
)

if TYPE_CHECKING:
    from data_quality.result import CheckResult
    from releases.manifest import Manifest
    from runs.run import Run

# With a line or two before and after, all fits 24 lines of 80 columns.
_FEEDS, _REJECTED, _REFUSED, _ACCEPTED = 4, 3, 2, 2
_SHORT = ("newest", "unmatched", "vanished", "moved")  # one line each; others take two
# Where there is more to tell than fits, these take one line, the later ones first.
_SQUEEZED = ("rejected", "accepted")
_MOST_LINES = 21
_LINE = 64  # columns beside the headings, and room for words to break
_Thing = TypeVar("_Thing")
_COUNTS = ("files", "read", "loaded", "duplicate", "rejected")


@dataclass(frozen=True)
class Outcome:
    """What a run, or the runs of a backfill, came to."""

    project: Project
    books: Books  # of all feeds: files, rows and what could not be used
    n_customers: int | None = None  # None: the run published nothing
    movements: tuple[Movement, ...] = ()
    moved_since: str | None = None  # the as-of date of the release before
    n_new_files: int = 0
    n_new_rows: int = 0
    arrivals: tuple[Arrivals, ...] = ()  # by run and feed
    gates: tuple["CheckResult", ...] = ()
    accepted: tuple["CheckResult", ...] = ()  # the gates that would have stopped it
    as_of_date: datetime.date | None = None  # None: the run published nothing
    newest_order_date: datetime.date | None = None  # None: there is none

    @property
    def n_days_before(self) -> int | None:
        """How old the newest order is, in days; None: not old enough to be told."""
        day, as_of_date = self.newest_order_date, self.as_of_date
        if day is None or as_of_date is None or not is_long_before(day, as_of_date):
            return None
        return (as_of_date - day).days


@dataclass
class Runs:
    """What the runs of one command loaded together; a backfill has several."""

    last: "Run | None" = None  # the others need not be kept
    n_new_files: int = 0
    n_new_rows: int = 0
    arrivals: list[Arrivals] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)
    accepted: "list[CheckResult]" = field(default_factory=list)

    def add(self, run: "Run") -> None:
        """Add a run that has ended."""
        self.last = run
        for load in run.loads.values():
            self.n_new_files += load.n_new
            self.n_new_rows += load.n_read
            self.moved += load.moved
        self.arrivals += run.arrivals
        self.accepted += [check for check in run.checks if check.is_accepted]


def of_release(
    project: Project, manifest: "Manifest", runs: Runs | None = None
) -> Outcome:
    """What runs came to that published a release, or that found it there already.

    Args:
        project: the project.
        manifest: the release; of a backfill, that of the last date.
        runs: the runs; None where nothing was new.

    Raises:
        RunError: the database of the release is damaged.
    """
    runs = runs or Runs()
    with reading.opened(store.database(project, manifest.release_id)) as con:
        books = read_books(
            con,
            project,
            is_release=True,
            in_folder=manifest.known_at is None,
            moved=runs.moved,
        )
        catalog = con.execute("select current_database()").fetchall()[0][0]
        moved = movements(con, catalog)
        newest = newest_order(con, catalog)
        found = con.execute(
            "select any_value(from_as_of_date) from tier_migrations"
        ).fetchone()
    return Outcome(
        project,
        books,
        manifest.tables.get("customers"),
        moved,
        str(found[0]) if found and found[0] else None,
        n_new_files=runs.n_new_files,
        n_new_rows=runs.n_new_rows,
        arrivals=tuple(runs.arrivals),
        gates=_gates(runs.last),
        accepted=tuple(runs.accepted),
        as_of_date=manifest.as_of_date,
        newest_order_date=newest,
    )


def of_failure(run: "Run") -> Outcome | None:
    """What a run came to that failed, its warehouse still open.

    None where it failed before anything was loaded.
    """
    if not run.loads:
        return None
    runs = Runs()
    runs.add(run)
    books = run.books or read_books(
        run.con, run.project, in_folder=run.known_at is None, moved=runs.moved
    )
    return Outcome(
        run.project,
        books,
        n_new_files=runs.n_new_files,
        n_new_rows=runs.n_new_rows,
        arrivals=tuple(runs.arrivals),
        gates=_gates(run),
        accepted=tuple(runs.accepted),
    )


def _gates(run: "Run | None") -> "tuple[CheckResult, ...]":
    return tuple(check for check in run.checks if check.is_gate) if run else ()


def as_dict(outcome: Outcome | None) -> dict[str, Any]:
    """An outcome as part of a JSON object, in full; empty where there is none."""
    if outcome is None:
        return {}
    project, books = outcome.project, outcome.books
    return {
        "customers": outcome.n_customers,
        "newest_order_date": outcome.newest_order_date,
        "new": {"files": outcome.n_new_files, "rows": outcome.n_new_rows},
        "arrivals": [asdict(came) for came in outcome.arrivals],
        "feeds": [asdict(feed) for feed in books.feeds],
        "rejected": [
            _problem(project, problem) for problem in books.of_kind("rejected")
        ],
        "refused": [_problem(project, problem) for problem in books.of_kind("refused")],
        "vanished": [shown_place(project, *file) for file in books.vanished],
        "moved": [{"from": old, "to": new} for old, new in books.moved],
        "movements": [asdict(movement) for movement in outcome.movements],
        "gates": [gate.as_row() for gate in outcome.gates],
    }


def _problem(project: Project, problem: Problem) -> dict[str, Any]:
    return {
        "feed": problem.feed,
        "reason": problem.reason,
        "column": problem.column_name,
        "n": problem.n,
        "first": problem.place(project),
    }


def show(outcome: Outcome | None) -> None:
    """Print an outcome so that it fits one screen; nothing where there is none."""
    if outcome is None:
        return
    out = terminal.console()
    if outcome.books.feeds:
        out.print(_feeds(outcome))
    lines = terminal.facts()
    for heading, line, n_lines in _fitted(outcome):
        lines.add_row(f"  {heading}", _cut(line, n_lines * _LINE))
    out.print(lines)


def _fitted(outcome: Outcome) -> list[tuple[str, str, int]]:
    """Heading and text of each line below the feeds, and how many lines it takes."""
    told = list(_lines(outcome))
    takes = [1 if heading in _SHORT else 2 for heading, _ in told]
    n_feeds = min(len(outcome.books.feeds), _FEEDS)
    room = _MOST_LINES - (n_feeds + 1 if n_feeds else 0)
    needed = [
        min(n_lines, 1 + (cell_len(line) > _LINE))
        for n_lines, (_, line) in zip(takes, told, strict=True)
    ]
    for squeezed in reversed(_SQUEEZED):
        for place, (heading, _) in reversed(list(enumerate(told))):
            if sum(needed) > room and heading == squeezed and needed[place] > 1:
                takes[place] = needed[place] = 1
    return [
        (heading, line, n_lines)
        for n_lines, (heading, line) in zip(takes, told, strict=True)
    ]


def _feeds(outcome: Outcome) -> Table:
    """The feeds of which most was rejected or refused, and the others together."""
    skips = any(feed.n_skipped for feed in outcome.books.feeds)
    counts = (*_COUNTS, "skipped") if skips else _COUNTS
    rows = terminal.facts(*counts)
    ranked = sorted(
        outcome.books.feeds,
        key=lambda feed: (-feed.n_rejected, -feed.n_refused, -feed.n_read),
    )
    # The line that tells of old data takes the room of one.
    most = _FEEDS if outcome.n_days_before is None else _FEEDS - 1
    shown, others = _capped(ranked, most)
    for feed in shown:
        rows.add_row(f"  {feed.feed}", *_numbers([feed])[: len(counts)])
    if others:
        rest = f"  and {number_of(len(others), 'more feed')}"
        rows.add_row(rest, *_numbers(others)[: len(counts)])
    return rows


def _numbers(feeds: Sequence[FeedBooks]) -> list[str]:
    sums = (
        sum(feed.n_files for feed in feeds),
        sum(feed.n_read for feed in feeds),
        sum(feed.n_loaded for feed in feeds),
        sum(feed.n_duplicate for feed in feeds),
        sum(feed.n_rejected for feed in feeds),
        sum(feed.n_skipped for feed in feeds),
    )
    return [f"{count:,}" for count in sums]


def _lines(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Heading and text of each line below the feeds."""
    new = "no file"
    if outcome.n_new_files:
        files = number_of(outcome.n_new_files, "file")
        new = f"{files} with {number_of(outcome.n_new_rows, 'row')}"
    yield "new", ", ".join([new, *_told_apart(outcome.arrivals)])
    if outcome.n_days_before is not None:
        day = outcome.newest_order_date
        before = f"order of {day}, {outcome.n_days_before:,} days before"
        yield "newest", f"{before}; see --as-of {day}"
    yield from _unusable(outcome.project, outcome.books)
    for gate in (*lacking_columns(outcome.gates), *added_columns(outcome.gates)):
        yield "columns", gate.observed
    yield from _elsewhere(outcome.project, outcome.books)
    yield from _moves(outcome)
    accepted, more_gates = _capped(outcome.accepted, _ACCEPTED)
    for gate in accepted:
        yield "accepted", f"{gate.check_name}: {gate.observed}"
    if more_gates:
        yield "accepted", f"and {number_of(len(more_gates), 'more gate')}"


def _told_apart(arrivals: Sequence[Arrivals]) -> Iterator[str]:
    """What came that is not simply new: in no release before, of all feeds together."""
    counts = {
        "late": sum(came.n_late or 0 for came in arrivals),
        "corrected": sum(came.n_corrected for came in arrivals),
        "duplicate": sum(came.n_duplicate for came in arrivals),
        "replaced": sum(came.n_replaced for came in arrivals),
    }
    for what, n_rows in counts.items():
        if n_rows:
            yield f"{n_rows:,} {what}"


def _unusable(project: Project, books: Books) -> Iterator[tuple[str, str]]:
    """The rows that were rejected and the files that were refused, by reason."""
    rejected, more = _capped(books.of_kind("rejected"), _REJECTED)
    for problem in rejected:
        what = f"{problem.feed}: {problem.reason} {problem.n:,}"
        yield "rejected", f"{what}, first {problem.place(project)}"
    if more:
        n_rows = number_of(sum(problem.n for problem in more), "row")
        reasons = number_of(len(more), "more reason")
        yield "rejected", f"and {n_rows} for {reasons}: see rejected_rows"
    for feed in books.feeds:
        if feed.n_unmatched:
            n_rows = number_of(feed.n_unmatched, "row")
            yield "unmatched", f"{feed.feed}: {n_rows} without one in a joined file"
    refused, more = _capped(books.of_kind("refused"), _REFUSED)
    for problem in refused:
        what = f"{problem.feed}: {number_of(problem.n, 'file')}: {problem.reason}"
        yield "refused", f"{what}, first {problem.place(project)}"
    if more:
        n_files = number_of(sum(problem.n for problem in more), "more file")
        yield "refused", f"and {n_files}: see feed_reconciliation"


def _elsewhere(project: Project, books: Books) -> Iterator[tuple[str, str]]:
    """The files that are gone from their folders, or lie elsewhere now."""
    if books.vanished:
        first = shown_place(project, *books.vanished[0])
        n_files = number_of(len(books.vanished), "file")
        yield (
            "vanished",
            f"{n_files}, rows kept until `fenji forget`, first {first}",
        )
    if books.moved:
        old, new = books.moved[0]
        n_files = number_of(len(books.moved), "file")
        yield "moved", f"{n_files}, first {old} to {new}"


def _cut(line: str, most: int) -> str:
    """The line without its middle where it would take more room on the screen."""
    if cell_len(line) <= most:
        return line
    half = most // 2 - 2
    return f"{line[:half]} … {line[-half:]}"


def _moves(outcome: Outcome) -> Iterator[tuple[str, str]]:
    found = total(outcome.movements)
    if found is None or outcome.moved_since is None:
        return
    most = max(
        outcome.movements, key=lambda movement: (movement.n_moved, movement.scheme)
    )
    yield (
        "tiers",
        f"since {outcome.moved_since}, {number_of(len(outcome.movements), 'scheme')}:"
        f" {found.n_up:,} up, {found.n_down:,} down, {found.n_changed:,} changed,"
        f" {found.n_new:,} new"
        + (f"; most {most.scheme}, {most.n_moved:,}" if most.n_moved else ""),
    )


def _capped(
    found: Sequence[_Thing], most: int
) -> tuple[Sequence[_Thing], Sequence[_Thing]]:
    """As many as there is room for, and the others, which take a line of it."""
    if len(found) <= most:
        return found, ()
    return found[: most - 1], found[most - 1 :]
