"""Who would move between tiers, compared with a release: from, to, why, benefits.

The connection holds what was graded anew: its schemas `core` and `marts`, and its view
`main.customer_tier_reasons`. The release is attached to it, and only read. Grading anew
is done in `grading`.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from releases import reading
from sql.selects import quoted, text

_RELEASE = "published"
_ALL = 2**62


@dataclass(frozen=True)
class Graded:
    """A scheme that was graded anew, or that does not run any more."""

    scheme: str
    name: str
    has_scopes: bool  # a tier per category, not per customer
    former_version: str | None  # None: the release does not have it
    version: str | None  # None: it does not run any more
    ranks: Mapping[str, int | None]  # tier → rank; 1 is the best, null has none


@dataclass(frozen=True)
class Cell:
    """A way between two tiers, or a tier that is kept: how many, and what they spent.

    Of a scheme with scopes each customer and scope counts, and spend counts once a
    customer.
    """

    from_tier: str | None
    to_tier: str | None
    n_customers: int
    spend_12m_amount: Decimal


@dataclass(frozen=True)
class BenefitChange:
    """A benefit: how many would gain it, lose it, or have it with another value."""

    benefit: str
    n_gained: int
    n_lost: int
    n_changed: int


@dataclass(frozen=True)
class SchemeMoves:
    """What a scheme that was graded anew would do, or one that is gone."""

    graded: Graded
    cells: tuple[Cell, ...]
    benefits: tuple[BenefitChange, ...]

    @property
    def moving(self) -> tuple[Cell, ...]:
        """The ways between two tiers; none where the scheme is new."""
        if self.graded.former_version is None:
            return ()
        return tuple(cell for cell in self.cells if cell.from_tier != cell.to_tier)

    @property
    def n_customers(self) -> int:
        """Those who have a tier in the release, or would have one."""
        return sum(cell.n_customers for cell in self.cells)

    @property
    def n_moved(self) -> int:
        """Those of them who would have another, or none, or have none so far."""
        return sum(cell.n_customers for cell in self.moving)

    @property
    def moved_spend_12m_amount(self) -> Decimal:
        """What those who move spent over the last 12 months."""
        return sum((cell.spend_12m_amount for cell in self.moving), Decimal(0))

    @property
    def n_up(self) -> int:
        """Those who would rise."""
        return sum(cell.n_customers for cell in self.moving if self._step(cell) < 0)

    @property
    def n_down(self) -> int:
        """Those who would fall."""
        return sum(cell.n_customers for cell in self.moving if self._step(cell) > 0)

    def exceeds(self, share: Decimal) -> bool:
        """Whether more than this share of the customers would move."""
        return self.n_moved > share * self.n_customers

    def _step(self, cell: Cell) -> int:
        """By how many ranks a customer falls, below 0 where it rises.

        0 where a tier has no rank.
        """
        ranks = [
            self.graded.ranks.get(tier or "") for tier in (cell.from_tier, cell.to_tier)
        ]
        former, latter = ranks
        return 0 if former is None or latter is None else latter - former


@dataclass(frozen=True)
class Move:
    """A customer who would have another tier."""

    scheme: str
    scope: str
    customer_id: str
    from_tier: str | None
    to_tier: str | None
    spend_12m_amount: Decimal
    from_reason: str | None
    to_reason: str | None


_STANDINGS = """
create or replace temp table standings as
with former as (
    select
        customer_id, {scope} as scope, {tier}::varchar as tier, {former_flags} as flags
    from {former}
), latter as (
    select
        customer_id, {scope} as scope, {tier}::varchar as tier, {latter_flags} as flags
    from {latter}
)
select
    customer_id, scope, former.tier as from_tier, latter.tier as to_tier,
    former.flags as from_flags, latter.flags as to_flags
from (from former where tier is not null) as former
full join (from latter where tier is not null) as latter using (customer_id, scope)
"""
_CELLS = """
select
    from_tier,
    to_tier,
    sum(n_scopes)::bigint,
    coalesce(sum(metrics.spend_12m_amount), 0)::decimal(18, 2)
from (
    select customer_id, from_tier, to_tier, count(*) as n_scopes
    from standings
    group by all
)
left join core.customer_metrics as metrics using (customer_id)
group by from_tier, to_tier
order by from_tier, to_tier
"""
_BENEFITS = """
with cells as (
    select from_tier, to_tier, from_flags, to_flags, count(*) as n
    from standings
    group by all
), former as (
    select cells.*, benefit, value
    from cells
    inner join {former} as stated
        on
            stated.tier = from_tier
            and scheme = $scheme
            and (flag is null or list_contains(from_flags, flag))
), latter as (
    select cells.*, benefit, value
    from cells
    inner join marts.scheme_benefits as stated
        on
            stated.tier = to_tier
            and scheme = $scheme
            and (flag is null or list_contains(to_flags, flag))
)
select
    coalesce(former.benefit, latter.benefit) as held,
    coalesce(sum(latter.n) filter (where former.value is null), 0)::bigint as n_gained,
    coalesce(sum(former.n) filter (where latter.value is null), 0)::bigint as n_lost,
    coalesce(sum(latter.n) filter (where former.value != latter.value), 0)::bigint
        as n_changed
from former
full join latter
    on
        former.benefit = latter.benefit
        and former.from_tier is not distinct from latter.from_tier
        and former.to_tier is not distinct from latter.to_tier
        and former.from_flags is not distinct from latter.from_flags
        and former.to_flags is not distinct from latter.to_flags
