"""`fenji backfill`: grade for each date of a range, and show each.

The dates are graded by `pipelines.backfill`; here they are read and their outcome is
printed.
"""

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines import serving
from pipelines.commands import outcomes, terminal
from pipelines.commands.common import (
    current_facts,
    facts,
    say_refused,
    say_waiting,
    show_served,
    where_current_points,
)
from project.choices import Every, Publish
from project.errors import FenjiError
from project.folder import Project
from runs import interrupts
from runs.dates import read_date, refuse_to_come

if TYPE_CHECKING:
    from pipelines.backfill import Graded
    from runs.run import Run


def backfill(
    project: Project,
    first: str,
    last: str,
    every: Every,
    publish: Publish,
    *,
    accept: bool = False,
    full: bool = False,
    as_json: bool,
) -> None:
    """Run the pipeline for each as-of date of a range.

    Args:
        project: the project.
        first: the first as-of date, as it was written.
        last: the last as-of date, as it was written.
        every: which days between them are graded.
        publish: which releases are kept.
        accept: whether what gates would stop is published all the same.
        full: whether everything is computed, also what could be carried over.
        as_json: print one JSON object.

    Raises:
        Interrupted: a signal ended it; the dates before stand.
        FenjiError: a date could not be graded.
    """
    from pipelines import backfill as ranges  # noqa: PLC0415

    dates = _dates(project, first, last, every)
    graded: list[Graded] = []
    ended = _Ended(as_json=as_json)
    try:
        with interrupts.in_one_line(project):
            for done in ranges.backfill(
                project,
                dates,
                publish=publish,
                accept=accept,
                full=full,
                on_wait=say_waiting,
                on_upgrade=terminal.say_note,
                on_end=ended.add,
                progress=None if as_json else terminal.DateLine,
            ):
                graded.append(done)
                if not as_json:
                    _show_graded(done)
    except FenjiError as err:
        _show_ending(graded, ended.failure, _failure(err), as_json=as_json)
        raise
    served = serving.serve_and_tell(project, terminal.say_note)
    _show_done(project, graded, ended.runs, served, as_json=as_json)


@dataclass
class _Ended:
    """The runs of a backfill that have ended."""

    as_json: bool
    runs: outcomes.Runs = field(default_factory=outcomes.Runs)
    failure: outcomes.Outcome | None = None  # of the one that failed

    def add(self, run: "Run") -> None:
        """Count a run; say why it failed, and which files it refused."""
        from pipelines import notices  # noqa: PLC0415

        self.runs.add(run)
        if run.released is None and interrupts.received() is None:
            self.failure = outcomes.of_failure(run)
            notices.tell(run, terminal.say_note)
        if self.as_json:
            say_refused(run)


def _dates(
    project: Project, first: str, last: str, every: Every
) -> list[datetime.date]:
    """The as-of dates of the range, in order.

    Raises:
        ConfigurationError: a date is none or is to come, or there is none between them.
    """
    from pipelines.backfill import dates_of  # noqa: PLC0415

    begins = read_date(project, first, option="--from")
    ends = read_date(project, last, option="--to")
    refuse_to_come(project, ends, option="--to")
    return dates_of(begins, ends, every)


def _show_done(
    project: Project,
    graded: "list[Graded]",
    runs: outcomes.Runs,
    served: list[serving.Served],
    *,
    as_json: bool,
) -> None:
    """Show the outcome of a backfill that graded all its dates."""
    outcome = outcomes.of_release(project, graded[-1].manifest, runs)
    ending = {"status": "done", "current": current_facts(project)}
    ending |= serving.said(served)
    _show_ending(graded, outcome, ending, as_json=as_json)
    if not as_json:
        terminal.console().print(where_current_points(project))
        show_served(served)


def _failure(err: FenjiError) -> dict[str, Any]:
    """What `--json` says of a backfill that did not grade all its dates."""
    is_interrupted = isinstance(err, interrupts.Interrupted)
    status = "interrupted" if is_interrupted else "failed"
    return {"status": status, "error": " ".join(str(err).split())}


def _show_ending(
    graded: "list[Graded]",
    outcome: outcomes.Outcome | None,
    ending: dict[str, Any],
    *,
    as_json: bool,
) -> None:
    """What came in, and what became of the last date."""
    if not as_json:
        outcomes.show(outcome)
        return
    releases = [_graded(done) for done in graded]
    terminal.say_json({"releases": releases, **ending, **outcomes.as_dict(outcome)})


def _show_graded(graded: "Graded") -> None:
    status = "published" if graded.is_new else "unchanged"
    terminal.console().print(
        f"{graded.manifest.as_of_date}  {graded.manifest.release_id:<22}"
        f"  {status}  {graded.seconds:>8.1f} s"
    )


def _graded(graded: "Graded") -> dict[str, Any]:
    return {
        "status": "published" if graded.is_new else "unchanged",
        **facts(graded.manifest),
        "timings": {name: round(took, 3) for name, took in graded.phases.items()},
        "seconds": round(graded.seconds, 3),
    }
