"""`fenji rollback`: point `current` at a release that was published before."""

from pipelines import terminal
from pipelines.commands.common import facts, say_waiting
from pipelines.running import hold_warehouse
from project.folder import Project
from releases import store


def rollback(project: Project, release_id: str, *, as_json: bool) -> None:
    """Point `current` at a release that was published before."""
    with hold_warehouse(project, on_wait=say_waiting):
        manifest = store.roll_back(project, release_id)
    if as_json:
        terminal.say_json({"status": "rolled back", **facts(manifest)})
        return
    terminal.console().print(
        f"data/current points at {release_id} (as of {manifest.as_of_date})"
        " until a later run publishes."
    )
