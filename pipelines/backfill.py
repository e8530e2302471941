"""A backfill: one run after another, for each as-of date of a range, in one process.

Dates come in order, so that each release is compared with the one before. Imports are
paid once, files are read once, and what all dates share is computed once.
"""

import calendar
import contextlib
import datetime
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from ingest.warehouse import opened as opened_warehouse
from pipelines import process
from project.choices import Every, Publish
from project.errors import ConfigurationError
from project.folder import Project
from releases import pointing, store
from releases.manifest import Manifest
from runs.opening import decide, hold_warehouse, open_run

if TYPE_CHECKING:
    from pipelines.execution import Grading
    from runs.run import Progress, Run


@dataclass(frozen=True)
class Graded:
    """One date of a backfill: its release, and what it took."""

    manifest: Manifest
    is_new: bool  # False: its release was there, and nothing has changed since
    seconds: float
    phases: dict[str, float]  # seconds by phase; empty where nothing was computed


def dates_of(
    first: datetime.date, last: datetime.date, every: Every
) -> list[datetime.date]:
    """The as-of dates of a range: every day, or the last day of every month.

    Raises:
        ConfigurationError: there is none.
    """
    days = (last - first).days + 1
    dates = [first + datetime.timedelta(days=n) for n in range(max(days, 0))]
    if every == "month":
        dates = [
            day
            for day in dates
            if day.day == calendar.monthrange(day.year, day.month)[1]
        ]
    if not dates:
        what = "day" if days <= 0 else "last day of a month"
        raise ConfigurationError(
            f"--from {first} --to {last}: there is no {what} in this range"
        )
    return dates


def backfill(
    project: Project,
    dates: list[datetime.date],
    *,
    publish: Publish,
    accept: bool = False,
    full: bool = False,
    on_wait: Callable[[], None],
    on_upgrade: Callable[[str], None],
    on_end: "Callable[[Run], None]",
    progress: "Callable[[datetime.date], Progress] | None",
) -> Iterator[Graded]:
    """Grade as of each date, in order, and publish a release for each.

    With `accept`, what gates would stop is published all the same.
    With `full`, what could be carried over is computed for the first date; the others
    go on from it.
    `on_upgrade` is told where an earlier version made the warehouse.
    `on_end` is told each run once it has ended, also one that has failed.
    With `publish` "last" those published before the last one are removed again at the
    end: what they said stays in its history.

    Raises:
        FenjiError: a date could not be graded; the releases before it stand.
    """
    made: list[Manifest] = []
    with hold_warehouse(project, on_wait=on_wait), contextlib.ExitStack() as stack:
        job: Grading | None = None
        # Open from the first date on: what DuckDB has read stays in memory.
        warehouse: duckdb.DuckDBPyConnection | None = None
        for as_of_date in dates:
            began = time.perf_counter()
            decision = decide(
                project, as_of_date, warehouse=warehouse, is_judged=job is not None
            )
            if decision.published is not None:
                pointing.settle(project)
                took = time.perf_counter() - began
                yield Graded(decision.published, is_new=False, seconds=took, phases={})
                continue
            from pipelines.execution import grading  # noqa: PLC0415 - imports Dagster

            warehouse = warehouse or stack.enter_context(
                opened_warehouse(project, tell=on_upgrade)
            )
            job = job or stack.enter_context(grading(project))
            lines = progress(as_of_date) if progress else None
            opening = open_run(
                project,
                as_of_date,
                on_upgrade=on_upgrade,
                accept=accept,
                full=full and not made,
                graded_together=dates,
                decision=decision,
                progress=lines,
            )
            with contextlib.closing(lines) if lines else contextlib.nullcontext():
                manifest, phases = _execute(job, opening, on_end)
            made.append(manifest)
            process.clear_cycles()
            took = time.perf_counter() - began
            yield Graded(manifest, is_new=True, seconds=took, phases=phases)
        if publish == "last":
            _remove(project, (m for m in made if m.as_of_date != dates[-1]))


def _execute(
    job: "Grading",
    opening: "contextlib.AbstractContextManager[Run]",
    on_end: "Callable[[Run], None]",
) -> tuple[Manifest, dict[str, float]]:
    """Carry a run out: the release that it published, and its seconds by phase."""
    with opening as run:
        try:
            job.execute(run)
        finally:
            on_end(run)
    if run.released is None:
        raise RuntimeError("the run ended without a release")
    return run.released, run.seconds


def _remove(project: Project, manifests: Iterable[Manifest]) -> None:
    """Remove the releases of a backfill that were published before its last one."""
    for manifest in manifests:
        store.remove(project, manifest.release_id)
    pointing.settle(project)
