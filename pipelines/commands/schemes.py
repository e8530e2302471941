"""`fenji schemes`: list the schemes, and whether each can run."""

from pipelines.commands import terminal
from pipelines.commands.common import say_waiting
from project.folder import Project
from runs.opening import hold_warehouse


def list_schemes(project: Project, *, as_json: bool) -> None:
    """List the schemes with the feeds that are loaded; why those that cannot run."""
    from ingest import warehouse  # noqa: PLC0415
    from ingest.raw_tables import feed_columns  # noqa: PLC0415
    from schemes.plan import make_plan  # noqa: PLC0415
    from schemes.tables.scheme_lists import feeds_needed, why_not  # noqa: PLC0415

    feeds: dict[str, frozenset[str]] = {}
    with hold_warehouse(project, on_wait=say_waiting):
        if warehouse.is_there(project):
            with warehouse.reading(project) as con:
                feeds = feed_columns(con)
    plan = make_plan(project, feeds)
    needs = feeds_needed(plan.schemes)
    found = [(one, why_not(one)) for one in plan.schemes]
    if as_json:
        listed = [
            {
                "scheme": one.scheme.scheme,
                "version": one.scheme.version,
                "kind": one.scheme.kind,
                "name_en": one.scheme.name.en,
                "name_zh": one.scheme.name.zh,
                "needs": sorted(needs[one.scheme.scheme]),
                "uses": sorted(
                    one.inputs.optional - one.inputs.schemes - needs[one.scheme.scheme]
                ),
                "is_applicable": reason is None,
                "not_applicable_reason": reason,
            }
            for one, reason in found
        ]
        terminal.say_json({"schemes": listed})
        return
    rows = terminal.table("Schemes 方案", "scheme", "name", "can run")
    for one, reason in found:
        scheme = one.scheme
        names = f"{scheme.name.en}\n{scheme.name.zh}"
        asked = ", ".join(sorted(needs[scheme.scheme]))
        rows.add_row(scheme.scheme, names, f"{reason or 'yes'}\nneeds {asked}")
    terminal.console().print(rows)
