"""`fenji demo`: make the demo company, grade it, show what came out."""

from pathlib import Path

from pipelines.commands import terminal
from pipelines.commands.run import run
from project.folder import open_project


def demo(folder: Path, customers: int, *, as_json: bool) -> None:
    """Make the demo company, run it, and show what came out."""
    from pipelines.commands import tour  # noqa: PLC0415
    from synthetic.demo import make_demo  # noqa: PLC0415

    made = make_demo(folder, customers=customers)
    project = open_project(folder)
    if as_json:
        run(project, made.until.isoformat(), as_json=True)
        return
    tour.show_company(folder, made)
    progress = terminal.LayerLines()
    run(project, made.until.isoformat(), as_json=False, progress=progress)
    customer = tour.show_release(project)
    tour.show_where_next(folder, customer)
