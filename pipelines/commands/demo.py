"""`fenji demo`: make the demo company, grade it at two dates, show what came out."""

import datetime
from pathlib import Path

from pipelines.commands import terminal
from pipelines.commands.common import say_waiting
from pipelines.commands.run import run
from project.folder import Project, open_project
from releases import pointing
from runs.opening import hold_warehouse, open_run


def demo(folder: Path, customers: int, *, as_json: bool) -> None:
    """Make the demo company, grade it at two dates, and show what came out.

    Without the date before, nobody would be seen to move from tier to tier.
    """
    from pipelines.commands import tour  # noqa: PLC0415
    from synthetic.demo import make_demo  # noqa: PLC0415

    made = make_demo(folder, customers=customers)
    project = open_project(folder)
    before = made.until.replace(day=1) - datetime.timedelta(days=1)
    if as_json:
        _grade(project, before)
        run(project, made.until.isoformat(), as_json=True)
        return
    tour.show_company(folder, made)
    progress = terminal.LayerLines()
    _grade(project, before, progress)
    terminal.console().print(
        f"Graded as of {before}, so that it is seen who moved until {made.until}.\n"
    )
    progress = terminal.LayerLines()
    run(project, made.until.isoformat(), as_json=False, progress=progress)
    customer = tour.show_release(project)
    tour.show_where_next(folder, customer)


def _grade(
    project: Project,
    as_of_date: datetime.date,
    progress: terminal.LayerLines | None = None,
) -> None:
    """Publish a release for a date, and say nothing of what is in it."""
    from pipelines.execution import grading  # noqa: PLC0415 - imports Dagster

    with hold_warehouse(project, on_wait=say_waiting):
        try:
            with (
                open_run(
                    project,
                    as_of_date,
                    on_upgrade=terminal.say_note,
                    progress=progress,
                ) as opened,
                grading(project) as job,
            ):
                job.execute(opened)
        finally:
            if progress:
                progress.close()
        pointing.settle(project)
