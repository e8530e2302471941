"""`fenji retract`: a release between others is gone from all that follows."""

import datetime
import json

import duckdb

from project.folder import open_project
from runs.opening import decide
from tests import forked

# In February a test file was graded: 5000 points more, and only then.
ORDERS = """\
transaction_id,customer_id,occurred_at,amount
T1,ann,2026-01-10T12:00:00,900
T2,ann,2026-02-10T12:00:00,5000
T3,ann,2026-03-10T12:00:00,-5000
"""
SETTINGS = """\
name: past
timezone: Asia/Shanghai
schemes: {only: [annual_points]}
"""
TOLD = (
    "select tier, valid_from::varchar, valid_to::varchar, known_to is null"
    " from customer_tier_history order by valid_from"
)


def call(folder, *arguments):
    return forked.call([*arguments, "--json", "--project", str(folder)], seconds=300)


def fenji(folder, *arguments):
    done = call(folder, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def read(folder, query):
    path = folder / "data/current/fenji.duckdb"
    with duckdb.connect(str(path), read_only=True) as con:
        return con.execute(query).fetchall()


def test_a_retracted_release_is_gone_from_history_and_movement(tmp_path):
    (tmp_path / "landing/transactions").mkdir(parents=True)
    (tmp_path / "landing/transactions/orders.csv").write_text(ORDERS)
    (tmp_path / "fenji.yaml").write_text(SETTINGS)
    span = ("--from", "2026-01-01", "--to", "2026-03-31")
    made = fenji(tmp_path, "backfill", *span)["releases"]
    january, february, march = (release["release_id"] for release in made)
    assert read(tmp_path, TOLD) == [
        ("A", "2026-01-31", "2026-02-28", True),
        ("D", "2026-02-28", "2026-03-31", True),
        ("A", "2026-03-31", None, True),
    ]
    assert read(tmp_path, "select previous_tier from customer_tiers") == [("D",)]

    said = fenji(tmp_path, "retract", february, "--reason", "a test")
    assert said["current"]["release_id"] == march
    assert said["is_told_by_current"]
    again = fenji(tmp_path, "run", "--as-of", "2026-03-31")
    assert (again["status"], again["is_current"]) == ("published", True)
    assert read(tmp_path, TOLD) == [("A", "2026-01-31", None, True)]
    assert read(tmp_path, "select previous_tier from customer_tiers") == [("A",)]
    migrations = "select distinct from_as_of_date::varchar from tier_migrations"
    assert read(tmp_path, migrations) == [("2026-01-31",)]
    stated = read(tmp_path, "select release_id from storage.tier_statements")
    assert {release_id for (release_id,) in stated} == {
        january, march, again["release_id"],
    }  # fmt: skip
    # What the history was made from is in the release, and nowhere else any more.
    assert not (tmp_path / "data/.cleared_history").exists()

    project = open_project(tmp_path)
    for day, published in (("2026-03-31", again["release_id"]), ("2026-02-28", None)):
        found = decide(project, datetime.date.fromisoformat(day)).published
        assert (found and found.release_id) == published
    listed = fenji(tmp_path, "releases")["releases"]
    assert [
        (listed["release_id"], listed["reason"])
        for listed in listed
        if listed["is_retracted"]
    ] == [(february, "a test")]
    refused = call(tmp_path, "rollback", february)
    assert refused.returncode == 2
    assert "was retracted: a test" in refused.stderr
