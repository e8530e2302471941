"""`fenji releases`: list what was published.

Nothing but manifests and marks is read: it is quick, and works while a run is on.
"""

from pipelines.commands import terminal
from project.folder import Project
from project.quantities import number_of
from releases import marks, store
from releases.manifest import Manifest


def list_releases(project: Project, *, as_json: bool) -> None:
    """Show the published releases, the latest published last; then the retracted."""
    current_id = store.pointed_at(project)
    manifests = store.releases(project)
    retracted = marks.marks(project)
    if as_json:
        listed = [
            {
                "release_id": manifest.release_id,
                "as_of_date": manifest.as_of_date,
                "known_at": manifest.known_at,
                "is_current": manifest.release_id == current_id,
                "is_retracted": False,
                "content_digest": manifest.content_digest,
                "published_at": manifest.published_at,
                "schemes": manifest.schemes,
                "n_checks": len(manifest.checks),
                "failed_checks": [
                    f"{check.table_name}: {check.check_name}"
                    for check in manifest.checks
                    if not check.passed
                ],
            }
            for manifest in manifests
        ]
        listed += [
            {**mark.model_dump(mode="json"), "is_current": False, "is_retracted": True}
            for mark in retracted
        ]
        terminal.say_json({"releases": listed})
        return
    if not manifests and not retracted:
        terminal.console().print("No release yet: `fenji run` publishes the first.")
        return
    rows = terminal.table("", "release", "as of", "published", "content", "")
    terminal.console().print(_summary(manifests, current_id))
    # Their ids say both dates, and leave no room for more.
    looks_back = terminal.table("As was known before", "release", "published", "")
    for manifest in manifests:
        published = manifest.published_at.strftime("%Y-%m-%d %H:%M")
        state = "current" if manifest.release_id == current_id else ""
        if manifest.known_at is None:
            as_of, content = (
                manifest.as_of_date.isoformat(),
                manifest.content_digest[:12],
            )
            rows.add_row(manifest.release_id, as_of, published, content, state)
        else:
            looks_back.add_row(manifest.release_id, published, state)
    taken_back = terminal.table("Retracted", "release", "at", "reason")
    for mark in retracted:
        at = mark.retracted_at.strftime("%Y-%m-%d %H:%M")
        taken_back.add_row(mark.release_id, at, mark.reason)
    for table in (rows, looks_back, taken_back):
        if table.rows:
            terminal.console().print(table)


def _summary(manifests: list[Manifest], current_id: str | None) -> str:
    """How many releases stand, of which dates, and the one that readers see."""
    if not manifests:
        return "No release stands."
    dates = sorted({manifest.as_of_date for manifest in manifests})
    of_dates = f"as of {dates[0]}"
    if len(dates) > 1:
        of_dates = f"of {len(dates)} dates, {dates[0]} to {dates[-1]}"
    current = f"current is {current_id}" if current_id else "none is current"
    return f"{number_of(len(manifests), 'release')} {of_dates}; {current}."
