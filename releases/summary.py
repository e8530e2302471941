"""The figures of a release that people look at first, for the terminal and the report.

Read from the release itself (attached, or opened by its path), so that what is shown is
what was published.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import duckdb

from releases import reading
from releases.facts import QUESTIONS
from sql.selects import quoted


@dataclass(frozen=True)
class TierCount:
    """A tier of a scheme and how many customers stand in it."""

    scheme: str
    scheme_en: str
    scheme_zh: str
    tier: str
    tier_en: str
    tier_zh: str
    n_customers: int
    spend_12m_amount: Decimal


@dataclass(frozen=True)
class SegmentCount:
    """An RFM segment: customers, and their means of the three axes."""

    segment: str
    name_en: str
    name_zh: str
    n_customers: int
    recency_days: Decimal
    frequency: Decimal
    monetary_amount: Decimal


@dataclass(frozen=True)
class FeedCount:
    """A feed: its files and what became of their rows."""

    feed: str
    n_files: int
    n_read: int
    n_loaded: int
    n_duplicate: int
    n_rejected: int
    n_refused_files: int


@dataclass(frozen=True)
class QualityCount:
    """A table: its checks, and how many failed."""

    table_name: str
    n_checks: int
    n_failed: int
    n_blocking: int


@dataclass(frozen=True)
class Fact:
    """What the service side and the tags say, in figures."""

    name_en: str
    name_zh: str
    figures: str


@dataclass(frozen=True)
class Summary:
    """The figures of one release."""

    n_customers: int
    tiers: tuple[TierCount, ...]
    segments: tuple[SegmentCount, ...]
    facts: tuple[Fact, ...]
    feeds: tuple[FeedCount, ...]
    quality: tuple[QualityCount, ...]


_TIERS = """
    with tiers as (
        select customer_id, scheme, scope, tier from {catalog}.customer_tiers
    ), counted as (
        select
            tiers.scheme,
            tiers.tier,
            count(distinct tiers.customer_id) as n_customers,
            sum(metrics.spend_12m_amount) as spend_12m_amount
        from tiers
        left join {catalog}.customer_metrics as metrics using (customer_id)
        where tiers.scope = ''
        group by tiers.scheme, tiers.tier
    )
    select
        counted.scheme, schemes.name_en, schemes.name_zh, counted.tier,
        coalesce(scheme_tiers.name_en, counted.tier),
        coalesce(scheme_tiers.name_zh, counted.tier),
        counted.n_customers, coalesce(counted.spend_12m_amount, 0)
    from counted
    join {catalog}.schemes on counted.scheme = schemes.scheme
    left join {catalog}.scheme_tiers
        on counted.scheme = scheme_tiers.scheme and counted.tier = scheme_tiers.tier
    order by counted.scheme, scheme_tiers.tier_rank nulls last, counted.tier
"""

_SEGMENTS = """
    select
        rfm.segment,
        coalesce(any_value(tiers.name_en), rfm.segment),
        coalesce(any_value(tiers.name_zh), rfm.segment),
        count(*),
        round(avg(rfm.recency_days), 1)::decimal(18, 1),
        round(avg(rfm.frequency), 1)::decimal(18, 1),
        round(avg(rfm.monetary_amount), 2)::decimal(18, 2)
    from {catalog}.customer_rfm as rfm
    left join {catalog}.scheme_tiers as tiers
        on rfm.segment = tiers.tier and tiers.scheme = 'rfm_8'
    group by rfm.segment
    order by any_value(tiers.tier_rank) nulls last, rfm.segment
"""

_FEEDS = """
    select
        feed,
        count(*),
        coalesce(sum(n_read), 0),
        coalesce(sum(n_loaded), 0),
        coalesce(sum(n_duplicate), 0),
        coalesce(sum(n_rejected), 0),
        count(*) filter (where status = 'refused')
    from {catalog}.feed_reconciliation
    group by feed
    order by feed
"""

_QUALITY = """
    select
        table_name,
        count(*),
        count(*) filter (where not passed),
        count(*) filter (where not passed and severity = 'ERROR')
    from {catalog}.quality_results
    group by table_name
    order by table_name
"""


@dataclass(frozen=True)
class Movement:
    """How the customers of a scheme moved since the release before."""

    scheme: str
    n_new: int
    n_up: int
    n_down: int
    n_changed: int  # between tiers without an order
    n_same: int

    @property
    def n_moved(self) -> int:
        """Those who have another tier than before."""
        return self.n_up + self.n_down + self.n_changed

    @property
    def n_graded_before(self) -> int:
        """Those whom the scheme graded in both releases."""
        return self.n_moved + self.n_same


_MOVEMENTS = """
    with moves as (
        select
            moves.scheme, moves.n_customers, moves.from_tier is null as is_new,
            moves.from_tier = moves.to_tier as is_same,
            after.tier_rank - before.tier_rank as steps_down
        from {catalog}.tier_migrations as moves
        left join {catalog}.scheme_tiers as before
            on moves.scheme = before.scheme and moves.from_tier = before.tier
        left join {catalog}.scheme_tiers as after
            on moves.scheme = after.scheme and moves.to_tier = after.tier
    )
    select
        scheme,
        coalesce(sum(n_customers) filter (is_new), 0)::bigint,
        coalesce(sum(n_customers) filter (not is_same and steps_down < 0), 0)::bigint,
        coalesce(sum(n_customers) filter (not is_same and steps_down > 0), 0)::bigint,
        coalesce(sum(n_customers) filter (
            not is_new and not is_same and coalesce(steps_down = 0, true)
        ), 0)::bigint,
        coalesce(sum(n_customers) filter (is_same), 0)::bigint
    from moves
    group by scheme
    order by scheme
"""


def total(found: Sequence[Movement]) -> Movement | None:
    """How the customers of all schemes moved together; None: there is nothing."""
    if not found:
        return None
    return Movement(
        "",
        sum(one.n_new for one in found),
        sum(one.n_up for one in found),
        sum(one.n_down for one in found),
        sum(one.n_changed for one in found),
        sum(one.n_same for one in found),
    )


def movements(con: duckdb.DuckDBPyConnection, catalog: str) -> tuple[Movement, ...]:
    """How customers moved, by scheme; empty where there is no earlier release."""
    query = _MOVEMENTS.format(catalog=quoted(catalog, "main"))
    return tuple(Movement(*row) for row in con.execute(query).fetchall())


def summarize(con: duckdb.DuckDBPyConnection, catalog: str) -> Summary:
    """The figures of the release that is attached under the name of the catalog."""
    where = quoted(catalog, "main")

    def rows(query: str) -> list[tuple[object, ...]]:
        return con.execute(query.format(catalog=where)).fetchall()

    counted = con.execute(f"select count(*) from {where}.customers").fetchone()
    return Summary(
        n_customers=int(counted[0]) if counted else 0,
        tiers=tuple(TierCount(*row) for row in rows(_TIERS)),  # type: ignore[arg-type]
        segments=tuple(SegmentCount(*row) for row in rows(_SEGMENTS)),  # type: ignore[arg-type]
        facts=tuple(
            Fact(one.name_en, one.name_zh, str(figures))
            for one in QUESTIONS
            for place in [reading.place(con, catalog, one.table)]
            for (figures,) in con.execute(one.select(place)).fetchall()
        ),
        feeds=tuple(FeedCount(*row) for row in rows(_FEEDS)),  # type: ignore[arg-type]
        quality=tuple(QualityCount(*row) for row in rows(_QUALITY)),  # type: ignore[arg-type]
    )
