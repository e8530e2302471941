"""The column lineage of all tables of a project: of each column what is behind it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sql.contracts import LAYERS, Contract, contracts

FORMER = "former"  # stands as a layer for the release published before
PREVIOUS = "marts.previous_tiers"  # its tiers, a column a scheme
PREVIOUS_SCOPES = "marts.previous_scope_tiers"

# The tables of a release that no select makes, and why.
NO_SELECT: Mapping[str, str] = {
    "marts.access_roles": "written from the contracts and the settings, not from rows",
    "marts.contact_lookup": (
        "hashed by Python: each contact of core.customers and staging.identities"
    ),
    "marts.customer_id_changes": (
        "marts.customer_ids held against that of the release before, by Python"
    ),
    "marts.feed_arrivals": (
        "raw.files, raw.rejected_rows and the feeds' rows, counted by Python since the"
        " release before"
    ),
    "marts.quality_results": "what Great Expectations and the gates found, by Python",
}


@dataclass(frozen=True)
class From:
    """What one column is computed from."""

    columns: tuple[str, ...] = ()  # as layer.table.column, in order
    parameters: tuple[str, ...] = ()  # as table.parameter, or a name that all have
    rows: tuple[str, ...] = ()  # tables whose rows are counted or numbered


@dataclass(frozen=True)
class Lineage:
    """Of each column what it is computed from."""

    tables: dict[str, dict[str, From]]  # layer.table → column → its origins
    files: dict[str, str]  # layer.table → where it is written, below the checkout
    schemes: dict[str, str]  # id → its file

    def scheme_of(self, table: str, column: str) -> str | None:
        """The scheme by whose rules a column comes about; None: by none alone."""
        of_column, separator, _ = column.partition("__")
        if separator and of_column in self.schemes:
            return of_column
        name = table.partition(".")[2]
        if table in {PREVIOUS, "core.override_tiers"}:
            scheme = column.removesuffix("_tier")
            return scheme if scheme in self.schemes else None
        for end in ("_history_cuts", "_history", "_held", "_graded", "_chosen"):
            if name.removesuffix(end) in self.schemes and name.endswith(end):
                return name.removesuffix(end)
        return None


def released_tables() -> tuple[Contract, ...]:
    """The contracts of the tables that a release holds."""
    return tuple(table for table in all_contracts() if table.published)


def all_contracts() -> Iterator[Contract]:
    """The contracts of all layers."""
    for layer in LAYERS:
        yield from contracts(layer)
