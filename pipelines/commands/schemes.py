"""`fenji schemes`: list the schemes, and whether each can run.

A scheme can run where the feeds that it needs are loaded.
"""

from pipelines.commands import terminal
from pipelines.commands.common import say_waiting
from project.folder import Project
from runs.opening import hold_warehouse


def list_schemes(project: Project, *, as_json: bool) -> None:
    """List the schemes with the feeds that are loaded; why those that cannot run."""
    from ingest import warehouse  # noqa: PLC0415
    from ingest.raw_tables import usable_columns  # noqa: PLC0415
    from schemes.plan import make_plan  # noqa: PLC0415
    from schemes.tables.scheme_lists import feeds_needed  # noqa: PLC0415
    from schemes.tables.why_not import why_not  # noqa: PLC0415

    feeds: dict[str, frozenset[str]] = {}
    with hold_warehouse(project, on_wait=say_waiting):
        if warehouse.is_there(project):
            with warehouse.reading(project) as con:
                feeds = usable_columns(con)
    plan = make_plan(project, feeds)
    needs = feeds_needed(plan.schemes)
    found = [(compiled, why_not(compiled)) for compiled in plan.schemes]
    if as_json:
        listed = [
            {
                "scheme": compiled.scheme.scheme,
                "version": compiled.scheme.version,
                "kind": compiled.scheme.kind,
                "name_en": compiled.scheme.name.en,
                "name_zh": compiled.scheme.name.zh,
                "needs": sorted(needs[compiled.scheme.scheme]),
                "uses": sorted(
                    compiled.inputs.optional
                    - compiled.inputs.schemes
                    - needs[compiled.scheme.scheme]
                ),
                "is_applicable": reason is None,
                "not_applicable_reason": reason.en if reason else None,
                "not_applicable_reason_zh": reason.zh if reason else None,
            }
            for compiled, reason in found
        ]
        terminal.say_json({"schemes": listed})
        return
    rows = terminal.table("Schemes 方案", "scheme", "name", "can run")
    for compiled, reason in found:
        scheme = compiled.scheme
        names = f"{scheme.name.en}\n{scheme.name.zh}"
        asked = ", ".join(sorted(needs[scheme.scheme]))
        rows.add_row(
            scheme.scheme, names, f"{reason.en if reason else 'yes'}\nneeds {asked}"
        )
    terminal.console().print(rows)
