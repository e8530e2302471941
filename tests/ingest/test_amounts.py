"""Transactions of which nobody knows what they were worth: `amount: none`."""

import pytest

from ingest.landing import find_files
from ingest.raw_tables import feed_columns, usable_columns
from project.errors import ConfigurationError

WITHOUT = {"feeds": {"transactions": {"amount": "none"}}}
VISITS = "transaction_id,customer_id,occurred_at,kind\n"
SEEN = "select transaction_id, amount from staging.transactions order by all"


def test_lines_load_without_an_amount(company):
    company.settings(WITHOUT)
    company.land("transactions/a.csv", VISITS + "V1,C1,2026-05-01,\nV2,,2026-05-02,\n")
    company.load("transactions")
    assert company.rows(SEEN) == [("V1", None), ("V2", None)]
    assert company.books() == {"a.csv": ("loaded", 2, 2, 0, 0)}


def test_a_file_without_amounts_is_refused_else(company):
    company.land("transactions/a.csv", VISITS + "V1,C1,2026-05-01,\n")
    company.load("transactions")
    assert company.reason("a.csv").startswith("no column for amount")


def test_a_column_of_that_name_is_left_alone_whatever_it_holds(company):
    company.settings(WITHOUT)
    head = "transaction_id,customer_id,occurred_at,amount\n"
    company.land("transactions/a.csv", head + "V1,C1,2026-05-01,ten or so\n")
    company.load("transactions")
    assert company.rows(SEEN) == [("V1", None)]


def test_files_that_no_mapping_takes_have_none_either(company):
    mapping = {"files": "tills/*.csv", "amount": "none"}
    company.settings({"feeds": {"transactions": [mapping]}})
    company.land("transactions/other.csv", VISITS + "V1,C1,2026-05-01,\n")
    company.load("transactions")
    assert company.rows(SEEN) == [("V1", None)]


def test_figures_of_some_files_are_none_of_all(company):
    head = "transaction_id,customer_id,occurred_at,amount\n"
    company.land("transactions/a.csv", head + "T1,C1,2026-05-01,10\n")
    company.load("transactions")
    assert "amount" in usable_columns(company.con)["transactions"]
    (company.root / "landing/transactions/a.csv").unlink()
    company.settings(WITHOUT)
    company.land("transactions/b.csv", VISITS + "V1,C1,2026-05-01,\n")
    company.load("transactions")
    # The rows of a file that is gone are kept, with their amounts.
    assert "amount" in feed_columns(company.con)["transactions"]
    assert usable_columns(company.con)["transactions"] == {
        "transaction_id",
        "customer_id",
        "occurred_at",
        "kind",
    }


@pytest.mark.parametrize(
    ("feeds", "field", "why"),
    [
        ({"bills": {"amount": "none"}}, "feeds.bills.amount", "transactions alone"),
        (
            {"transactions": [{"files": "a*", "amount": "none"}, {"files": "b*"}]},
            "feeds.transactions.amount",
            "another mapping of the feed has it",
        ),
        (
            {"transactions": {"amount": "none", "columns": {"amount": "total"}}},
            "feeds.transactions.columns.amount",
            "says that there is none",
        ),
        (
            {"transactions": {"amount": "none", "constants": {"amount": 1}}},
            "feeds.transactions.constants.amount",
            "says that there is none",
        ),
    ],
)
def test_what_contradicts_it_is_refused(company, feeds, field, why):
    company.settings({"feeds": feeds})
    with pytest.raises(ConfigurationError) as refused:
        find_files(company.project)
    assert field in str(refused.value)
    assert why in str(refused.value)
