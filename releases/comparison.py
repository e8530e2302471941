"""Two releases compared: rows by table, and who moved between tiers.

`fenji diff` shows it. The former release is attached as `a`, the latter as `b`; the
selects over both stand in `releases/sql/comparison/`. Nothing is written.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from project.documents import nearest
from project.errors import ConfigurationError
from project.folder import Project
from releases import reading, store
from releases.manifest import Manifest
from sql.contracts import Contract
from sql.selects import quoted, select_in

_SELECTS = Path(__file__).parent / "sql" / "comparison"


@dataclass(frozen=True)
class TableDifference:
    """A stored table: rows that only one release has, and rows that differ.

    Rows are matched by the key of the contract. Where a table has no key, whole rows
    are compared, and none counts as changed.
    """

    table: str
    n_added: int
    n_removed: int
    n_changed: int


@dataclass(frozen=True)
class Move:
    """A scheme and a way from one tier to another one: how many customers, their spend.

    A tier is None where the release does not grade the customers by the scheme.
    `spend_12m_amount` is the spend of 12 months in the project's currency: that of the
    latter release, or of the former one for customers whom only it has.
    """

    scheme: str
    from_tier: str | None
    to_tier: str | None
    n_customers: int
    spend_12m_amount: Decimal
    from_name_en: str | None
    from_name_zh: str | None
    to_name_en: str | None
    to_name_zh: str | None


@dataclass(frozen=True)
class SchemeMoves:
    """A scheme of which customers moved: how many went which way, and their spend.

    `spend_12m_amount` is the spend of 12 months in the project's currency.
    """

    scheme: str
    name_en: str
    name_zh: str
    n_up: int
    n_down: int
    n_changed: int  # between tiers without an order
    n_new: int
    n_gone: int
    spend_12m_amount: Decimal

    @property
    def n_customers(self) -> int:
        """How many customers moved, came or left."""
        return self.n_up + self.n_down + self.n_changed + self.n_new + self.n_gone


@dataclass(frozen=True)
class Comparison:
    """What differs between two releases."""

    tables: tuple[TableDifference, ...]
    moves: tuple[Move, ...]
    schemes: tuple[SchemeMoves, ...]  # those of the moves


def compare(
    project: Project,
    former: Manifest,
    latter: Manifest,
    tables: Iterable[Contract],
    scheme: str | None = None,
) -> Comparison:
    """Compare two releases by the keys of their tables' contracts.

    Args:
        project: the project.
        former: the release to compare with.
        latter: the release that is compared.
        tables: the contracts of the tables to compare. A table that only one release
            has counts as added or removed whole.
        scheme: compare only who moved between the tiers of this scheme.

    Raises:
        ConfigurationError: neither release knows the scheme.
        RunError: the database of a release is damaged or missing.
    """
    if scheme is not None and scheme not in former.schemes | latter.schemes:
        known = [*former.schemes, *latter.schemes]
        raise ConfigurationError(
            f"--scheme: neither release graded by '{scheme}'{nearest(scheme, known)}"
        )
    with _both(project, former, latter) as con:
        differences = tuple(
            _difference(con, table, former, latter)
            for table in tables
            if scheme is None
            and (table.table in former.tables or table.table in latter.tables)
        )
        for name, params in (
            ("named_schemes", {}),
            ("named_tiers", {}),
            ("moves", {"scheme": scheme}),
        ):
            select = select_in(_SELECTS / f"{name}.sql")
            con.execute(f"create temp table {name} as {select}", params)
        moves = tuple(Move(*row) for row in _rows(con, "named_moves"))
        schemes = tuple(SchemeMoves(*row) for row in _rows(con, "scheme_moves"))
    return Comparison(differences, moves, schemes)


def _rows(con: duckdb.DuckDBPyConnection, name: str) -> list[tuple[Any, ...]]:
    """The rows of a select of this module."""
    return con.execute(select_in(_SELECTS / f"{name}.sql")).fetchall()


@contextmanager
def _both(
    project: Project, former: Manifest, latter: Manifest
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the former release attached as a, the latter as b."""
    databases: list[Path] = []
    with duckdb.connect() as con:
        for name, manifest in (("a", former), ("b", latter)):
            database = store.database(project, manifest.release_id)
            reading.attach(con, database, name)
            databases.append(database)
        with reading.in_words(databases):
            yield con


def _difference(
    con: duckdb.DuckDBPyConnection, table: Contract, former: Manifest, latter: Manifest
) -> TableDifference:
    """What differs between the rows of a table that one release has, or both have."""
    n_former = former.tables.get(table.table)
    n_latter = latter.tables.get(table.table)
    if n_former is None or n_latter is None:
        return TableDifference(table.table, n_latter or 0, n_former or 0, 0)
    a, b = (reading.place(con, catalog, table.table) for catalog in ("a", "b"))
    if not table.key:
        n_added = _count(con, f"from (from {b} except all from {a})")
        n_removed = _count(con, f"from (from {a} except all from {b})")
        return TableDifference(table.table, n_added, n_removed, 0)
    same_key = " and ".join(
        f"a.{quoted(column)} is not distinct from b.{quoted(column)}"
        for column in table.key
    )
    # The rows are joined once: large tables take long to read.
    counts = con.execute(
        "select count(*) filter (where a.present is null),"
        " count(*) filter (where b.present is null),"
        " count(*) filter (where a.content is distinct from b.content"
        " and a.present and b.present)"
        f" from (select *, true as present, hash(t) as content from {a} as t)"
        " as a full outer join"
        f" (select *, true as present, hash(t) as content from {b} as t)"
        f" as b on {same_key}"
    ).fetchall()[0]
    return TableDifference(table.table, *counts)


def _count(con: duckdb.DuckDBPyConnection, rows: str) -> int:
    """How many rows there are, given as a `from` clause and what follows it."""
    (n_rows,) = con.execute(f"select count(*) {rows}").fetchall()[0]
    return int(n_rows)
