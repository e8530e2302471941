"""Two releases compared: rows by table, and who moved between tiers."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from project.documents import nearest
from project.errors import ConfigurationError
from project.folder import Project
from releases import reading, store
from releases.manifest import Manifest
from sql.contracts import Contract
from sql.selects import quoted


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
    from_name_en: str | None
    from_name_zh: str | None
    to_name_en: str | None
    to_name_zh: str | None


@dataclass(frozen=True)
class SchemeMoves:
    """A scheme of which customers moved: how many went which way, what they spent."""

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
        """Those who moved, came or left."""
        return self.n_up + self.n_down + self.n_changed + self.n_new + self.n_gone


@dataclass(frozen=True)
class Comparison:
    """What differs between two releases."""

    tables: tuple[TableDifference, ...]
    moves: tuple[Move, ...]
    schemes: tuple[SchemeMoves, ...]  # those of the moves


# What both say of a scheme or tier is said as the latter does.
_NAMES = """
    create temp table named_schemes as
    select scheme, name_en, name_zh from b.main.schemes
    union all
    select scheme, name_en, name_zh from a.main.schemes
    where scheme not in (select scheme from b.main.schemes);
    create temp table named_tiers as
    select scheme, tier, tier_rank, name_en, name_zh from b.main.scheme_tiers
    union all
    select scheme, tier, tier_rank, name_en, name_zh from a.main.scheme_tiers
    where (scheme, tier) not in (select (scheme, tier) from b.main.scheme_tiers)
"""

_MOVES = """
    create temp table moves as
    with former as (
        select scheme, scope, customer_id, tier from a.main.customer_tiers
        where scope = '' and coalesce(scheme = $scheme, true)
    ), latter as (
        select scheme, scope, customer_id, tier from b.main.customer_tiers
        where scope = '' and coalesce(scheme = $scheme, true)
    )
    select
        coalesce(latter.scheme, former.scheme) as scheme,
        former.tier as from_tier,
        latter.tier as to_tier,
        count(*) as n_customers,
        coalesce(
            sum(coalesce(now.spend_12m_amount, before.spend_12m_amount)), 0
        )::decimal(18, 2) as spend_12m_amount
    from former
    full outer join latter
        on former.scheme = latter.scheme and former.customer_id = latter.customer_id
    left join a.main.customer_metrics as before
        on former.customer_id = before.customer_id
    left join b.main.customer_metrics as now
        on coalesce(latter.customer_id, former.customer_id) = now.customer_id
    where former.tier is distinct from latter.tier
    group by all
"""

_NAMED_MOVES = """
    select
        moves.*, before.name_en, before.name_zh, after.name_en, after.name_zh
    from moves
    left join named_tiers as before
        on moves.scheme = before.scheme and moves.from_tier = before.tier
    left join named_tiers as after
        on moves.scheme = after.scheme and moves.to_tier = after.tier
    order by scheme, n_customers desc, from_tier, to_tier
"""

_SCHEMES = """
    with ranked as (
        select
            moves.*, after.tier_rank - before.tier_rank as steps_down,
            from_tier is not null and to_tier is not null as is_both
        from moves
        left join named_tiers as before
            on moves.scheme = before.scheme and moves.from_tier = before.tier
        left join named_tiers as after
            on moves.scheme = after.scheme and moves.to_tier = after.tier
    )
    select
        scheme,
        coalesce(any_value(named.name_en), scheme),
        coalesce(any_value(named.name_zh), scheme),
        coalesce(sum(n_customers) filter (is_both and steps_down < 0), 0)::bigint,
        coalesce(sum(n_customers) filter (is_both and steps_down > 0), 0)::bigint,
        coalesce(sum(n_customers) filter (
            is_both and coalesce(steps_down = 0, true)
        ), 0)::bigint,
        coalesce(sum(n_customers) filter (from_tier is null), 0)::bigint,
        coalesce(sum(n_customers) filter (to_tier is null), 0)::bigint,
        sum(spend_12m_amount)::decimal(18, 2)
    from ranked
    left join named_schemes as named using (scheme)
    group by scheme
    order by scheme
"""


def compare(
    project: Project,
    former: Manifest,
    latter: Manifest,
    tables: Iterable[Contract],
    scheme: str | None = None,
) -> Comparison:
    """Compare two releases by the keys of their tables' contracts.

    A table that only one of them has counts as added or removed whole. With a scheme,
    only who moved between its tiers is compared.

    Raises:
        ConfigurationError: neither release knows the scheme.
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
        con.execute(_NAMES)
        con.execute(_MOVES, {"scheme": scheme})
        moves = tuple(Move(*row) for row in con.execute(_NAMED_MOVES).fetchall())
        schemes = tuple(SchemeMoves(*row) for row in con.execute(_SCHEMES).fetchall())
    return Comparison(differences, moves, schemes)


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
    a, b = (reading.place(con, catalog, table.table) for catalog in ("a", "b"))
    if not table.key:
        added, removed = (
            con.execute(
                f"select count(*) from (from {one} except all from {other})"
            ).fetchone()
            for one, other in ((b, a), (a, b))
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
        f" from (select *, true as present, hash(t) as content from {a} as t)"
        " as a full outer join"
        f" (select *, true as present, hash(t) as content from {b} as t)"
        f" as b on {same_key}"
    ).fetchone()
    added_rows, removed_rows, changed = found or (0, 0, 0)
    return TableDifference(table.table, added_rows, removed_rows, changed)


def _count(found: tuple[int] | None) -> int:
    return found[0] if found else 0
