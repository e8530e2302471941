"""Working the column lineage of all tables out, from their selects."""

from collections.abc import Mapping
from pathlib import Path

from pipelines.lineage import selects
from pipelines.lineage.columns import NONE, Origins, origins_of, parsed, tables_of
from pipelines.lineage.graph import (
    FORMER,
    PREVIOUS,
    PREVIOUS_SCOPES,
    From,
    Lineage,
    all_contracts,
    released_tables,
)
from project.folder import Project
from schemes.plan import SchemePlan, make_plan
from sql.contracts import ROOT, Contract, all_columns, contract, contracts, feeds

_FORMER_TIERS = f"{FORMER}.customer_tiers"


def derive(project: Project) -> Lineage:
    """Work the lineage of all tables out, from their selects."""
    plan = make_plan(project, all_columns())
    tables = _Deriving(plan).all_tables()
    schemes = {
        compiled.scheme.scheme: _shown(compiled.scheme.path, project)
        for compiled in plan.schemes
    }
    made = {table.name: table for table in all_contracts()}
    files = {
        name: _file_of(made.get(name) or _as_staged(name), project)
        for name in tables
        if name in made or _as_staged(name)
    }
    return Lineage(tables, files, schemes)


def _as_staged(name: str) -> Contract | None:
    """The feed whose view a table of `staging` is."""
    layer, _, table = name.partition(".")
    return feeds().get(table) if layer == "staging" else None


def _file_of(table: Contract | None, project: Project) -> str:
    if table is None:
        return ""
    written = table.sql_path if table.sql_path.is_file() else table.path
    return _shown(written, project)


def _shown(path: Path, project: Project) -> str:
    """A path as people read it: below the checkout, or below the project."""
    for root in (ROOT.parent, project.root):
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return path.name


class _Deriving:
    """The origins of all columns, table by table, each after what it reads."""

    def __init__(self, plan: SchemePlan) -> None:
        """Parse all selects.

        Args:
            plan: of a project's schemes, with all feeds there.
        """
        inside = {table.table: table for table in released_tables()}
        self._schemes = selects.customers_schemes(plan)
        self._queries = {
            name: [
                parsed(text, lambda db, table: selects.name_of(db, table, inside))
                for text in texts
            ]
            for name, texts in selects.selects_of(plan).items()
        }
        self._found: dict[str, dict[str, Origins]] = {}

    def all_tables(self) -> dict[str, dict[str, From]]:
        """Each table that a select makes, with the origins of its columns."""
        for name in self._queries:
            self._derive(name)
        self._found[PREVIOUS] = _of_former(
            {"customer_id": "customer_id"}
            | {f"{scheme}_tier": "tier" for scheme in self._schemes}
        )
        names = ("customer_id", "scheme", "scope", "tier")
        self._found[PREVIOUS_SCOPES] = _of_former({name: name for name in names})
        return {
            table: {column: _as_from(table, found) for column, found in columns.items()}
            for table, columns in self._found.items()
        }

    def _derive(self, name: str) -> None:
        if name in self._found:
            return
        found: dict[str, Origins] = {}
        for query in self._queries[name]:
            read = {table: self._columns_of(table) for table in tables_of(query)}
            for column, origins in origins_of(query, read).items():
                found[column] = found.get(column, NONE) | origins
        self._found[name] = found

    def _columns_of(self, name: str) -> list[str]:
        """The columns of a table that a select reads."""
        if name in self._queries:
            self._derive(name)
            return list(self._found[name])
        layer, _, table = name.partition(".")
        if name == PREVIOUS:
            return ["customer_id", *(f"{scheme}_tier" for scheme in self._schemes)]
        if name == PREVIOUS_SCOPES:
            return ["customer_id", "scheme", "scope", "tier"]
        if name == f"{FORMER}.open_tiers":
            return self._open_columns()
        made = contract("marts" if layer == FORMER else layer, table)
        names = [column.name for column in made.columns]
        if made.made_by == "feed":
            names += ["_file_id", "_line_no", *made.day_columns]
        return names

    def _open_columns(self) -> list[str]:
        """The columns of `open_tiers`, which goes on from itself."""
        parts = ("tier", "valid_from", "statement_no")
        names = [f"{scheme}__{part}" for scheme in self._schemes for part in parts]
        return ["customer_id", *names]


def _of_former(columns: Mapping[str, str]) -> dict[str, Origins]:
    """Columns that are taken from the tiers of the release before."""
    return {
        name: Origins(columns=frozenset({(_FORMER_TIERS, column)}))
        for name, column in columns.items()
    }


def _as_from(table: str, found: Origins) -> From:
    return From(
        columns=tuple(sorted(".".join(column) for column in found.columns)),
        parameters=tuple(sorted(_parameter(table, name) for name in found.parameters)),
        rows=tuple(sorted(found.rows)),
    )


def _parameter(table: str, name: str) -> str:
    """A parameter as people set it: `sla_attainment.window_days`."""
    layer, _, last = table.partition(".")
    made = {made.table: made for made in contracts(layer)}.get(last)
    if made is None or name not in made.named_parameters:
        return name
    owner, _ = made.named_parameters[name]
    return f"{owner}.{name}"
