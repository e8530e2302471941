"""`fenji explain`: say why a customer stands where it does."""

from typing import TYPE_CHECKING

from pipelines import terminal
from pipelines.commands.common import release_of
from project.folder import Project
from project.shown import visible_line
from releases import store

if TYPE_CHECKING:
    from schemes.explain import Language


def explain(
    project: Project,
    customer: str,
    scheme: str | None,
    as_of: str | None,
    lang: "Language",
    *,
    as_json: bool,
) -> None:
    """Say why a customer stands where it does, from the release of the date."""
    import duckdb  # noqa: PLC0415

    from schemes.explain import explain as explained  # noqa: PLC0415
    from schemes.explain import lines  # noqa: PLC0415

    manifest = release_of(project, as_of)
    path = str(store.database(project, manifest.release_id))
    with duckdb.connect(path, read_only=True) as con:
        found = explained(con, customer, scheme, lang)
    if as_json:
        terminal.say_json(found.as_dict())
        return
    for line in lines(found, lang):
        terminal.console().print(visible_line(line))
