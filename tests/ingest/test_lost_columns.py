"""A column that all files had and a new one has no more, over real loads."""

import datetime

import duckdb
import pytest

from ingest.load import load_feed
from ingest.lost_columns import lost_columns
from project.folder import open_project
from sql.contracts import feeds

FIRST = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
SECOND = FIRST + datetime.timedelta(days=1)
FULL = "transaction_id,customer_id,occurred_at,amount,channel,store_id"
MAPPINGS = """\
feeds:
  transactions:
    - {files: web*, columns: {store_id: shop}}
    - {files: "*"}
"""


@pytest.fixture
def shop(tmp_path):
    """A project, and what loads files: name → header, at a time."""
    (tmp_path / "fenji.yaml").write_text("name: shop\ncurrency: CNY\n" + MAPPINGS)
    project = open_project(tmp_path)
    folder = project.landing / "transactions"
    folder.mkdir(parents=True)
    con = duckdb.connect()

    def load(headers, at):
        for number, (name, header) in enumerate(headers.items()):
            values = {"occurred_at": "2026-05-01", "amount": "1"}
            row = ",".join(
                values.get(column, f"{name}{number}") for column in header.split(",")
            )
            (folder / name).write_text(f"{header}\n{row}\n")
        load_feed(con, project, feeds()["transactions"], at)

    def lost(since):
        return [
            (found.place, found.columns) for found in lost_columns(con, project, since)
        ]

    yield load, lost
    con.close()


def test_what_all_files_had_and_a_new_one_lacks_is_told(shop):
    load, lost = shop
    load({"a.csv": FULL, "b.csv": FULL}, FIRST)
    load({"c.csv": FULL.replace(",store_id", ""), "d.csv": FULL}, SECOND)
    assert lost(SECOND) == [("landing/transactions/c.csv", ("store_id",))]
    # Read before the time: c is one of the former files now.
    assert lost(SECOND + datetime.timedelta(microseconds=1)) == []


def test_what_one_former_file_lacks_as_well_is_not_missed(shop):
    load, lost = shop
    load({"a.csv": FULL, "b.csv": FULL.replace(",channel", "")}, FIRST)
    load({"c.csv": FULL.replace(",channel,store_id", "")}, SECOND)
    assert lost(SECOND) == [("landing/transactions/c.csv", ("store_id",))]


def test_files_of_another_mapping_are_not_compared(shop):
    load, lost = shop
    load({"a.csv": FULL}, FIRST)
    load({"web.csv": "transaction_id,customer_id,occurred_at,amount,shop"}, SECOND)
    assert lost(SECOND) == []


def test_a_file_that_was_changed_is_compared_with_the_others(shop):
    load, lost = shop
    load({"a.csv": FULL, "b.csv": FULL}, FIRST)
    load({"b.csv": FULL.replace(",channel", "")}, SECOND)
    assert lost(SECOND) == [("landing/transactions/b.csv", ("channel",))]


def test_where_nothing_was_published_nothing_is_compared(shop):
    load, lost = shop
    load({"a.csv": FULL}, FIRST)
    load({"b.csv": FULL.replace(",channel", "")}, SECOND)
    assert lost(None) == []
    assert lost(FIRST) == []
