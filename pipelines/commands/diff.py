"""`fenji diff`: compare two releases.

They are compared by `releases.comparison`; here the differences are printed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Column

from pipelines.commands import terminal
from project.choices import Language
from project.folder import Project
from project.quantities import number_of
from releases import lease, store

if TYPE_CHECKING:
    from releases.comparison import Comparison, Move, SchemeMoves
    from releases.manifest import Manifest

_NONE = "(none)"


def diff(
    project: Project,
    former: str,
    latter: str,
    scheme: str | None,
    lang: Language,
    *,
    as_json: bool,
) -> None:
    """Compare two releases table by table, and show who moved between tiers.

    With a scheme, only the ways between its tiers.
    """
    from assets.specs import published  # noqa: PLC0415 - imports Dagster
    from releases.comparison import compare  # noqa: PLC0415

    with (
        lease.held(project, lambda: store.release(project, former)) as a,
        lease.held(project, lambda: store.release(project, latter)) as b,
    ):
        # What was stated when differs between any two releases, and is no fact.
        tables = [table for table in published() if table.made_by != "history"]
        found = compare(project, a, b, tables, scheme)
    if as_json:
        terminal.say_json(asdict(found))
    elif scheme is None:
        _show(found, a, b, lang)
    else:
        _show_ways(found, lang)


def _show(
    found: "Comparison", former: "Manifest", latter: "Manifest", lang: Language
) -> None:
    differing = [
        table
        for table in found.tables
        if table.n_added or table.n_removed or table.n_changed
    ]
    out = terminal.console()
    if not differing:
        out.print("The tables of both releases hold the same rows.")
        return
    out.print(
        f"From {former.release_id} (as of {former.as_of_date})\n"
        f"  to {latter.release_id} (as of {latter.as_of_date}):\n"
        f"rows differ in {number_of(len(differing), 'table')}, customers moved in"
        f" {number_of(len(found.schemes), 'scheme')}."
    )
    rows = terminal.table(
        "Rows", "table", "added", "removed", "changed",
        numbers=("added", "removed", "changed"),
    )  # fmt: skip
    for table in differing:
        counts = (table.n_added, table.n_removed, table.n_changed)
        rows.add_row(table.table, *(f"{count:,}" for count in counts))
    out.print(rows)
    if not found.schemes:
        out.print("Nobody moves between tiers.")
        return
    _show_schemes(found.schemes, lang)
    most = max(
        found.schemes, key=lambda scheme: (scheme.n_customers, scheme.scheme)
    ).scheme
    out.print(
        f"Each way between tiers: fenji diff {former.release_id}"
        f" {latter.release_id} --scheme {most}",
        soft_wrap=True,
    )


def _show_schemes(schemes: "Sequence[SchemeMoves]", lang: Language) -> None:
    """A line a scheme: how many customers went which way."""
    numbers = ("up", "down", "other", "new", "gone", "spend 12m")
    rows = terminal.table("Moves", "scheme", *numbers, numbers=numbers)
    _keep_whole(rows.columns[0], [scheme.scheme for scheme in schemes])
    for scheme in schemes:
        counts = (
            scheme.n_up,
            scheme.n_down,
            scheme.n_changed,
            scheme.n_new,
            scheme.n_gone,
        )
        name = scheme.name_zh if lang == "zh" else scheme.name_en
        rows.add_row(
            f"{scheme.scheme}\n  {name}",
            *(f"{count:,}" for count in counts),
            f"{scheme.spend_12m_amount:,.2f}",
        )
    terminal.console().print(rows)


def _show_ways(found: "Comparison", lang: Language) -> None:
    """The ways between the tiers of one scheme."""
    out = terminal.console()
    if not found.schemes:
        out.print("Nobody moves between tiers.")
        return
    (moved,) = found.schemes
    name = moved.name_zh if lang == "zh" else moved.name_en
    parts = (
        (moved.n_up, "up"),
        (moved.n_down, "down"),
        (moved.n_changed, "to another tier"),
        (moved.n_new, "new"),
        (moved.n_gone, "gone"),
    )
    counted = ", ".join(f"{count:,} {what}" for count, what in parts if count)
    out.print(f"{moved.scheme} · {name}: {counted}")
    numbers = ("customers", "spend 12m")
    rows = terminal.table("", "from", "to", *numbers, numbers=numbers)
    _keep_whole(rows.columns[0], [move.from_tier or _NONE for move in found.moves])
    _keep_whole(rows.columns[1], [move.to_tier or _NONE for move in found.moves])
    for move in found.moves:
        rows.add_row(
            *_tiers(move, lang),
            f"{move.n_customers:,}",
            f"{move.spend_12m_amount:,.2f}",
        )
    out.print(rows)


def _keep_whole(column: Column, codes: Iterable[str]) -> None:
    """Codes are for queries and stay whole; names break where there is no room."""
    column.no_wrap, column.min_width = False, max(map(cell_len, codes))


def _tiers(move: "Move", lang: Language) -> list[str]:
    """Each tier by its code, and its name below."""
    en = ((move.from_tier, move.from_name_en), (move.to_tier, move.to_name_en))
    zh = ((move.from_tier, move.from_name_zh), (move.to_tier, move.to_name_zh))
    return [
        f"{tier}\n  {name}" if tier and name and name != tier else tier or _NONE
        for tier, name in (zh if lang == "zh" else en)
    ]
