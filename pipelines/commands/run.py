"""`fenji run`: grade for one date, unless its release is there already."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines import terminal
from pipelines.commands.common import facts, say_refused, say_waiting
from pipelines.running import (
    decide,
    hold_warehouse,
    open_run,
    read_date,
    read_known_at,
    today,
)
from project.errors import FenjiError
from project.folder import Project
from releases import store

if TYPE_CHECKING:
    from assets.run import Run
    from releases.manifest import Manifest


def run(
    project: Project,
    as_of: str | None,
    known_at: str | None = None,
    *,
    as_json: bool,
    progress: terminal.StepLines | None = None,
) -> None:
    """Run the pipeline for a date, unless its release is there already."""
    began = time.perf_counter()
    as_of_date = today(project) if as_of is None else read_date(as_of)
    known = None if known_at is None else read_known_at(project, known_at)
    with hold_warehouse(project, on_wait=say_waiting):
        decision = decide(project, as_of_date, known)
        if decision.published is not None:
            _show_unchanged(project, decision.published, as_json=as_json)
            return
        from pipelines.execution import grading  # noqa: PLC0415 - imports Dagster

        progress = None if as_json else progress or terminal.StepLines()
        try:
            with open_run(
                project,
                as_of_date,
                known_at=known,
                decision=decision,
                progress=progress,
            ) as opened:
                started = time.perf_counter() - began
                try:
                    with grading(project) as job:
                        job.execute(opened)
                except FenjiError as err:
                    if as_json:
                        terminal.say_json(_failed(opened, err))
                    raise
                finally:
                    say_refused(opened)
                opened.seconds["whole"] = time.perf_counter() - began
                # Besides the import of Great Expectations.
                opened.seconds["startup"] = opened.seconds.get("startup", 0) + started
        finally:
            if progress:
                progress.close()
    if opened.released is None:
        raise RuntimeError("the run ended without a release")
    if as_json:
        terminal.say_json(_published(opened, opened.released))
    else:
        _show_published(project, opened.released)


def _show_unchanged(project: Project, manifest: "Manifest", *, as_json: bool) -> None:
    store.stand_by(project, manifest.release_id)
    if as_json:
        terminal.say_json({"status": "unchanged", **facts(manifest)})
        return
    terminal.console().print(
        f"Nothing changed: release {manifest.release_id}"
        f" (as of {manifest.as_of_date}) stands."
    )


def _show_published(project: Project, manifest: "Manifest") -> None:
    failed = [one for one in manifest.checks if not one.passed]
    out = terminal.console()
    out.print(f"Published release {manifest.release_id} (as of {manifest.as_of_date}).")
    for file in manifest.missing_inputs:
        out.print(f"  missing: {file}: was known then, and its rows are gone since")
    for one in failed:
        out.print(f"  warning: {one.table_name}: {one.check_name}: {one.n_failed} rows")
    out.print(f"  tables  {_shown(project.current / store.DATABASE_FILE)}")
    out.print(f"  report  {_shown(project.current / 'report.html')}")


def _shown(path: Path) -> str:
    """A path from the current folder where that is shorter."""
    relative = os.path.relpath(path)
    return min(relative, str(path), key=len)


def _published(opened: "Run", manifest: "Manifest") -> dict[str, Any]:
    return {
        "status": "published",
        **facts(manifest),
        "tables": manifest.tables,
        "checks": [one.model_dump() for one in manifest.checks],
        "timings": {name: round(took, 3) for name, took in opened.seconds.items()},
        "steps": {name: round(took, 3) for name, took in opened.step_seconds.items()},
    }


def _failed(opened: "Run", err: FenjiError) -> dict[str, Any]:
    return {
        "status": "failed",
        "error": " ".join(str(err).split()),
        "as_of_date": opened.as_of_date,
        "checks": [one.as_row() for one in opened.checks],
    }
