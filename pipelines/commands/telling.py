"""What a run tells at its end: what came in, what of it could not be used, who moved.

The same after a run that published, that found nothing new, and that failed: as lines
that fit one screen, and as part of the JSON object. Figures only; they are gathered
from the release that stands, or from the warehouse where none was written.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from rich.cells import cell_len
from rich.table import Table

from ingest.books import Books, FeedBooks, read_books
from ingest.landing import shown_place
from ingest.problems import Problem
from pipelines.commands import terminal
from project.folder import Project
from project.quantities import number_of
from releases import reading, store
from releases.summary import Movement, movements, total

if TYPE_CHECKING:
    from data_quality.result import CheckResult
    from releases.manifest import Manifest
    from runs.run import Run

# With a line or two before and after, all fits 24 lines of 80 columns.
_FEEDS, _REJECTED, _REFUSED, _ACCEPTED = 4, 3, 2, 2
_SHORT = ("vanished", "moved")  # one line each; others take two
_LINE = 64  # columns beside the labels, and room for words to break
_Thing = TypeVar("_Thing")
_COUNTS = ("files", "read", "loaded", "duplicate", "rejected")


@dataclass(frozen=True)
class Told:
    """What a run came to."""

    project: Project
    books: Books
    # None: the run published nothing.
    n_customers: int | None = None
    movements: tuple[Movement, ...] = ()
    moved_since: str | None = None  # the as-of date of the release before
    n_new_files: int = 0
    n_new_rows: int = 0
    gates: tuple["CheckResult", ...] = ()
    accepted: tuple["CheckResult", ...] = ()  # what they would have stopped


@dataclass
class Runs:
    """What the runs of one command loaded together; a backfill has several."""

    last: "Run | None" = None  # the others need not be kept
    n_new_files: int = 0
    n_new_rows: int = 0
    moved: list[tuple[str, str]] = field(default_factory=list)
    accepted: "list[CheckResult]" = field(default_factory=list)

    def add(self, run: "Run") -> None:
        """Add a run that has ended."""
        self.last = run
        for load in run.loads.values():
            self.n_new_files += load.n_new
            self.n_new_rows += load.n_read
            self.moved += load.moved
        self.accepted += [one for one in run.checks if one.is_accepted]


def of_release(
    project: Project, manifest: "Manifest", runs: Runs | None = None
) -> Told:
    """What runs came to that published a release, or that found it there already.

    The release is that of the last run; without any, nothing was new.
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
        found = con.execute(
            "select any_value(from_as_of_date) from tier_migrations"
        ).fetchone()
    return Told(
        project,
        books,
        manifest.tables.get("customers"),
        moved,
        str(found[0]) if found and found[0] else None,
        n_new_files=runs.n_new_files,
        n_new_rows=runs.n_new_rows,
        gates=_gates(runs.last),
        accepted=tuple(runs.accepted),
    )


def of_failure(run: "Run") -> Told | None:
    """What a run came to that failed, its warehouse still open; None: nothing yet."""
    if not run.loads:
        return None
    runs = Runs()
    runs.add(run)
    books = run.books or read_books(
        run.con, run.project, in_folder=run.known_at is None, moved=runs.moved
    )
    return Told(
        run.project,
        books,
        n_new_files=runs.n_new_files,
        n_new_rows=runs.n_new_rows,
        gates=_gates(run),
        accepted=tuple(runs.accepted),
    )


def _gates(run: "Run | None") -> "tuple[CheckResult, ...]":
    return tuple(one for one in run.checks if one.is_gate) if run else ()


