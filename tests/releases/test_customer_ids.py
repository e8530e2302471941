"""What was merged and split since the release before."""

import datetime

import duckdb
import pytest

from project.folder import open_project
from releases import store
from releases.customer_ids import make_changes
from releases.previous import Previous

BEFORE = Previous("2026-05-01-0", datetime.date(2026, 5, 1), (), "2026-05-01-0")


@pytest.fixture
def project(tmp_path):
    (tmp_path / "fenji.yaml").write_text("name: test\n")
    return open_project(tmp_path)


def publish(project, customers, ids):
    """A release before; `ids` of None has no table of ids, as older ones."""
    database = store.database(project, BEFORE.release_id)
    database.parent.mkdir(parents=True)
    with duckdb.connect(str(database)) as con:
        con.execute("create table customer_metrics (customer_id varchar)")
        for customer in customers:
            con.execute("insert into customer_metrics values (?)", [customer])
        if ids is not None:
            con.execute("create table customer_ids (given_id text, customer_id text)")
            for row in ids.items():
                con.execute("insert into customer_ids values (?, ?)", row)


def changes(project, ids, previous=BEFORE):
    """What changed to these ids: given id → movement, customers before and now."""
    with duckdb.connect() as con:
        con.execute("create schema marts")
        con.execute(
            "create table marts.customer_ids (given_id varchar, customer_id varchar,"
            " linked_by varchar, linked_id varchar)"
        )
        for row in ids.items():
            con.execute(
                "insert into marts.customer_ids values (?, ?, 'card', 'X')", row
            )
        make_changes(con, project, previous)
        rows = con.execute(
            "select given_id, movement, previous_customer_id, customer_id, linked_by,"
            " from_as_of_date from marts.customer_id_changes"
        ).fetchall()
    assert {row[-1] for row in rows} <= {BEFORE.as_of_date}
    assert {row[0] for row in rows if row[-2]} <= ids.keys()
    return {row[0]: row[1:4] for row in rows}


def test_each_movement(project):
    publish(
        project,
        ["A", "B", "C", "F", "H"],
        {"A": "A", "A2": "A", "C": "C", "C2": "C", "C3": "C", "H": "H", "H2": "H"},
    )
    now = {"A": "A", "A2": "A", "C": "C", "C2": "C", "F": "F"}  # as before
    now |= {"B": "A", "N": "A", "C3": "F"}
    now |= {"K": "K"}  # new, and kept apart
    assert changes(project, now) == {
        "B": ("merged", "B", "A"),
        "N": ("added", None, "A"),
        "C3": ("moved", "C", "F"),
        "H2": ("split", "H", "H2"),
    }


def test_a_release_without_ids_linked_none(project):
    publish(project, ["A", "B"], None)
    assert changes(project, {"A": "A", "B": "A"}) == {"B": ("merged", "B", "A")}


@pytest.mark.parametrize("previous", [None, BEFORE])
def test_without_a_release_before_there_is_nothing(project, previous):
    assert changes(project, {"A": "A", "B": "A"}, previous) == {}
