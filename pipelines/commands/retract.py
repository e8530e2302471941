"""`fenji retract`: take a release, and what the history says by it, out again.

It is marked by `releases.retraction`; the next run writes a history without it.
"""

from pipelines import serving
from pipelines.commands import terminal
from pipelines.commands.common import (
    current_facts,
    say_waiting,
    show_served,
    where_current_points,
)
from project.folder import Project
from releases import retraction, store
from releases.cleared_history import holds_retracted
from runs.opening import hold_warehouse


def retract(project: Project, release_id: str, reason: str, *, as_json: bool) -> None:
    """Mark a release as retracted, and point readers at the one that is rightful."""
    with hold_warehouse(project, on_wait=say_waiting):
        mark = retraction.retract(project, release_id, reason)
        shown = store.current(project)
        is_told = shown is not None and holds_retracted(project, shown.release_id)
    served = serving.serve_and_tell(project, terminal.say_note)
    if as_json:
        said = {
            "status": "retracted",
            **mark.model_dump(mode="json"),
            "current": current_facts(project),
            "is_told_by_current": is_told,
            **serving.said(served),
        }
        terminal.say_json(said)
        return
    out = terminal.console()
    out.print(
        f"Retracted release {mark.release_id} (as of {mark.as_of_date}). Its folder"
        " stays, marked; no release is compared with it, and no history tells of it,"
        " from the next one on."
    )
    out.print(where_current_points(project))
    show_served(served)
    if is_told:
        out.print(
            "It was published later and tells what the retracted one said:"
            " `fenji run` publishes it anew without that."
        )
