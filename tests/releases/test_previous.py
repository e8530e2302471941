"""The release before: found in the history, also where its folder is gone."""

import dataclasses
import datetime
import json
import shutil
from pathlib import Path

import duckdb
import pytest

from project.folder import open_project
from releases import store
from releases.previous import create_previous_tiers, previous_to
from tests.forked import call

ORDERS = """\
transaction_id,customer_id,occurred_at,amount,category
T1,A,2026-01-10T12:00:00,900,tea
T2,B,2026-01-31T23:59:59,2500,tea
T3,A,2026-02-01T00:00:00,400,books
T4,C,2026-02-11T00:00:00,5000,books
T5,B,2026-03-01T00:00:00,3000,tea
"""
SETTINGS = """\
name: past
timezone: Asia/Shanghai
schemes: {only: [annual_points, category_points, rfm_8, value_pyramid]}
publish: {keep_releases: %d}
"""
# What an order of March makes known of January is restated at the end.
LATE = """\
transaction_id,customer_id,occurred_at,amount,category
T6,A,2026-01-11T12:00:00,4000,tea
"""


def fenji(folder: Path, *arguments: str) -> dict:
    done = call([*arguments, "--json", "--project", str(folder)], seconds=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def restated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """January and February, January again with a late order."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "landing/transactions").mkdir(parents=True)
    (folder / "landing/transactions/orders.csv").write_text(ORDERS)
    (folder / "fenji.yaml").write_text(SETTINGS % 9)
    fenji(folder, "backfill", "--from", "2026-01-01", "--to", "2026-02-28")
    (folder / "landing/transactions/late.csv").write_text(LATE)
    fenji(folder, "run", "--as-of", "2026-01-31")
    return folder


@pytest.fixture(scope="module")
def backfilled(restated: Path) -> Path:
    """The same, and March."""
    folder = restated.with_name("with_march")
    shutil.copytree(restated, folder, symlinks=True)
    fenji(folder, "run", "--as-of", "2026-03-31")
    return folder


def read(folder: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(folder / "data/current/fenji.duckdb"), read_only=True) as c:
        return c.execute(query).fetchall()


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def test_it_has_the_greatest_earlier_date_and_was_published_last(backfilled):
    project = open_project(backfilled)
    first, february, again, _ = store.releases(project)
    found = {
        date: getattr(previous_to(project, day(date)), "release_id", None)
        for date in ("2026-01-31", "2026-02-01", "2026-02-28", "2026-03-01")
    }
    assert found == {
        "2026-01-31": None,
        "2026-02-01": again.release_id,
        "2026-02-28": again.release_id,
        "2026-03-01": february.release_id,
    }
    # As it was known when only the first was published.
    then = previous_to(project, day("2026-02-01"), first.published_at)
    assert then is not None
    assert then.release_id == first.release_id


@pytest.mark.parametrize("date", ["2026-02-28", "2026-03-01", "2026-04-30"])
def test_the_history_says_what_the_release_said(backfilled, tmp_path, date):
    schemes = ["annual_points", "category_points", "rfm_8", "value_pyramid"]
    without = tmp_path / "without"
    shutil.copytree(backfilled, without, symlinks=True)
    found = []
    for folder in (backfilled, without):
        project = open_project(folder)
        previous = previous_to(project, day(date))
        assert previous is not None
        if folder == without:
            # The last one holds the history: it is there under another name.
            shutil.copytree(
                project.releases / previous.told_by, project.releases / "kept"
            )
            store.database(project, previous.release_id).unlink()
            previous = dataclasses.replace(previous, told_by="kept")
        with duckdb.connect() as con:
            create_previous_tiers(con, project, previous, [*schemes, "unknown"])
            named = ", ".join(f"{scheme}_tier" for scheme in [*schemes, "unknown"])
            found.append(
                (
                    con.execute(
                        f"select customer_id, {named} from marts.previous_tiers"
                        f" where coalesce({named}) is not null order by all"
                    ).fetchall(),
                    con.execute(
                        "from marts.previous_scope_tiers"
                        " where tier is not null order by all"
                    ).fetchall(),
                )
            )
    assert found[0] == found[1]
    assert all(rows for rows in found[0])


def test_movement_outlives_the_folders(restated, backfilled, tmp_path):
    folder = tmp_path / "few"
    shutil.copytree(restated, folder, symlinks=True)
    for made in store.releases(open_project(folder))[:2]:
        shutil.rmtree(folder / "data/releases" / made.release_id)
    ours = fenji(folder, "run", "--as-of", "2026-03-31")
    moved = (
        "select scheme, scope, customer_id, tier, previous_tier, movement"
        " from customer_tiers order by all"
    )
    assert read(folder, moved) == read(backfilled, moved)
    migrations = "from tier_migrations order by all"
    assert read(folder, migrations) == read(backfilled, migrations)
    assert {row[-1] for row in read(folder, moved)} >= {"up", "same", "down"}
    again = fenji(folder, "run", "--as-of", "2026-03-31")
    assert (again["status"], again["release_id"]) == ("unchanged", ours["release_id"])
