"""The figures of a release that people look at first.

The report, the end of `fenji run` and `fenji demo` show them. They are read from the
release itself, so that what is shown is what was published. The selects stand in
`releases/sql/summary/`; the questions behind the facts in `facts`.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import duckdb

from releases import reading
from releases.facts import QUESTIONS
from sql.selects import quoted, select_in

# Older data are told of: the as-of date may not be the one that was meant.†
LONG_DAYS = 31
_SELECTS = Path(__file__).parent / "sql" / "summary"


@dataclass(frozen=True)
class TierCount:
    """A tier of a scheme: how many customers are in it, and their spend.

    `spend_12m_amount` is the spend of 12 months, in the project's currency.
    """

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
    """An RFM segment: how many customers, and the means of the three axes.

    `recency_days` is in days, `frequency` in orders, `monetary_amount` in the project's
    currency.
    """

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
    n_skipped: int
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
    """A line about service, tags or benefits: what it is about, and its figures."""

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


@dataclass(frozen=True)
class Unusable:
    """What could not be used of a feed, or is not where it was, for one reason.

    An accepted gate is one as well: what it would have stopped is in the release.
    """

    kind: Literal["rejected", "refused", "lacking", "vanished", "moved", "accepted"]
    feed: str
    reason: str
    n: int | None  # rows or files
    place: str  # where the first of them is


@dataclass(frozen=True)
class Movement:
    """A scheme: how its customers moved since the release before."""

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


def total(moved: Sequence[Movement]) -> Movement | None:
    """The sums over all schemes, under an empty name; None where there is no scheme."""
    if not moved:
        return None
    return Movement(
        scheme="",
        n_new=sum(movement.n_new for movement in moved),
        n_up=sum(movement.n_up for movement in moved),
        n_down=sum(movement.n_down for movement in moved),
        n_changed=sum(movement.n_changed for movement in moved),
        n_same=sum(movement.n_same for movement in moved),
    )


def newest_order(con: duckdb.DuckDBPyConnection, catalog: str) -> datetime.date | None:
    """The day of the newest order of a release; None: there is none."""
    day: datetime.date | None
    ((day,),) = con.execute(
        "select max(last_order_date) from"
        f" {reading.place(con, catalog, 'customer_metrics')}"
    ).fetchall()
    return day


def is_long_before(day: datetime.date, as_of_date: datetime.date) -> bool:
    """Whether the newest order is so old that another date may have been meant."""
    return (as_of_date - day).days > LONG_DAYS


def movements(con: duckdb.DuckDBPyConnection, catalog: str) -> tuple[Movement, ...]:
    """How customers moved, by scheme; empty where there is no earlier release.

    Args:
        con: a connection with the release.
        catalog: the name that the release is attached under.
    """
    return tuple(Movement(*row) for row in _rows(con, catalog, "movements"))


def segments(con: duckdb.DuckDBPyConnection, catalog: str) -> tuple[SegmentCount, ...]:
    """The RFM segments of a release, best first."""
    return tuple(SegmentCount(*row) for row in _rows(con, catalog, "segments"))


def feeds(con: duckdb.DuckDBPyConnection, catalog: str) -> tuple[FeedCount, ...]:
    """The feeds of a release, by name."""
    return tuple(FeedCount(*row) for row in _rows(con, catalog, "feeds"))


def quality(con: duckdb.DuckDBPyConnection, catalog: str) -> tuple[QualityCount, ...]:
    """The tables of a release that were checked, by name."""
    return tuple(QualityCount(*row) for row in _rows(con, catalog, "quality"))


def facts(con: duckdb.DuckDBPyConnection, catalog: str) -> tuple[Fact, ...]:
    """What a release says of service, tags and benefits."""
    return tuple(_facts(con, catalog))


def summarize(con: duckdb.DuckDBPyConnection, catalog: str) -> Summary:
    """The figures of a release.

    Args:
        con: a connection with the release.
        catalog: the name that the release is attached under.
    """
    customers = quoted(catalog, "main", "customers")
    counted = con.execute(f"select count(*) from {customers}").fetchone()
    return Summary(
        n_customers=int(counted[0]) if counted else 0,
        tiers=tuple(TierCount(*row) for row in _rows(con, catalog, "tiers")),
        segments=segments(con, catalog),
        facts=facts(con, catalog),
        feeds=feeds(con, catalog),
        quality=quality(con, catalog),
    )


def _rows(
    con: duckdb.DuckDBPyConnection, catalog: str, name: str
) -> list[tuple[Any, ...]]:
    """The rows of a select of this module, which names tables without a catalog."""
    with con.cursor() as inside:
        inside.execute(f"use {quoted(catalog, 'main')}")
        return inside.execute(select_in(_SELECTS / f"{name}.sql")).fetchall()


def _facts(con: duckdb.DuckDBPyConnection, catalog: str) -> Iterator[Fact]:
    """The answers to the questions, in their order; a table without rows has none."""
    schemas = reading.schemas(con, catalog)
    for question in QUESTIONS:
        table = quoted(catalog, schemas.get(question.table, "main"), question.table)
        for (figures,) in con.execute(question.select(table)).fetchall():
            yield Fact(question.name_en, question.name_zh, str(figures))
