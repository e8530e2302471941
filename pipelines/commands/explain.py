"""`fenji explain`: say why a customer stands where it does.

The words are those of `schemes.tools.explain`; here a release is chosen and held while
it is read.
"""

from typing import TYPE_CHECKING

from pipelines.commands import terminal
from pipelines.commands.common import release_of
from project.choices import Language
from project.folder import Project
from releases import lease, store

if TYPE_CHECKING:
    from schemes.tools.explain import Explanation

_WORDS = {
    "en": ("scheme", "tier", "", "Why: --scheme ID for one scheme, --all for all."),
    "zh": ("方案", "等级", "", "原因：--scheme ID 查看单个方案，--all 查看全部。"),
}


def explain(
    project: Project,
    customer: str,
    scheme: str | None,
    as_of: str | None,
    lang: Language,
    *,
    in_full: bool,
    as_json: bool,
) -> None:
    """Say where a customer stands, and in full or of one scheme why, as of a date."""
    from releases import reading  # noqa: PLC0415 - imports DuckDB
    from schemes.tools.explain import explain as explained  # noqa: PLC0415
    from schemes.tools.explain import lines  # noqa: PLC0415

    with (
        lease.held(project, lambda: release_of(project, as_of)) as manifest,
        reading.opened(store.database(project, manifest.release_id)) as con,
    ):
        found = explained(con, customer, scheme, lang)
    if as_json:
        terminal.say_json(found.as_dict())
    elif in_full or scheme is not None or not found.standings:
        for line in lines(found, lang):
            terminal.console().print(line)
    else:
        _show_briefs(found, lang)


def _show_briefs(found: "Explanation", lang: Language) -> None:
    """What moved, a line a scheme, and how to ask for the rest."""
    from schemes.tools.explain import (  # noqa: PLC0415
        briefs,
        head,
        id_lines,
        summary,
    )

    *columns, way_out = _WORDS[lang]
    title = f"{head(found, lang)}\n{summary(found, lang)}"
    rows = terminal.table(title, *columns)
    for brief in briefs(found, lang):
        rows.add_row(brief.scheme, brief.tiers, brief.change)
    out = terminal.console()
    out.print(rows)
    for line in id_lines(found, lang):
        out.print(line.strip())
    out.print(way_out)
