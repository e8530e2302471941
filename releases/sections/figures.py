"""The figures of a report, read from the release that it is about.

One class here is one row of a select in `releases/sql/report/`: its fields are the
columns, in their order.
"""

import datetime
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from project.errors import FenjiError
from project.folder import Project
from releases import marks, reading, store
from releases.manifest import Manifest, read_manifest
from releases.sections.blocks import Text
from releases.summary import (
    Fact,
    FeedCount,
    Movement,
    QualityCount,
    SegmentCount,
    facts,
    feeds,
    movements,
    quality,
    segments,
)
from sql.selects import quoted, select_in, used

_SELECTS = Path(__file__).parents[1] / "sql" / "report"
_FORMER = "former_release"  # the catalog of a release to compare with
_SHOWN = {"trend": 13, "movers": 10, "campaigns": 8, "asset_models": 8}
_SHOWN |= {"attributes": 6, "readiness": 10}

Row = TypeVar("Row")


@dataclass(frozen=True)
class Headline:
    """The figures of the whole company; amounts are in the project's currency."""

    n_customers: int
    n_active: int
    n_dated: int
    n_year_ago: int
    n_orders: int
    newest_order_date: datetime.date | None
    spend_amount: Decimal | None  # None: no amounts are known
    spend_year_ago_amount: Decimal | None
    margin_amount: Decimal | None
    known_spend_amount: Decimal
    bought_amount: Decimal
    service_cost_amount: Decimal

    @property
    def n_new(self) -> int | None:
        """Who came in the last 12 months; None where somebody has no first day."""
        known = self.n_dated == self.n_customers
        return self.n_customers - self.n_year_ago if known else None

    @property
    def known_share(self) -> Decimal | None:
        """Of how much of what was bought the margin is known; None: nothing was."""
        if not self.bought_amount:
            return None
        return self.known_spend_amount / self.bought_amount

    @property
    def spend_each(self) -> Decimal | None:
        """What an active customer spends; None where nobody is, or nobody knows."""
        if self.spend_amount is None or not self.n_active:
            return None
        return self.spend_amount / self.n_active


@dataclass(frozen=True)
class Stated:
    """What another release states: its id, its as-of date, its headline."""

    release_id: str
    as_of_date: datetime.date
    headline: Headline


@dataclass(frozen=True)
class Alert:
    """A kind of alert, and the text of the first."""

    kind: str
    severity: str
    n_alerts: int
    text_en: str
    text_zh: str


@dataclass(frozen=True)
class WorkList:
    """A work list that is made."""

    list_id: str
    priority: int
    name_en: str
    name_zh: str
    n_rows: int
    n_overdue: int
    n_week: int
    action_en: str | None
    action_zh: str | None


@dataclass(frozen=True)
class Tier:
    """A tier of a scheme, and what its customers brought and cost."""

    scheme: str
    tier: str
    rank: int | None
    name_en: str
    name_zh: str
    n_customers: int
    spend_amount: Decimal
    margin_amount: Decimal | None
    service_cost_amount: Decimal
    profit_amount: Decimal | None
    customer_share: Decimal
    spend_share: Decimal
    spend_each: Decimal | None
    profit_each: Decimal | None
    tickets_each: Decimal | None

    @property
    def name(self) -> Text:
        """Its name."""
        return Text(self.name_en, self.name_zh)


@dataclass(frozen=True)
class Scheme:
    """A scheme, with its tiers, best first."""

    scheme: str
    name_en: str
    name_zh: str
    about_en: str | None
    about_zh: str | None
    is_applicable: bool
    why_not_en: str | None
    why_not_zh: str | None
    is_classification: bool
    tiers: tuple[Tier, ...] = ()

    @property
    def name(self) -> Text:
        """Its name."""
        return Text(self.name_en, self.name_zh)

    @cached_property
    def n_customers(self) -> int:
        """How many customers it gives a tier."""
        return sum(tier.n_customers for tier in self.tiers)

    @cached_property
    def is_telling(self) -> bool:
        """Whether it says something about this company: several tiers are filled."""
        return self.is_applicable and sum(bool(t.n_customers) for t in self.tiers) > 1

    def tier_name(self, tier: str | None) -> Text:
        """The name of one of its tiers, else its code; None is a new customer."""
        if tier is None:
            return Text("(new)", "（新增）")
        return next(
            (known.name for known in self.tiers if known.tier == tier),
            Text(tier, tier),
        )


@dataclass(frozen=True)
class Move:
    """A way between two tiers of a scheme; from_tier is None of new customers."""

    scheme: str
    from_tier: str | None
    to_tier: str
    n_customers: int
    spend_amount: Decimal


@dataclass(frozen=True)
class Mover:
    """A customer in a lower tier than before."""

    customer_id: str
    from_tier: str
    to_tier: str
    spend_amount: Decimal


@dataclass(frozen=True)
class Trend:
    """How many customers had a tier on a date."""

    as_of_date: datetime.date
    scheme: str
    tier: str
    n_customers: int


