"""`fenji run`: grade for one date, unless its release is there already.

Whether anything is to be done is decided by `runs.opening`, which is fast; Dagster is
imported only where something is. What is printed at the end comes from `outcomes`.
"""

import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import serving
from pipelines.commands import outcomes, pace, terminal
from pipelines.commands import pull as pulls
from pipelines.commands.common import (
    current_facts,
    facts,
    say_refused,
    say_waiting,
    show_served,
    where_current_points,
)
from project.errors import ConfigurationError, FenjiError
from project.folder import Project
from project.quantities import number_of
from releases import pointing, store
from runs import interrupts
from runs.dates import read_date, read_known_at, today
from runs.opening import decide, hold_warehouse, open_run

if TYPE_CHECKING:
    from ingest.databases.pulling import Pulled
    from releases.manifest import Manifest
    from runs.run import Run


_WARNINGS = 2  # of failed checks that are shown


def run(
    project: Project,
    as_of: str | None,
    known_at: str | None = None,
    *,
    pull: bool = False,
    accept: bool = False,
    full: bool = False,
    make_current: bool = False,
    verbose: bool = False,
    as_json: bool,
    progress: terminal.StepLines | None = None,
) -> None:
    """Run the pipeline for a date, unless its release is there already.

    Args:
        project: the project.
        as_of: the date to grade, as it was written; None: today in the business zone.
        known_at: the time by which files had to be loaded to count, as it was written;
            None: what is new is loaded, and all counts.
        pull: whether new rows of databases are brought before.
        accept: whether what a gate would stop is published all the same.
        full: whether everything is computed, also what is there already.
        make_current: whether readers are pointed at the release, whatever its date.
        verbose: whether there is a line for each step, not one a layer.
        as_json: print one JSON object.
        progress: shows the steps in another way.

    Raises:
        Interrupted: a signal ended it.
        FenjiError: it could not be done.
    """
    try:
        with interrupts.in_one_line(project):
            pulled = _pull(project, known_at, as_json=as_json) if pull else []
            manifest, opened = _grade(
                project,
                as_of,
                known_at,
                accept=accept,
                full=full,
                make_current=make_current,
                as_json=as_json,
                progress=None
                if as_json
                else progress or _lines(project, verbose=verbose),
            )
            # Others need not wait for it: the warehouse is free again.
            served = serving.serve_and_tell(project, terminal.say_note)
            if opened is None:
                _show_unchanged(project, manifest, served, pulled, as_json=as_json)
            else:
                _show_run(project, opened, manifest, served, pulled, as_json=as_json)
    except interrupts.Interrupted as err:
        if as_json:
            terminal.say_json({"status": "interrupted", "error": str(err)})
        raise


def _pull(project: Project, known_at: str | None, *, as_json: bool) -> "list[Pulled]":
    """Bring new rows of databases into the landing folders, and tell of each table.

    Raises:
        ConfigurationError: only what was known at an earlier time counts.
        FenjiError: it could not be done.
    """
    if known_at is not None:
        raise ConfigurationError(
            "--pull: loads what is new, and --known-at loads nothing; give one of them"
        )
    pulled = []
    for table in pulls.pulled_from(project, ()):
        pulled.append(table)
        if not as_json:
            pulls.show(table)
    return pulled


def _pulled_said(pulled: "list[Pulled]") -> dict[str, Any]:
    """What `--json` says of tables that were pulled; nothing where none was."""
    return {"pulled": pulls.as_dicts(pulled)} if pulled else {}


def _grade(
    project: Project,
    as_of: str | None,
    known_at: str | None,
    *,
    accept: bool,
    full: bool,
    make_current: bool,
    as_json: bool,
    progress: terminal.StepLines | None,
) -> "tuple[Manifest, Run | None]":
    """The release of the date, and the run that published it; None: it was there."""
    began = time.perf_counter()
    as_of_date = today(project) if as_of is None else read_date(project, as_of)
    known = None if known_at is None else read_known_at(project, known_at)
    with hold_warehouse(project, on_wait=say_waiting):
        decision = decide(project, as_of_date, known)
        if decision.published is not None and not full:
            _point(project, decision.published, make_current=make_current)
            return decision.published, None
        from pipelines import notices  # noqa: PLC0415 - imports Dagster
        from pipelines.execution import grading  # noqa: PLC0415 - imports Dagster

        try:
            with open_run(
                project,
                as_of_date,
                on_upgrade=terminal.say_note,
                known_at=known,
                accept=accept,
                full=full,
                decision=decision,
                progress=progress,
            ) as opened:
                started = time.perf_counter() - began
                try:
                    with grading(project) as job:
                        job.execute(opened)
                except FenjiError as err:
                    if interrupts.received() is None:
                        _show_failed(opened, err, progress, as_json=as_json)
                    raise
                finally:
                    if as_json:
                        say_refused(opened)
                    if interrupts.received() is None:
                        notices.tell(opened, terminal.say_note)
                opened.seconds["whole"] = time.perf_counter() - began
                # Besides the import of Great Expectations.
                opened.seconds["startup"] = opened.seconds.get("startup", 0) + started
        finally:
            if progress:
                progress.close()
        if opened.released is None:
            raise RuntimeError("the run ended without a release")
        _point(project, opened.released, make_current=make_current)
        pace.remember(project, opened.step_seconds)
        return opened.released, opened


