"""The gates of a run: the figures are gathered here, and judged in `data_quality`."""

from collections.abc import Iterator

from data_quality.gates import (
    FeedFigures,
    SchemeMovement,
    judge_days,
    judge_feed,
    judge_movement,
    judged,
    lacking_columns,
)
from data_quality.result import CheckResult
from ingest.books import (
    Books,
    FeedBooks,
    new_since,
    read_books,
    reasons,
    recent_days,
    vanished_places,
)
from ingest.drift import drift
from project.settings import EVERY_FEED
from releases.building import CATALOG
from releases.summary import Unusable, movements
from runs.run import Run
from sql.contracts import feeds


def judge(run: Run) -> list[CheckResult]:
    """Judge what came in and who moved, once the tables of the release are written.

    What came is all since the last release was published, so that running again does
    not pass a gate. A look back repeats what was said once: it is only judged by what
    no release has shown yet.
    """
    inside = run.con.cursor()
    try:
        inside.execute(f"use {CATALOG}")
        run.books = read_books(
            inside,
            run.project,
            is_release=True,
            in_folder=run.known_at is None,
            moved=[file for load in run.loads.values() for file in load.moved],
        )
    finally:
        inside.close()
    results = list(_feeds(run, run.books))
    if run.known_at is None:
        results += _days(run, run.books)
        results += _schemes(run)
    return results


def unusable(run: Run) -> list[Unusable]:
    """What the report shows of the input that could not be used, the worst first."""
    if run.books is None:
        raise RuntimeError("the gates were not judged")
    books, project = run.books, run.project
    found = [
        Unusable("accepted", judged(check), check.observed, None, "")
        for check in run.checks
        if check.is_accepted
    ]
    for kind in ("refused", "rejected"):
        found += [
            Unusable(
                problem.kind,
                problem.feed,
                problem.reason,
                problem.n,
                problem.place(project),
            )
            for problem in books.of_kind(kind)
        ]
    found += [
        Unusable("lacking", judged(check), check.observed, check.n_failed, "")
        for check in lacking_columns(run.checks)
    ]
    for feed in dict(books.vanished):
        places = vanished_places(project, books, feed)
        found.append(Unusable("vanished", feed, "", len(places), places[0]))
    if books.moved:
        old, new = books.moved[0]
        found.append(Unusable("moved", "", f"{old} → {new}", len(books.moved), new))
    return found


def _feeds(run: Run, books: Books) -> Iterator[CheckResult]:
    came = new_since(run.con, run.unpublished_since)
    drifted = drift(run.con, run.project, run.unpublished_since)
    for feed_books in books.feeds:
        new = came.get(feed_books.feed, FeedBooks(feed_books.feed, *(0,) * 7))
        rejected = books.of_kind("rejected", feed_books.feed)
        figures = FeedFigures(
            feed=feed_books.feed,
            n_files=feed_books.n_files,
            n_refused=feed_books.n_refused,
            n_read=feed_books.n_read,
            n_rejected=feed_books.n_rejected,
            n_new_files=new.n_files,
            n_new_refused=new.n_refused,
            n_new_read=new.n_read,
            n_new_rejected=new.n_rejected,
            rejected_for=reasons(run.project, rejected),
            refused_for=reasons(run.project, books.of_kind("refused", feed_books.feed)),
            vanished=tuple(vanished_places(run.project, books, feed_books.feed)),
            lacking=tuple(
                found.in_words
                for found in drifted.lost
                if found.feed == feed_books.feed
            ),
            added=tuple(
                found.in_words
                for found in drifted.added
                if found.feed == feed_books.feed
            ),
            retyped=tuple(
                found.in_words
                for found in drifted.retyped
                if found.feed == feed_books.feed
            ),
        )
        yield from judge_feed(figures, run.project.settings.gates, accept=run.accept)


def _days(run: Run, books: Books) -> Iterator[CheckResult]:
    gates = run.project.settings.gates
    named = {*gates.fresh, *gates.rows_fall}
    if EVERY_FEED in named:
        named |= {
            feed_books.feed
            for feed_books in books.feeds
            if feeds()[feed_books.feed].dated_by
        }
    for feed in sorted(named - {EVERY_FEED}):
        days = recent_days(run.con, feed, run.as_of_date)
        yield from judge_days(feed, days, run.as_of_date, gates, accept=run.accept)


def _schemes(run: Run) -> Iterator[CheckResult]:
    gate = run.project.settings.gates.tiers_move
    if gate is None:
        return
    for moved in movements(run.con, CATALOG):
        found = SchemeMovement(moved.scheme, moved.n_moved, moved.n_graded_before)
        if found.n_customers:
            yield judge_movement(found, gate, accept=run.accept)