@dataclass(frozen=True)
class RfmPair:
    """A pair of recency and frequency scores."""

    r_score: int
    f_score: int
    n_customers: int
    spend_amount: Decimal


@dataclass(frozen=True)
class ServiceMonth:
    """A month of a service level."""

    month: datetime.date
    service_level: str
    n_customers: int
    n_tickets: int
    n_complaints: int
    first_response_hours: Decimal | None
    resolution_hours: Decimal | None
    in_time_ratio: Decimal | None
    callbacks_in_time_ratio: Decimal | None
    satisfaction_score: Decimal | None
    n_lost: int


@dataclass(frozen=True)
class ServiceLevel:
    """A service level: its customers and calls."""

    service_level: str
    n_customers: int
    n_offered: int
    n_in_time: int
    goal_ratio: Decimal | None
    n_days_met: int
    n_days: int


@dataclass(frozen=True)
class Campaign:
    """A campaign."""

    campaign: str
    first_date: datetime.date
    last_date: datetime.date
    is_complete: bool
    n_contacted: int
    n_ordered: int
    ordered_ratio: Decimal | None
    spend_amount: Decimal


@dataclass(frozen=True)
class Sales:
    """The sales of a category in a month."""

    month: datetime.date
    category: str | None
    spend_amount: Decimal


@dataclass(frozen=True)
class AssetModel:
    """A model of installed assets."""

    model: str
    n_units: int
    n_faults: int
    faults_per_unit_year: Decimal | None


@dataclass(frozen=True)
class AttributeValue:
    """A value of an attribute; n_all counts the customers of all its values."""

    attribute: str
    value: str | None
    n_customers: int
    spend_amount: Decimal
    n_all: int


@dataclass(frozen=True)
class Point:
    """A point of a playbook."""

    scheme: str
    tier: str
    part: str
    text_en: str
    text_zh: str


@dataclass(frozen=True)
class Benefit:
    """A benefit of a tier."""

    scheme: str
    tier: str
    benefit: str
    name_en: str
    name_zh: str


@dataclass(frozen=True)
class Parameter:
    """A parameter of a table or scheme."""

    owner: str
    name: str
    value: str | None
    default_value: str | None
    unit: str | None
    about_en: str
    about_zh: str


@dataclass(frozen=True)
class Rejected:
    """A reason for which rows of a feed were rejected."""

    reason: str
    feed: str
    n_rows: int


@dataclass(frozen=True)
class Arrival:
    """What came of a feed since the release before."""

    feed: str
    stated_until_date: datetime.date | None
    n_files: int
    n_read: int
    n_late: int | None
    n_corrected: int
    n_duplicate: int
    n_replaced: int
    n_rejected: int


@dataclass(frozen=True)
class Filled:
    """A column of a feed, and how much of it is filled."""

    feed: str
    column: str
    n_rows: int
    ratio: Decimal


