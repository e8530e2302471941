"""Columns that are gone, new or of another kind in a new file, over real loads."""

import datetime

import duckdb
import pytest

from ingest.drift import drift
from ingest.load import load_feed
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
            (found.place, found.columns) for found in drift(con, project, since).lost
        ]

    load.con, load.project = con, project
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


def drifted(load, since=SECOND):
    return drift(load.con, load.project, since)


@pytest.mark.parametrize(
    ("new", "words"),
    [
        ("sales_channel", "channel (renamed to 'sales_channel'?)"),
        ("渠道", "channel (renamed to '渠道'?)"),
        ("chanel", "channel (renamed to 'chanel'?)"),
        ("weather", "channel"),
        # No name of a column.
        ("channel 13812345678", "channel"),
        ("channel@example.com", "channel"),
    ],
)
def test_a_lost_column_is_told_with_the_new_header_that_is_near(shop, new, words):
    load, _ = shop
    load({"a.csv": f"{FULL},note", "b.csv": FULL}, FIRST)
    load({"c.csv": FULL.replace("channel", new)}, SECOND)
    (found,) = drifted(load).lost
    assert found.in_words == f"landing/transactions/c.csv lacks {words}"


def test_of_two_lost_columns_each_has_a_header_of_its_own(shop):
    load, _ = shop
    load({"a.csv": FULL}, FIRST)
    header = FULL.replace("channel", "store channel").replace("store_id", "门店编号")
    load({"c.csv": header}, SECOND)
    (found,) = drifted(load).lost
    assert found.columns == ("channel", "store_id")
    assert found.renamed == ("store channel", "门店编号")
    # What may be an old column is not told as a new one.
    assert drifted(load).added == ()


def test_headers_that_no_file_had_are_told_once(shop):
    load, _ = shop
    load({"a.csv": f"{FULL},note", "b.csv": f"{FULL},till"}, FIRST)
    load({"c.csv": f"{FULL},till,weather,note,mood"}, SECOND)
    (found,) = drifted(load).added
    assert found.in_words == "landing/transactions/c.csv has 'weather', 'mood'"
    third = SECOND + datetime.timedelta(days=1)
    load({"d.csv": f"{FULL},mood"}, third)
    assert drifted(load, third).added == ()


def test_a_line_that_may_be_no_header_is_not_remembered(shop):
    load, _ = shop
    load.project.root.joinpath("fenji.yaml").write_text(
        "name: shop\ncurrency: CNY\nfeeds: {customers: {header_row: 1}}\n"
    )
    project = open_project(load.project.root)
    folder = project.landing / "customers"
    folder.mkdir()
    (folder / "a.csv").write_text("customer_id,Anna Muster\n1,2\n")
    (folder / "b.csv").write_text("customer_id,city,shoe size\n1,2,3\n")
    load_feed(load.con, project, feeds()["customers"], FIRST)
    assert load.con.execute(
        "select path, unused_headers from raw.files where feed = 'customers'"
        " order by path"
    ).fetchall() == [("a.csv", None), ("b.csv", ["shoe size"])]


def amounts(load, name, n_bad, n_rows, at, *, bad="ten"):
    """Load a file of which some amounts are no numbers."""
    rows = "".join(
        f"{name}{number},C1,2026-05-01,{bad if number < n_bad else 1},web,S1\n"
        for number in range(n_rows)
    )
    file = load.project.landing / "transactions" / name
    file.write_text(f"{FULL}\n{rows}")
    load_feed(load.con, load.project, feeds()["transactions"], at)


@pytest.mark.parametrize(
    ("n_before", "n_bad", "n_rows", "is_told"),
    [
        (0, 19, 20, True),  # 95%
        (0, 20, 20, True),
        (0, 18, 20, False),
        (0, 19, 19, False),  # too few rows to tell
        (5, 100, 100, True),  # of 100 rows before 5 were no numbers, too
        (6, 100, 100, False),
    ],
)
def test_a_column_that_holds_other_values_is_told_in_a_line(
    shop, n_before, n_bad, n_rows, is_told
):
    load, _ = shop
    amounts(load, "a.csv", 0, 50, FIRST)
    amounts(load, "b.csv", n_before, 100, FIRST)
    amounts(load, "c.csv", n_bad, n_rows, SECOND)
    told = [found.in_words for found in drifted(load).retyped]
    line = (
        f"landing/transactions/c.csv: amount is not_a_number in {n_bad} of {n_rows}"
        " rows, and was not in the 2 files before"
    )
    assert told == [line] * is_told


def test_blank_values_are_no_other_values(shop):
    load, _ = shop
    amounts(load, "a.csv", 0, 50, FIRST)
    amounts(load, "c.csv", 50, 50, SECOND, bad="")
    assert drifted(load).retyped == ()
    assert drift(load.con, load.project, None).retyped == ()
