"""Which rows came and which went, whatever happened to their files in between."""

from collections import Counter

import pytest

from ingest import changed_rows
from ingest.changed_rows import Changes, clocked_days
from sql.contracts import feeds

HEADER = "transaction_id,line_no,customer_id,occurred_at,amount,original_transaction_id"
ANN = "T1,1,ann,2026-03-01T10:00:00,10,"
BOB = "T2,1,bob,2026-03-02T10:00:00,20,"
CID = "T3,1,cid,2026-03-03T10:00:00,-5,T2"
SELECT = (
    "select customer_id, occurred_date, transaction_id, original_transaction_id, amount"
    " from raw.transactions as t anti join (from raw.row_status"
    " where feed = 'transactions') as s"
    " on t._file_id = s.file_id and t._line_no = s.line_no"
)


def lines(*rows):
    return "\n".join((HEADER, *rows, ""))


def changed(company):
    """The lines that `find` gathers, each once."""
    found = changed_rows.find(company.con)
    rows = company.rows(
        "select customer_id, row_date, transaction_id, original_transaction_id"
        " from temp.changed_rows where feed = 'transactions'"
    )
    return found, set(rows)


@pytest.fixture
def loaded(company):
    """A company with three lines in two files, whose rows are remembered."""
    company.land("transactions/a.csv", lines(ANN, BOB))
    company.land("transactions/b.csv", lines(CID))
    company.load("transactions", "customers", "exchange_rates")
    changed_rows.remember(company.con)
    return company


def came_and_went(company, before):
    """The lines that count now and did not, or the other way about."""
    now = Counter(company.rows(SELECT))
    return {row[:-1] for row in (now - before) + (before - now)}


def test_nothing_is_told_where_nothing_was_remembered(company):
    company.load("transactions")
    assert changed_rows.find(company.con) is None


def test_nothing_changed(loaded):
    assert changed(loaded) == (Changes(frozenset(), 0), set())


def again_with_bob_changed(company):
    company.land("transactions/a.csv", lines(ANN, BOB.replace("20,", "21,")))


def without_bob(company):
    company.land("transactions/a.csv", lines(ANN))


def of_another_customer(company):
    company.land("transactions/a.csv", lines(ANN, BOB.replace("bob", "dan")))


def another_file(company):
    company.land("transactions/c.csv", lines("T4,1,eve,2026-03-04T10:00:00,40,"))


def superseded_by_a_later_file(company):
    company.land(
        "transactions/c.csv", lines(ANN.replace("ann,2026-03-01", "ann,2026-03-09"))
    )


def in_conflict(company):
    company.land("transactions/c.csv", lines("T1,2,zoe,2026-03-04T10:00:00,40,"))


def moved_behind(company):
    company.land("transactions/c.csv", lines(BOB.replace("20,", "22,")))
    company.load("transactions")
    changed_rows.remember(company.con)
    landing = company.root / "landing/transactions"
    (landing / "c.csv").rename(landing / "0.csv")


@pytest.mark.parametrize(
    "happens",
    [
        again_with_bob_changed,
        without_bob,
        of_another_customer,
        another_file,
        superseded_by_a_later_file,
        in_conflict,
        moved_behind,
    ],
)
def test_every_row_that_came_or_went_is_found(loaded, happens):
    happens(loaded)
    before = Counter(loaded.rows(SELECT))
    loaded.load("transactions")
    found, rows = changed(loaded)
    assert found is not None
    expected = came_and_went(loaded, before)
    assert expected
    # A file that is replaced counts as gone and come, with all of its rows.
    assert expected <= rows
    assert found.feeds == {"transactions"}


def test_rows_that_are_lost_for_good_cannot_be_told(loaded):
    loaded.forget("b.csv")
    assert changed_rows.find(loaded.con) is None


def test_rows_that_another_feed_rejects_are_found(loaded):
    loaded.settings({"currency": "CNY"})
    loaded.land(
        "transactions/d.csv",
        HEADER + ",currency\nT9,1,fay,2026-03-05T10:00:00,9,,USD\n",
    )
    loaded.load("transactions", "exchange_rates")
    changed_rows.remember(loaded.con)
    loaded.land("exchange_rates/r.csv", "currency,rate_date,rate\nUSD,2026-03-01,7\n")
    loaded.load("transactions", "exchange_rates")
    found, rows = changed(loaded)
    assert found is not None
    assert found.feeds == {"transactions", "exchange_rates"}
    assert {customer for customer, *_ in rows} == {"fay"}


def test_the_days_on_which_a_row_says_something_else():
    assert clocked_days(feeds()["transactions"]) == ("occurred_date",)
    assert clocked_days(feeds()["tickets"]) == (
        "opened_date",
        "first_response_date",
        "resolved_date",
    )
    assert clocked_days(feeds()["opportunities"]) == ("created_date", "closed_date")
    assert clocked_days(feeds()["invoices"]) == ("issued_on", "paid_on")
