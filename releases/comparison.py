"""Two releases compared: rows by table, and who moved between tiers."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from project.folder import Project
from releases import reading, store
from releases.manifest import Manifest
from sql.contracts import Contract
from sql.statements import quoted


@dataclass(frozen=True)
class TableDifference:
    """A stored table: rows that only one release has, and rows that differ."""

    table: str
    n_added: int
    n_removed: int
    n_changed: int


@dataclass(frozen=True)
class Move:
    """A scheme and a way between two tiers: how many customers, what they spent.

    Their spend is that of the latter release; of those who left, of the former.
    """

    scheme: str
    from_tier: str | None
    to_tier: str | None
    n_customers: int
    spend_12m_amount: Decimal


@dataclass(frozen=True)
class Comparison:
    """What differs between two releases."""

    tables: tuple[TableDifference, ...]
    moves: tuple[Move, ...]


_MOVES = """
    with former as (
        select scheme, scope, customer_id, tier from a.main.customer_tiers
        where scope = ''
    ), latter as (
        select scheme, scope, customer_id, tier from b.main.customer_tiers
        where scope = ''
    )
    select
        coalesce(latter.scheme, former.scheme) as scheme,
        former.tier,
        latter.tier,
        count(*),
        coalesce(
            sum(coalesce(now.spend_12m_amount, before.spend_12m_amount)), 0
        )::decimal(18, 2)
    from former
    full outer join latter
        on former.scheme = latter.scheme and former.customer_id = latter.customer_id
    left join a.main.customer_metrics as before
        on former.customer_id = before.customer_id
    left join b.main.customer_metrics as now
        on coalesce(latter.customer_id, former.customer_id) = now.customer_id
    where former.tier is distinct from latter.tier
    group by all
    order by scheme, count(*) desc, former.tier, latter.tier
"""


def compare(
    project: Project, former: Manifest, latter: Manifest, tables: Iterable[Contract]
) -> Comparison:
    """Compare two releases by the keys of their tables' contracts.

    A table that only one of them has counts as added or removed whole.
    """
    with _both(project, former, latter) as con:
        differences = tuple(
            _difference(con, table, former, latter)
            for table in tables
            if table.table in former.tables or table.table in latter.tables
        )
        moves = tuple(Move(*row) for row in con.execute(_MOVES).fetchall())
    return Comparison(differences, moves)


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
    n_former = former.tables.get(table.table)
    n_latter = latter.tables.get(table.table)
    if n_former is None or n_latter is None:
        return TableDifference(table.table, n_latter or 0, n_former or 0, 0)
    name = quoted(table.table)
    if not table.key:
        added, removed = (
            con.execute(
                f"select count(*) from (from {one}.main.{name}"
                f" except all from {other}.main.{name})"
            ).fetchone()
            for one, other in (("b", "a"), ("a", "b"))
        )
        return TableDifference(table.table, _count(added), _count(removed), 0)
    same_key = " and ".join(
        f"a.{quoted(column)} is not distinct from b.{quoted(column)}"
        for column in table.key
    )
    found = con.execute(
        "select count(*) filter (where a.present is null),"
        " count(*) filter (where b.present is null),"
        " count(*) filter (where a.content is distinct from b.content"
        " and a.present and b.present)"
        f" from (select *, true as present, hash(t) as content from a.main.{name} as t)"
        " as a full outer join"
        f" (select *, true as present, hash(t) as content from b.main.{name} as t)"
        f" as b on {same_key}"
    ).fetchone()
    added_rows, removed_rows, changed = found or (0, 0, 0)
    return TableDifference(table.table, added_rows, removed_rows, changed)


def _count(found: tuple[int] | None) -> int:
    return found[0] if found else 0
