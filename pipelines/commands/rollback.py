"""`fenji rollback`: point `current` at a release that was published before."""

from pipelines import serving
from pipelines.commands import terminal
from pipelines.commands.common import current_facts, facts, say_waiting, show_served
from project.folder import Project
from releases import pointing
from runs.opening import hold_warehouse


def rollback(project: Project, release_id: str, *, as_json: bool) -> None:
    """Point `current` at a release that was published before."""
    with hold_warehouse(project, on_wait=say_waiting):
        manifest = pointing.point_at(project, release_id)
    served = serving.serve_and_tell(project, terminal.say_note)
    if as_json:
        current = {"is_current": True, "current": current_facts(project)}
        terminal.say_json(
            {
                "status": "rolled back",
                **facts(manifest),
                **current,
                **serving.said(served),
            }
        )
        return
    told = f"data/current points at {release_id} (as of {manifest.as_of_date})"
    if pointing.is_held(project):
        told += " until a run publishes the latest date again"
    terminal.console().print(f"{told}.")
    show_served(served)