@dataclass(frozen=True)
class Figures:
    """Where the figures of one release are read from, each as it is asked for.

    Attributes:
        con: a connection with the release.
        catalog: the name that the release is attached under.
        manifest: of the release.
        project: whose releases it is compared with.
    """

    con: duckdb.DuckDBPyConnection
    catalog: str
    manifest: Manifest
    project: Project

    @cached_property
    def headline(self) -> Headline:
        """The figures of the whole company."""
        return self._headline(self.catalog, self.manifest.as_of_date)

    @cached_property
    def former(self) -> Stated | None:
        """What the release before states, where it is still there."""
        return self._stated([self.manifest.previous_release_id])

    @cached_property
    def year_ago(self) -> Stated | None:
        """What the release of a year before states, where one is there."""
        folders = self.project.releases.glob(f"{self.year_ago_date}-*")
        return self._stated(sorted(folder.name for folder in folders))

    @property
    def year_ago_date(self) -> datetime.date:
        """The day a year before the as-of date."""
        day = self.manifest.as_of_date
        if (day.month, day.day) == (2, 29):
            day -= datetime.timedelta(days=1)
        return day.replace(year=day.year - 1)

    @cached_property
    def schemes(self) -> Mapping[str, Scheme]:
        """Every scheme by its id."""
        tiers: dict[str, list[Tier]] = {}
        for tier in self._rows(Tier, "tiers"):
            tiers.setdefault(tier.scheme, []).append(tier)
        return {
            row[0]: replace(Scheme(*row), tiers=tuple(tiers.get(row[0], ())))
            for row in self._read("schemes")
        }

    @property
    def telling(self) -> list[Scheme]:
        """The schemes that say something about this company, by id."""
        return [scheme for scheme in self.schemes.values() if scheme.is_telling]

    @cached_property
    def alerts(self) -> list[Alert]:
        """Kinds of alerts, the most severe first."""
        return self._rows(Alert, "alerts")

    @cached_property
    def work_lists(self) -> list[WorkList]:
        """Work lists by priority."""
        return self._rows(WorkList, "work_lists")

    @cached_property
    def moves(self) -> list[Move]:
        """Ways between tiers since the release before."""
        return self._rows(Move, "moves")

    @cached_property
    def movements(self) -> tuple[Movement, ...]:
        """How many moved, by scheme."""
        return movements(self.con, self.catalog)

    def movers(self, scheme: str) -> list[Mover]:
        """Customers whom a scheme moved down, those who spent most first."""
        return self._rows(Mover, "movers", only_scheme=scheme)

    @cached_property
    def trend(self) -> list[Trend]:
        """Tiers of the latest dates."""
        return self._rows(Trend, "trend")

    @cached_property
    def rfm_grid(self) -> list[RfmPair]:
        """Customers by recency and frequency."""
        return self._rows(RfmPair, "rfm_grid")

    @cached_property
    def segments(self) -> tuple[SegmentCount, ...]:
        """RFM segments, best first."""
        return segments(self.con, self.catalog)

    @cached_property
    def service_months(self) -> list[ServiceMonth]:
        """Months by service level."""
        return self._rows(ServiceMonth, "service_effect")

    @cached_property
    def service_levels(self) -> list[ServiceLevel]:
        """Service levels, the highest first."""
        return self._rows(ServiceLevel, "service_levels")

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """Lines about service, tags and benefits."""
        return facts(self.con, self.catalog)

    @cached_property
    def campaigns(self) -> list[Campaign]:
        """Campaigns, the latest first."""
        return self._rows(Campaign, "campaigns")

    @cached_property
    def sales(self) -> list[Sales]:
        """Sales by month and category."""
        return self._rows(Sales, "sales")

    @cached_property
    def asset_models(self) -> list[AssetModel]:
        """Models of assets, the one with most faults first."""
        return self._rows(AssetModel, "asset_models")

    @cached_property
    def attributes(self) -> list[AttributeValue]:
        """The most frequent values of each attribute."""
        return self._rows(AttributeValue, "attributes")

    @cached_property
    def playbook(self) -> list[Point]:
        """All points of the playbooks."""
        return self._rows(Point, "playbook")

    @cached_property
    def benefits(self) -> list[Benefit]:
        """All benefits of tiers."""
        return self._rows(Benefit, "benefits")

    @cached_property
    def parameters(self) -> list[Parameter]:
        """All parameters."""
        return self._rows(Parameter, "parameters")

    @cached_property
    def rejected(self) -> list[Rejected]:
        """Rejected rows by reason and feed."""
        return self._rows(Rejected, "rejected")

    @cached_property
    def arrivals(self) -> list[Arrival]:
        """Feeds of which files came since the release before."""
        return self._rows(Arrival, "arrivals")

    @cached_property
    def feeds(self) -> tuple[FeedCount, ...]:
        """Feeds, and what became of their rows."""
        return feeds(self.con, self.catalog)

    @cached_property
    def quality(self) -> tuple[QualityCount, ...]:
        """Checks by table."""
        return quality(self.con, self.catalog)

    @cached_property
    def filled_least(self) -> list[Filled]:
        """The columns that are filled least."""
        return self._rows(Filled, "readiness")

    def _rows(self, kind: type[Row], name: str, **params: str) -> list[Row]:
        return [kind(*row) for row in self._read(name, **params)]

    def _read(self, name: str, **params: str) -> list[tuple[Any, ...]]:
        """The rows of a select of the report."""
        given = {"as_of_date": self.manifest.as_of_date, **params}
        if name in _SHOWN:
            given["shown"] = _SHOWN[name]
        return _selected(self.con, self.catalog, name, given)

    def _headline(self, catalog: str, as_of_date: datetime.date) -> Headline:
        given = {"as_of_date": as_of_date}
        (row,) = _selected(self.con, catalog, "headline", given)
        return Headline(*row)

    def _stated(self, release_ids: Sequence[str | None]) -> Stated | None:
        """What the release published last of several states.

        A release that is gone, retracted, damaged or of another version says nothing:
        it is no reason to go without a report.
        """
        found: list[Manifest] = []
        for release_id in release_ids:
            folder = self.project.releases / (release_id or "")
            if release_id is None or marks.is_marked(folder):
                continue
            with suppress(FenjiError):
                found.append(read_manifest(folder))
        found = [manifest for manifest in found if manifest.known_at is None]
        if not found:
            return None
        manifest = max(found, key=lambda made: made.published_at)
        database = store.database(self.project, manifest.release_id)
        try:
            reading.attach(self.con, database, _FORMER)
        except FenjiError:
            return None
        try:
            headline = self._headline(_FORMER, manifest.as_of_date)
        except duckdb.Error:
            return None
        finally:
            self.con.execute(f"detach {_FORMER}")
        return Stated(manifest.release_id, manifest.as_of_date, headline)


def _selected(
    con: duckdb.DuckDBPyConnection, catalog: str, name: str, given: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    """The rows of a select, which names tables without a catalog."""
    select = select_in(_SELECTS / f"{name}.sql")
    with con.cursor() as inside:
        inside.execute(f"use {quoted(catalog, 'main')}")
        return inside.execute(select, used(given, select)).fetchall()
