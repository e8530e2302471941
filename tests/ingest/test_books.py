"""The books tell what became of every file, and what came since the last release."""

import datetime

import pytest

from ingest.books import FeedBooks, new_since, read_books, recent_days

HEAD = "transaction_id,customer_id,occurred_at,amount\n"


@pytest.fixture
def twice(company):
    """A company that was loaded on one day, and again on the next."""
    company.land("transactions/a.csv", f"{HEAD}1,A,2026-05-01,1\n2,A,then,2\n")
    company.land("customers/a.csv", "customer_id\nA\n")
    company.load()
    company.clock += datetime.timedelta(days=1)
    company.land("transactions/b.csv", f"{HEAD}1,A,2026-05-01,1\n3,A,now,x\n")
    company.land("transactions/c.csv", "no\nheader\n")
    company.load()
    return company


def test_the_books_hold_all_files_by_feed(twice):
    books = read_books(twice.con, twice.project)
    assert books.feeds == (
        FeedBooks("customers", 1, 0, 1, 1, 0, 0, 0),
        FeedBooks("transactions", 3, 1, 4, 1, 1, 2, 0),
    )
    (refused,) = books.of_kind("refused")
    assert refused.file == "c.csv"
    assert [problem.file for problem in books.of_kind("rejected", "transactions")] == [
        "a.csv"
    ]
    assert books.of_kind("rejected", "customers") == ()
    assert books.vanished == ()


def test_what_came_from_a_time_on_is_counted_however_often_it_was_looked_at(twice):
    new = {"transactions": FeedBooks("transactions", 2, 1, 2, 0, 1, 1, 0)}
    assert new_since(twice.con, twice.clock) == new
    since, twice.clock = twice.clock, twice.clock + datetime.timedelta(days=1)
    twice.load()  # a run that was stopped is repeated: nothing is read
    assert new_since(twice.con, since) == new
    assert new_since(twice.con, twice.clock) == {}
    everything = read_books(twice.con, twice.project).feeds
    assert new_since(twice.con, None) == {
        books_of_feed.feed: books_of_feed for books_of_feed in everything
    }


def test_a_corrected_file_counts_as_it_is_now(twice):
    since, twice.clock = twice.clock, twice.clock + datetime.timedelta(days=1)
    twice.land("transactions/b.csv", f"{HEAD}4,A,2026-05-02,1\n")
    twice.land("transactions/c.csv", f"{HEAD}5,A,2026-05-02,1\n")
    twice.load()
    assert new_since(twice.con, since) == {
        "transactions": FeedBooks("transactions", 2, 0, 2, 2, 0, 0, 0)
    }


def test_a_file_that_left_its_folder_has_vanished(twice):
    (twice.root / "landing/transactions/a.csv").unlink()
    books = read_books(twice.con, twice.project)
    assert books.vanished == (("transactions", "a.csv"),)
    assert read_books(twice.con, twice.project, in_folder=False).vanished == ()


def test_files_whose_names_are_masked_are_where_they_are(company):
    name = "orders_of_13812345678.csv"
    company.land(f"transactions/{name}", f"{HEAD}1,A,2026-05-01,1\n2,A,then,2\n")
    company.load()
    books = read_books(company.con, company.project)
    assert books.vanished == ()
    assert new_since(company.con, company.clock)["transactions"].n_rejected == 1
    (company.root / "landing/transactions" / name).unlink()
    ((feed, shown),) = read_books(company.con, company.project).vanished
    assert feed == "transactions"
    assert shown.startswith("orders_of_")
    assert "13812345678" not in shown


def test_the_days_of_a_feed_are_those_of_rows_that_count_up_to_the_as_of_date(company):
    rows = [
        ("1", "2026-05-01T23:30:00"),
        ("2", "2026-05-28T23:59:59"),
        ("3", "2026-05-29T00:00:00"),
        ("4", "2026-05-29T10:00:00"),
        ("5", "2026-06-01T00:00:00"),  # after the as-of date
        ("6", "2026-04-30T00:00:00"),  # 29 days before the newest
    ]
    lines = "".join(f"{key},A,{at},1\n" for key, at in rows)
    company.land("transactions/a.csv", HEAD + lines)
    company.land("transactions/b.csv", HEAD + lines)  # nothing but duplicates
    company.land("customers/a.csv", "customer_id,registered_at\nA,2026-05-03\nB,\n")
    company.settings({"timezone": "Asia/Shanghai"})
    company.load()
    as_of = datetime.date(2026, 5, 31)
    may = datetime.date(2026, 5, 1)
    assert recent_days(company.con, "transactions", as_of) == [
        (may, 1),
        (may.replace(day=28), 1),
        (may.replace(day=29), 2),
    ]
    assert recent_days(company.con, "customers", as_of) == [(may.replace(day=3), 1)]
    assert recent_days(company.con, "tickets", as_of) == []
