"""Releases to test with: some hold a manifest alone, some the tables of a report."""

import datetime

import duckdb
import pytest

from project.folder import Project
from project.settings import Settings
from releases.building import begin, place_of, released
from releases.facts import QUESTIONS
from releases.manifest import Manifest
from sql.contracts import LAYERS, contracts

CONTRACTS = {table.table: table for layer in LAYERS for table in contracts(layer)}
# What the figures of a release are read from.
SUMMARIZED = (
    "customers",
    "customer_metrics",
    "customer_rfm",
    "customer_tiers",
    "feed_reconciliation",
    "quality_results",
    "scheme_tiers",
    "schemes",
    "tier_migrations",
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
def insert(con):
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