def as_dict(told: Told | None) -> dict[str, Any]:
    """The same as part of a JSON object, in full."""
    if told is None:
        return {}
    project, books = told.project, told.books
    return {
        "customers": told.n_customers,
        "new": {"files": told.n_new_files, "rows": told.n_new_rows},
        "feeds": [asdict(one) for one in books.feeds],
        "rejected": [_problem(project, one) for one in books.of_kind("rejected")],
        "refused": [_problem(project, one) for one in books.of_kind("refused")],
        "vanished": [shown_place(project, *one) for one in books.vanished],
        "moved": [{"from": one[0], "to": one[1]} for one in books.moved],
        "movements": [asdict(one) for one in told.movements],
        "gates": [one.as_row() for one in told.gates],
    }


def _problem(project: Project, one: Problem) -> dict[str, Any]:
    return {
        "feed": one.feed,
        "reason": one.reason,
        "column": one.column_name,
        "n": one.n,
        "first": one.place(project),
    }


def show(told: Told | None) -> None:
    """Print it so that it fits one screen."""
    if told is None:
        return
    out = terminal.console()
    if told.books.feeds:
        out.print(_feeds(told))
    lines = terminal.facts()
    for label, line in _lines(told):
        n_lines = 1 if label in _SHORT else 2
        lines.add_row(f"  {label}", _cut(line, n_lines * _LINE))
    out.print(lines)


def _feeds(told: Told) -> Table:
    """The feeds of which most was rejected or refused, and the others together."""
    rows = terminal.facts(*_COUNTS)
    ranked = sorted(
        told.books.feeds, key=lambda one: (-one.n_rejected, -one.n_refused, -one.n_read)
    )
    shown, others = _capped(ranked, _FEEDS)
    for one in shown:
        rows.add_row(f"  {one.feed}", *_numbers([one]))
    if others:
        rows.add_row(f"  and {number_of(len(others), 'more feed')}", *_numbers(others))
    return rows


def _numbers(books: Sequence[FeedBooks]) -> list[str]:
    sums = (
        sum(one.n_files for one in books),
        sum(one.n_read for one in books),
        sum(one.n_loaded for one in books),
        sum(one.n_duplicate for one in books),
        sum(one.n_rejected for one in books),
    )
    return [f"{count:,}" for count in sums]


def _lines(told: Told) -> Iterator[tuple[str, str]]:
    project, books = told.project, told.books
    new = "no file"
    if told.n_new_files:
        files = number_of(told.n_new_files, "file")
        new = f"{files} with {number_of(told.n_new_rows, 'row')}"
    yield "new", new
    rejected, more = _capped(books.of_kind("rejected"), _REJECTED)
    for one in rejected:
        what = f"{one.feed}: {one.reason} {one.n:,}"
        yield "rejected", f"{what}, first {one.place(project)}"
    if more:
        n_rows = number_of(sum(one.n for one in more), "row")
        reasons = number_of(len(more), "more reason")
        yield "rejected", f"and {n_rows} for {reasons}: see rejected_rows"
    refused, more = _capped(books.of_kind("refused"), _REFUSED)
    for one in refused:
        what = f"{one.feed}: {number_of(one.n, 'file')}: {one.reason}"
        yield "refused", f"{what}, first {one.place(project)}"
    if more:
        n_files = number_of(sum(one.n for one in more), "more file")
        yield "refused", f"and {n_files}: see feed_reconciliation"
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
    yield from _moves(told)
    accepted, more_gates = _capped(told.accepted, _ACCEPTED)
    for gate in accepted:
        yield "accepted", f"{gate.check_name}: {gate.observed}"
    if more_gates:
        yield "accepted", f"and {number_of(len(more_gates), 'more gate')}"


def _cut(line: str, most: int) -> str:
    """The line without its middle where it would take more room on the screen."""
    if cell_len(line) <= most:
        return line
    half = most // 2 - 2
    return f"{line[:half]} … {line[-half:]}"


def _moves(told: Told) -> Iterator[tuple[str, str]]:
    found = total(told.movements)
    if found is None or told.moved_since is None:
        return
    most = max(told.movements, key=lambda one: (one.n_moved, one.scheme))
    yield (
        "tiers",
        f"since {told.moved_since}, {number_of(len(told.movements), 'scheme')}:"
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
