"""The command `fenji plan`, and what it prints: for people, or as one JSON object."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from pipelines.commands import terminal
from pipelines.commands.common import release_of, say_waiting
from pipelines.whatif.grading import Planned, changed_project, planned_by
from pipelines.whatif.moves import BenefitChange, Move, SchemeMoves
from project.choices import Language
from project.errors import ConfigurationError, RunError
from project.folder import Project
from project.quantities import read_percent
from releases import lease, store
from releases.manifest import Manifest
from runs.opening import hold_warehouse

NAMED = 10  # customers of a scheme that are named on a terminal
_NONE = "(none)"


def plan(
    project: Project,
    schemes: Path | None,
    settings: list[str],
    against: str | None,
    max_moved: str | None,
    lang: Language,
    *,
    as_json: bool,
) -> None:
    """Show what changed schemes would do to the customers of a release.

    Raises:
        ConfigurationError: a scheme, a setting or an option is wrong.
        RunError: more customers would move than may.
    """
    most = None if max_moved is None else _share("--max-moved", max_moved)
    changed = changed_project(project, schemes, settings)

    def choose() -> Manifest:
        if against is None:
            return release_of(project, None)
        return store.release(project, against)

    # The release is held before the warehouse: while that is waited for, runs publish,
    # and remove what is too old.
    with (
        lease.held(project, choose) as release,
        hold_warehouse(project, on_wait=say_waiting),
    ):
        planned = planned_by(
            changed,
            release,
            lang=lang,
            at_most=None if as_json else NAMED,
        )
    if as_json:
        terminal.say_json(as_dict(planned, most))
    else:
        show(planned, terminal.console())
    beyond = exceeding(planned, most)
    if beyond:
        named = ", ".join(
            f"{scheme.graded.scheme} {percent(scheme)}" for scheme in beyond
        )
        raise RunError(f"--max-moved {max_moved}: more customers would move: {named}")


def _share(option: str, given: str) -> Decimal:
    """A share of all customers, written as 5% or 0.05."""
    try:
        share = read_percent(given)
        share = Decimal(given) if share is None else share
        if 0 <= share <= 1:
            return share
    except InvalidOperation:
        pass
    raise ConfigurationError(f"{option} {given}: is no share; write for example 5%")


def as_dict(planned: Planned, max_moved: Decimal | None) -> dict[str, Any]:
    """The whole plan with every customer who moves."""
    return {
        "against": planned.against.release_id,
        "as_of_date": planned.against.as_of_date,
        "max_moved": max_moved,
        "is_within": not exceeding(planned, max_moved),
        "schemes": [_scheme(scheme) for scheme in planned.schemes],
        "gone": planned.gone,
        "idle": planned.idle,
        "unversioned": [scheme.scheme for scheme in planned.unversioned],
        "moves": [_move(move) for move in planned.moves],
    }


def exceeding(planned: Planned, max_moved: Decimal | None) -> list[SchemeMoves]:
    """The schemes of which more customers would move than may."""
    if max_moved is None:
        return []
    return [scheme for scheme in planned.schemes if scheme.exceeds(max_moved)]


def percent(moves: SchemeMoves) -> str:
    """The share of the customers who move, rounded up so that a few never look none."""
    if not moves.n_customers:
        return "0 %"
    tenths = -(-1000 * moves.n_moved // moves.n_customers)
    return f"{tenths / 10:.1f} %"


def show(planned: Planned, out: Console) -> None:
    """Print the plan."""
    against = planned.against
    out.print(
        f"Against release {against.release_id} (as of {against.as_of_date});"
        " nothing is published."
    )
    if not planned.schemes and not planned.idle:
        out.print("The schemes say what they said in the release.")
    for scheme in planned.schemes:
        _show_scheme(scheme, planned.moves, out)
    for name, reason in planned.idle.items():
        out.print(f"\n{name}: cannot run here: {reason}.")
    for changed in planned.unversioned:
        out.print(
            f"\n{changed.path}: version {changed.version} is published already;"
            " `fenji run` wants another version for other contents.",
            soft_wrap=True,
        )


def _show_scheme(scheme: SchemeMoves, moves: Sequence[Move], out: Console) -> None:
    graded = scheme.graded
    title = Text(f"\n{graded.scheme} · {graded.name}", style="bold")
    out.print(Text.assemble(title, _in_a_line(scheme)))
    if graded.former_version is not None and not scheme.moving and not scheme.benefits:
        return
    _show_cells(scheme, out)
    _show_benefits(scheme.benefits, out)
    if graded.version is None:
        return  # all have the same reason
    named = [move for move in moves if move.scheme == graded.scheme]
    _show_moves(named[:NAMED], out)
    rest = scheme.n_moved - len(named[:NAMED])
    if rest:
        out.print(f"… and {rest:,} more: --json names all.")


def _in_a_line(moves: SchemeMoves) -> str:
    """What stands behind the name of the scheme."""
    graded = moves.graded
    counted = "categories of customers" if graded.has_scopes else "customers"
    if graded.former_version is None:
        return f": new, {moves.n_customers:,} {counted}"
    spend = f"12-month spend {moves.moved_spend_12m_amount:,.2f}"
    if graded.version is None:
        return (
            f" ({graded.former_version}): would not run any more,"
            f" {moves.n_moved:,} {counted}; {spend}"
        )
    return (
        f" ({graded.former_version} → {graded.version}):"
        f" {moves.n_moved:,} of {moves.n_customers:,} {counted} move"
        f" ({percent(moves)}),"
        f" {moves.n_up:,} up, {moves.n_down:,} down; {spend}"
    )


def _show_cells(moves: SchemeMoves, out: Console) -> None:
    numbers = ("customers", "spend 12m")
    rows = terminal.table("", "from", "to", *numbers, numbers=numbers)
    for cell in moves.cells:
        rows.add_row(
            cell.from_tier or _NONE,
            cell.to_tier or _NONE,
            f"{cell.n_customers:,}",
            f"{cell.spend_12m_amount:,.2f}",
            style="dim" if cell.from_tier == cell.to_tier else None,
        )
    out.print(rows)


def _show_benefits(benefits: Sequence[BenefitChange], out: Console) -> None:
    if not benefits:
        return
    numbers = ("gained", "lost", "other value")
    rows = terminal.table("", "entitlement", *numbers, numbers=numbers)
    for change in benefits:
        counts = (change.n_gained, change.n_lost, change.n_changed)
        rows.add_row(change.benefit, *(f"{count:,}" for count in counts))
    out.print(rows)


def _show_moves(moves: Sequence[Move], out: Console) -> None:
    if not moves:
        return
    rows = terminal.table("", "customer", "why", numbers=())
    for move in moves:
        customer = " ".join(part for part in (move.customer_id, move.scope) if part)
        ways = ((move.from_tier, move.from_reason), (move.to_tier, move.to_reason))
        former, latter = (
            (tier or _NONE) + (f": {reason}" if reason else "") for tier, reason in ways
        )
        rows.add_row(customer, f"{former}\n→ {latter}")
    out.print(rows)


def _scheme(moves: SchemeMoves) -> dict[str, Any]:
    graded = moves.graded
    return {
        "scheme": graded.scheme,
        "from_version": graded.former_version,
        "to_version": graded.version,
        "is_new": graded.former_version is None,
        "n_customers": moves.n_customers,
        "n_moved": moves.n_moved,
        "n_up": moves.n_up,
        "n_down": moves.n_down,
        "moved_spend_12m_amount": moves.moved_spend_12m_amount,
        "matrix": [
            {
                "from_tier": cell.from_tier,
                "to_tier": cell.to_tier,
                "n_customers": cell.n_customers,
                "spend_12m_amount": cell.spend_12m_amount,
            }
            for cell in moves.cells
        ],
        "entitlements": [
            {
                "benefit": change.benefit,
                "n_gained": change.n_gained,
                "n_lost": change.n_lost,
                "n_changed": change.n_changed,
            }
            for change in moves.benefits
        ],
    }


def _move(move: Move) -> dict[str, Any]:
    return {name: getattr(move, name) for name in Move.__dataclass_fields__}