def _lines(project: Project, *, verbose: bool) -> terminal.StepLines:
    if verbose:
        return terminal.StepLines()
    return terminal.LayerLines(pace.former(project))


def _point(project: Project, manifest: "Manifest", *, make_current: bool) -> None:
    """Let `current` go forward, or point it at the release where that is asked."""
    if make_current:
        pointing.point_at(project, manifest.release_id)
    else:
        pointing.settle(project)


def _pointed(project: Project, manifest: "Manifest") -> dict[str, Any]:
    """What `--json` says of the release that readers see after the run."""
    current = current_facts(project)
    is_current = current is not None and current["release_id"] == manifest.release_id
    return {"is_current": is_current, "current": current}


def _show_unchanged(
    project: Project,
    manifest: "Manifest",
    served: list[serving.Served],
    pulled: "list[Pulled]",
    *,
    as_json: bool,
) -> None:
    outcome = outcomes.of_release(project, manifest)
    if as_json:
        said = {"status": "unchanged", **facts(manifest), **_pointed(project, manifest)}
        said |= outcomes.as_dict(outcome)
        terminal.say_json({**said, **_pulled_said(pulled), **serving.said(served)})
        return
    out = terminal.console()
    out.print(
        f"Nothing changed: release {manifest.release_id}"
        f" (as of {manifest.as_of_date}) stands:"
        f" {number_of(outcome.n_customers or 0, 'customer')}."
    )
    outcomes.show(outcome)
    out.print(where_current_points(project))
    show_served(served)


def _show_failed(
    opened: "Run",
    err: FenjiError,
    progress: terminal.StepLines | None,
    *,
    as_json: bool,
) -> None:
    """Show what came in, before the error is printed."""
    outcome = outcomes.of_failure(opened)
    if as_json:
        terminal.say_json({**_failed(opened, err), **outcomes.as_dict(outcome)})
        return
    if progress:
        progress.close()
    outcomes.show(outcome)


def _outcome(project: Project, opened: "Run", manifest: "Manifest") -> outcomes.Outcome:
    runs = outcomes.Runs()
    runs.add(opened)
    return outcomes.of_release(project, manifest, runs)


def _show_run(
    project: Project,
    opened: "Run",
    manifest: "Manifest",
    served: list[serving.Served],
    pulled: "list[Pulled]",
    *,
    as_json: bool,
) -> None:
    if as_json:
        said = {**_published(project, opened, manifest), **_pulled_said(pulled)}
        terminal.say_json({**said, **serving.said(served)})
        return
    _show_published(project, opened, manifest)
    show_served(served)


def _show_published(project: Project, opened: "Run", manifest: "Manifest") -> None:
    outcome = _outcome(project, opened, manifest)
    out = terminal.console()
    out.print(
        f"Published release {manifest.release_id} (as of {manifest.as_of_date}):"
        f" {number_of(outcome.n_customers or 0, 'customer')}."
    )
    outcomes.show(outcome)
    for way in opened.ways:
        out.print(f"  {way.tables:8}{way.in_words}")
    for file in manifest.missing_inputs:
        out.print(f"  missing: {file}: was known then, and its rows are gone since")
    failed = [
        check for check in opened.checks if not check.passed and not check.is_gate
    ]
    for check in failed[:_WARNINGS]:
        out.print(
            f"  warning: {check.table_name}: {check.check_name}: {check.observed}"
        )
    if len(failed) > _WARNINGS:
        more = number_of(len(failed) - _WARNINGS, "more warning")
        out.print(f"  and {more}: see quality_results")
    place = project.current
    if not _pointed(project, manifest)["is_current"]:
        place = project.releases / manifest.release_id
        out.print(where_current_points(project))
        out.print(_why_not_current(manifest))
    out.print(f"  tables  {_shown(place / store.DATABASE_FILE)}")
    out.print(f"  report  {_shown(place / 'report.html')}")


def _why_not_current(manifest: "Manifest") -> str:
    """Why a run leaves readers where they are, and how to move them."""
    what = "A look back" if manifest.known_at else "A run for an earlier date"
    return f"{what} leaves it there; --make-current moves it."


def _shown(path: Path) -> str:
    """A path from the current folder where that is shorter."""
    relative = os.path.relpath(path)
    return min(relative, str(path), key=len)


def _published(project: Project, opened: "Run", manifest: "Manifest") -> dict[str, Any]:
    outcome = _outcome(project, opened, manifest)
    return {
        "status": "published",
        **facts(manifest),
        **_pointed(project, manifest),
        **outcomes.as_dict(outcome),
        "tables": manifest.tables,
        "checks": [check.model_dump() for check in manifest.checks],
        "ways": [asdict(way) for way in opened.ways],
        "timings": {name: round(took, 3) for name, took in opened.seconds.items()},
        "steps": {name: round(took, 3) for name, took in opened.step_seconds.items()},
    }


def _failed(opened: "Run", err: FenjiError) -> dict[str, Any]:
    return {
        "status": "failed",
        "error": " ".join(str(err).split()),
        "as_of_date": opened.as_of_date,
        "checks": [check.as_row() for check in opened.checks],
    }
