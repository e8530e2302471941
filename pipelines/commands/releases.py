"""`fenji releases`: list what was published."""

from pipelines.commands import terminal
from project.folder import Project
from releases import marks, store


def list_releases(project: Project, *, as_json: bool) -> None:
    """Show the published releases, the latest published last; then the retracted."""
    current_id = store.pointed_at(project)
    manifests = store.releases(project)
    retracted = marks.marks(project)
    if as_json:
        listed = [
            {
                "release_id": one.release_id,
                "as_of_date": one.as_of_date,
                "known_at": one.known_at,
                "is_current": one.release_id == current_id,
                "is_retracted": False,
                "content_digest": one.content_digest,
                "published_at": one.published_at,
                "schemes": one.schemes,
                "n_checks": len(one.checks),
                "failed_checks": [
                    f"{check.table_name}: {check.check_name}"
                    for check in one.checks
                    if not check.passed
                ],
            }
            for one in manifests
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
    rows = terminal.table("Releases", "release", "as of", "published", "content", "")
    # Their ids say both dates, and leave no room for more.
    looks_back = terminal.table("As was known before", "release", "published", "")
    for one in manifests:
        published = one.published_at.strftime("%Y-%m-%d %H:%M")
        state = "current" if one.release_id == current_id else ""
        if one.known_at is None:
            as_of, content = one.as_of_date.isoformat(), one.content_digest[:12]
            rows.add_row(one.release_id, as_of, published, content, state)
        else:
            looks_back.add_row(one.release_id, published, state)
    taken_back = terminal.table("Retracted", "release", "at", "reason")
    for mark in retracted:
        at = mark.retracted_at.strftime("%Y-%m-%d %H:%M")
        taken_back.add_row(mark.release_id, at, mark.reason)
    for table in (rows, looks_back, taken_back):
        if table.rows:
            terminal.console().print(table)
