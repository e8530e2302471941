"""`fenji diff`: compare two releases."""

from dataclasses import asdict

from pipelines import terminal
from project.folder import Project
from releases import lease, store


def diff(project: Project, former: str, latter: str, *, as_json: bool) -> None:
    """Compare two releases table by table, and show who moved between tiers."""
    from assets.specs import published  # noqa: PLC0415 - imports Dagster
    from releases.comparison import compare  # noqa: PLC0415

    with (
        lease.held(project, lambda: store.release(project, former)) as a,
        lease.held(project, lambda: store.release(project, latter)) as b,
    ):
        # What was stated when differs between any two releases, and is no fact.
        tables = [one for one in published() if one.made_by != "history"]
        found = compare(project, a, b, tables)
    if as_json:
        terminal.say_json(asdict(found))
        return
    differing = [
        one for one in found.tables if one.n_added or one.n_removed or one.n_changed
    ]
    out = terminal.console()
    if not differing:
        out.print("The tables of both releases hold the same rows.")
        return
    rows = terminal.table(
        "Rows", "table", "added", "removed", "changed",
        numbers=("added", "removed", "changed"),
    )  # fmt: skip
    for one in differing:
        counts = (one.n_added, one.n_removed, one.n_changed)
        rows.add_row(one.table, *(f"{count:,}" for count in counts))
    out.print(rows)
    if not found.moves:
        out.print("Nobody moves between tiers.")
        return
    moves = terminal.table(
        "Moves", "scheme", "from", "to", "customers", "spend 12m",
        numbers=("customers", "spend 12m"),
    )  # fmt: skip
    for move in found.moves:
        moves.add_row(
            move.scheme,
            move.from_tier or "(none)",
            move.to_tier or "(none)",
            f"{move.n_customers:,}",
            f"{move.spend_12m_amount:,.2f}",
        )
    out.print(moves)
