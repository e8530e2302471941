"""Retracting a release: it was wrong, and what it said is to be gone.

The folder stays, marked. Readers are pointed at the release that is rightful without
it, and no run builds on it any more: movement is measured against others, and the next
history is that which there would be if the release had never been published (see
`cleared_history`). Releases that were published after it do not change; the ones that
follow them say nothing of it.
"""

from typing import Any

from project.errors import ConfigurationError
from project.folder import Project
from releases import marks, pointing, reading, store
from releases.marks import Mark
from releases.tier_history import STATEMENTS


def retract(project: Project, release_id: str, reason: str) -> Mark:
    """Take a release out again; the lock is held.

    One whose folder was removed, and which the history still tells of, can be retracted
    as well.

    Raises:
        ConfigurationError: there is no such release, it was retracted before, or the
            reason is empty.
    """
    why = " ".join(reason.split())
    if not why:
        raise ConfigurationError("--reason: is empty; say why the release is wrong")
    for former in marks.marks(project):
        if former.release_id == release_id:
            raise ConfigurationError(
                f"{release_id}: was retracted already, at"
                f" {former.retracted_at:%Y-%m-%d %H:%M} UTC: {former.reason}"
            )
    about = _stated(project, release_id)
    if about is None:
        manifest = store.release(project, release_id)
        about = manifest.model_dump(include={"as_of_date", "known_at", "published_at"})
    mark = Mark(
        release_id=release_id, reason=why, retracted_at=store.now(project), **about
    )
    marks.put(project, mark)
    pointing.settle(project)
    return mark


def _stated(project: Project, release_id: str) -> dict[str, Any] | None:
    """What the history tells of a release whose folder is gone."""
    stated = store.statements(project)
    if (project.releases / release_id).exists() or not stated:
        return None
    history = store.database(project, stated[-1].release_id)
    with reading.opened(history) as con:
        found = con.execute(
            f"select as_of_date, published_at from {STATEMENTS}"
            " where release_id = $release_id",
            {"release_id": release_id},
        ).fetchone()
    if found is None:
        return None
    as_of_date, published_at = found
    return {"as_of_date": as_of_date, "known_at": None, "published_at": published_at}
