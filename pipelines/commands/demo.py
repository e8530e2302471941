"""`fenji demo`: make the demo company, grade it at two dates, show what came out."""

import datetime
from pathlib import Path

from pipelines.backfill import backfill
from pipelines.commands import terminal
from pipelines.commands.common import say_waiting
from pipelines.commands.run import run
from project.folder import Project, open_project


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
    graded = backfill(
        project,
        [as_of_date],
        publish="all",
        on_wait=say_waiting,
        on_upgrade=terminal.say_note,
        on_end=lambda _run: None,
        progress=(lambda _date: progress) if progress else None,
    )
    for _ in graded:
        pass
