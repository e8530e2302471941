"""Releases to test with: some hold a manifest alone, some the tables of a report."""

import datetime

import duckdb
import pytest

from project.folder import Project
from project.settings import Settings
from releases.building import CATALOG, begin, place_of, released
from releases.facts import QUESTIONS
from releases.manifest import Manifest
from releases.sections.figures import Figures
from sql.contracts import LAYERS, contracts

CONTRACTS = {table.table: table for layer in LAYERS for table in contracts(layer)}
# What the figures of a release and its report are read from.
SUMMARIZED = (
    "alerts",
    "asset_models",
    "campaign_results",
    "customers",
    "customer_metrics",
    "customer_rfm",
    "customer_tiers",
    "data_readiness",
    "entitlements",
    "feed_arrivals",
    "feed_reconciliation",
    "parameters",
    "quality_results",
    "rejected_rows",
    "scheme_tiers",
    "schemes",
    "sales_month",
    "segment_counts",
    "segment_playbook",
    "service_effect",
    "service_queue",
    "sla_attainment",
    "tier_economics",
    "tier_migrations",
    "tier_trend",
    "work_list",
    "work_lists",
    *sorted(question.table for question in QUESTIONS),
)


@pytest.fixture
def con():
    with duckdb.connect() as opened:
        yield opened


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path, Settings(name="shop"))
    made.releases.mkdir(parents=True)
    return made


@pytest.fixture
def manifest():
    """Makes a manifest of a release that was published in June 2026."""

    def make(release_id, as_of="2026-05-31", *, minute=0, key="k", day=1, **more):
        settled = {
            "release_id": release_id,
            "as_of_date": datetime.date.fromisoformat(as_of),
            "contract_version": 1,
            "content_digest": "",
            "settings_digest": "",
            "inputs": (),
            "schemes": {},
            "tables": {},
            "checks": (),
            "fenji_version": "0",
            "run_key": key,
            "previous_release_id": None,
            "published_at": datetime.datetime(
                2026, 6, day, 0, minute, tzinfo=datetime.UTC
            ),
        }
        return Manifest(**{**settled, **more})

    return make


@pytest.fixture
def release(project, manifest):
    """Makes a release of the project that has a manifest and no tables."""

    def make(release_id, as_of="2026-05-31", **more):
        made = manifest(release_id, as_of, **more)
        folder = project.releases / release_id
        folder.mkdir()
        made.write(folder)
        return made

    return make


@pytest.fixture
def building(con, project):
    """A release that is being written, with all tables of its report, without rows."""
    made = begin(con, project, "key")
    for name in dict.fromkeys(SUMMARIZED):
        table = released(CONTRACTS[name], shown=())
        columns = ", ".join(
            f"{column.name} {column.duckdb_type}" for column in table.columns
        )
        con.execute(f"create table {place_of(table)} ({columns})")
    return made


@pytest.fixture
def insert(con, building):  # noqa: ARG001 - its tables
    """Writes rows, given by their columns, into a table of that release."""

    def write(table, *rows):
        place = place_of(CONTRACTS[table])
        for row in rows:
            marks = ", ".join("?" * len(row))
            con.execute(
                f"insert into {place} ({', '.join(row)}) values ({marks})",
                list(row.values()),
            )

    return write


@pytest.fixture
def graded(insert):
    """A company that every section of the report has something to say about."""
    insert(
        "customers",
        *(
            {
                "customer_id": name,
                "is_active": name != "C",
                "first_known_date": "2026-01-01" if name == "A" else "2024-01-01",
            }
            for name in "ABC"
        ),
    )
    insert(
        "customer_metrics",
        {
            "customer_id": "A",
            "n_orders_12m": 3,
            "spend_12m_amount": 300,
            "spend_previous_12m_amount": 100,
            "margin_12m_amount": 60,
            "service_cost_12m_amount": 5,
        },
        {
            "customer_id": "B",
            "n_orders_12m": 1,
            "spend_12m_amount": 100,
            "spend_previous_12m_amount": 100,
            "service_cost_12m_amount": 0,
        },
    )
    for scheme, applied in (("card", True), ("one", True), ("off", False)):
        insert(
            "schemes",
            {
                "scheme": scheme,
                "name_en": f"Scheme {scheme}",
                "name_zh": f"方案{scheme}",
                "about_en": "About it.",
                "about_zh": "说明。",
                "is_applicable": applied,
                "not_applicable_reason": None if applied else "needs calls",
                "not_applicable_reason_zh": None if applied else "缺少通话",
                "is_classification": False,
            },
        )
    tiers = (("card", "gold", 1), ("card", "basic", 2), ("one", "gold", 1))
    for scheme, code, rank in tiers:
        insert(
            "scheme_tiers",
            {
                "scheme": scheme,
                "tier": code,
                "tier_rank": rank,
                "name_en": f"Tier {code}",
                "name_zh": f"{code}级",
            },
        )
    for scheme, code, n, share in (
        ("card", "gold", 1, 0.25),
        ("card", "basic", 3, 0.75),
        ("one", "gold", 4, 1),
    ):
        insert(
            "tier_economics",
            {
                "scheme": scheme,
                "tier": code,
                "n_customers": n,
                "spend_12m_amount": 1000 * n,
                "service_cost_12m_amount": 7,
                "customer_share_ratio": share,
                "spend_share_ratio": share,
            },
        )
    for month, n in (("2026-04-30", 2), ("2026-05-31", 3)):
        insert(
            "tier_trend",
            {
                "as_of_date": month,
                "scheme": "card",
                "tier": "basic",
                "n_customers": n,
                "spend_12m_amount": 0,
            },
        )


@pytest.fixture
def stated(project, release):
    """Makes a release that states a spend, of customers one of whom is active."""

    def make(release_id, as_of, spend):
        made = release(release_id, as_of)
        with duckdb.connect(project.releases / release_id / "fenji.duckdb") as con:
            for name in ("customers", "customer_metrics"):
                columns = ", ".join(
                    f"{column.name} {column.duckdb_type}"
                    for column in CONTRACTS[name].columns
                )
                con.execute(f"create table {name} ({columns})")
            con.execute(
                "insert into customers (customer_id, is_active) values ('A', true)"
            )
            con.execute(
                "insert into customer_metrics (customer_id, spend_12m_amount)"
                f" values ('A', {spend})"
            )
        return made

    return make


@pytest.fixture
def figures(con, building, project, manifest):  # noqa: ARG001 - its tables
    """The figures of that release, as of the end of May 2026."""
    return Figures(con, CATALOG, manifest("may"), project)