group by held
having n_gained + n_lost + n_changed > 0
order by held
"""
_MOVES = """
with moved as (
    select standings.*, coalesce(metrics.spend_12m_amount, 0) as spend_12m_amount
    from standings
    left join core.customer_metrics as metrics using (customer_id)
    where from_tier is distinct from to_tier
    order by spend_12m_amount desc, customer_id, scope
    limit $limit
), former as (
    select customer_id, scope, arg_max({words}, step_no) as reason
    from {former}
    where scheme = $scheme and customer_id in (select customer_id from moved)
    group by customer_id, scope
), latter as (
    select customer_id, scope, arg_max({words}, step_no) as reason
    from main.customer_tier_reasons
    where scheme = $scheme and customer_id in (select customer_id from moved)
    group by customer_id, scope
)
select
    $scheme, moved.scope, moved.customer_id, from_tier, to_tier, spend_12m_amount,
    former.reason, latter.reason
from moved
left join former using (customer_id, scope)
left join latter using (customer_id, scope)
order by spend_12m_amount desc, moved.customer_id, moved.scope
"""


@contextmanager
def compared_with(
    con: duckdb.DuckDBPyConnection, database: Path
) -> Iterator["Comparison"]:
    """Compare what the connection holds with the release of that DuckDB file."""
    reading.attach(con, database, _RELEASE)
    try:
        yield Comparison(con)
    finally:
        con.execute(f"detach {_RELEASE}")


@dataclass(frozen=True)
class Comparison:
    """A connection that holds what was graded anew, with a release attached."""

    con: duckdb.DuckDBPyConnection

    def gone(self, scheme: str, *, lang: str) -> Graded:
        """A scheme of the release that does not run any more.

        Raises:
            ValueError: the release does not have it.
        """
        found = self.con.execute(
            f"select {quoted(f'name_{lang}')}, grades = 'categories', version"
            f" from {_published('schemes')} where scheme = $scheme",
            {"scheme": scheme},
        ).fetchone()
        if found is None:
            raise ValueError(f"{scheme}: the release does not have it")
        name, has_scopes, version = found
        return Graded(scheme, name, has_scopes, version, None, {})

    def moves_of(self, graded: Graded) -> SchemeMoves:
        """How many customers go from which tier to which, and whose benefits change."""
        self._create_standings(graded)
        cells = [Cell(*row) for row in self.con.execute(_CELLS).fetchall()]
        found = self.con.execute(
            _BENEFITS.format(former=self._former_benefits()),
            {"scheme": graded.scheme},
        )
        benefits = tuple(BenefitChange(*row) for row in found.fetchall())
        return SchemeMoves(graded, tuple(cells), benefits)

    def movers_of(
        self, graded: Graded, *, lang: str, at_most: int | None = None
    ) -> list[Move]:
        """The customers who move, the biggest spenders first, with their reasons."""
        if graded.former_version is None:
            return []
        self._create_standings(graded)
        select = _MOVES.format(
            words=quoted(f"text_{lang}"), former=_published("customer_tier_reasons")
        )
        limit = _ALL if at_most is None else at_most
        rows = self.con.execute(select, {"scheme": graded.scheme, "limit": limit})
        return [Move(*row) for row in rows.fetchall()]

    def _create_standings(self, graded: Graded) -> None:
        """Put the former and the new tier of each customer into `standings`."""
        table = "scheme_results"
        if graded.has_scopes:
            table += "_by_category"
        tier = quoted(f"{graded.scheme}__tier")
        scope = quoted("category") if graded.has_scopes else "''"
        former = reading.place(self.con, _RELEASE, table)
        latter = quoted("marts", table)
        if graded.former_version is None:
            former = f"(from {latter} where false)"
        if graded.version is None:
            latter = f"(from {former} where false)"
        flags = self._flags_of_benefits(graded.scheme)
        self.con.execute(
            _STANDINGS.format(
                tier=tier,
                scope=scope,
                former=former,
                latter=latter,
                former_flags=self._flags(graded.scheme, former, flags),
                latter_flags=self._flags(graded.scheme, latter, flags),
            )
        )

    def _former_benefits(self) -> str:
        """The benefits of the release; in one of an earlier version none has a flag."""
        published = _published("entitlements")
        if "flag" in self._columns(published):
            return published
        return f"(select *, null::varchar as flag from {published})"

    def _flags_of_benefits(self, scheme: str) -> list[str]:
        """The flags that benefits of a scheme are for, then or now."""
        found = self.con.execute(
            f"select flag from {self._former_benefits()} as stated"
            " where scheme = $scheme and flag is not null"
            " union select flag from marts.scheme_benefits"
            " where scheme = $scheme and flag is not null order by flag",
            {"scheme": scheme},
        )
        return [flag for (flag,) in found.fetchall()]

    def _flags(self, scheme: str, results: str, flags: Iterable[str]) -> str:
        """The list of those of the flags that a customer has in some results."""
        columns = self._columns(results)
        found = [
            f"case when {quoted(name)} then {text(flag)} end"
            for flag in flags
            if (name := f"{scheme}__flag_{flag}") in columns
        ]
        return f"[{', '.join(found)}]::varchar[]"

    def _columns(self, relation: str) -> frozenset[str]:
        described = self.con.execute(f"describe from {relation}").fetchall()
        return frozenset(name for name, *_ in described)


def _published(table: str) -> str:
    return quoted(_RELEASE, "main", table)
