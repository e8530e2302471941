"""What the views show on the as-of date, 2026-05-31, and in the reporting currency."""

import datetime
from decimal import Decimal

import pytest

from project.errors import ConfigurationError
from sql.contracts import feeds
from tests.staged import create_views

D = Decimal


def test_rows_dated_after_the_as_of_date_have_not_happened(company):
    company.settings({"timezone": "Asia/Shanghai"})
    company.land(
        "transactions/f.csv",
        "transaction_id,occurred_at,amount\n"
        "a,2026-05-31T15:59:59.999Z,1\n"  # the last moment of the day in the zone
        "b,2026-05-31T16:00:00Z,1\n"
        "c,2026-05-31 23:59:59,1\n"
        "d,2026-06-01,1\n",
    )
    company.load("transactions")
    rows = "select transaction_id, occurred_date::text from staging.transactions"
    assert company.rows(f"{rows} order by 1") == [
        ("a", "2026-05-31"),
        ("c", "2026-05-31"),
    ]
    create_views(company.con, company.project, datetime.date(2026, 6, 1))
    assert len(company.rows(rows)) == 4


def test_dates_that_are_facts_read_as_null_before_they_come(company):
    company.land(
        "invoices/f.csv",
        "invoice_id,customer_id,issued_on,due_on,paid_on,amount\n"
        "a,C,2026-05-01,2026-06-30,2026-05-31,1\n"
        "b,C,2026-05-01,2026-06-30,2026-06-01,1\n",
    )
    company.load("invoices")
    assert company.rows(
        "select invoice_id, due_on::text, paid_on::text from staging.invoices"
        " order by 1"
    ) == [("a", "2026-06-30", "2026-05-31"), ("b", "2026-06-30", None)]


def test_an_opportunity_closed_later_is_still_open(company):
    company.land(
        "opportunities/f.csv",
        "opportunity_id,customer_id,stage,created_at,closed_at\n"
        "a,C,won,2026-05-01,2026-05-31 23:59\n"
        "b,C,Lost,2026-05-01,2026-06-01\n"
        "c,C,won,,\n"
        "d,C,open,2026-06-01,\n",
    )
    company.load("opportunities")
    assert company.rows(
        "select opportunity_id, stage, closed_date::text, created_date::text"
        " from staging.opportunities order by 1"
    ) == [
        ("a", "won", "2026-05-31", "2026-05-01"),
        ("b", "open", None, "2026-05-01"),
        ("c", "won", None, None),
    ]


def test_the_earliest_of_several_dates_dates_a_row(company):
    company.land(
        "customers/f.csv",
        "customer_id,registered_at,first_contact_at\n"
        "a,2026-06-02,2026-05-31\n"
        "b,2026-06-02,2026-06-01\n"
        "c,,2026-06-01\n"
        "d,2026-05-31,\n"
        "e,,\n",
    )
    company.load("customers")
    assert company.rows(
        "select customer_id, registered_date::text, registered_at is null,"
        " first_contact_date::text from staging.customers order by 1"
    ) == [
        ("a", None, True, "2026-05-31"),
        ("d", "2026-05-31", False, None),
        ("e", None, True, None),
    ]


def test_defaults_are_filled_in(company):
    company.land(
        "transactions/f.csv",
        "transaction_id,occurred_at,amount,status\na,2026-01-01,1,\nb,2026-01-01,1,Test\n",
    )
    company.load("transactions")
    assert company.rows(
        "select transaction_id, status, kind from staging.transactions order by 1"
    ) == [("a", "paid", None), ("b", "test", None)]


def test_every_feed_has_a_view_present_or_not(company):
    company.load()
    views = company.column(
        "select view_name from duckdb_views() where schema_name = 'staging'"
    )
    assert len(views) == len(feeds())
    for view in views:
        assert company.rows(f'from staging."{view}"') == []


SALES = "transaction_id,occurred_at,amount,currency,unit_price\n"
RATES = "currency,rate_date,rate\n"


def amounts(company):
    return dict(
        company.rows(
            "select transaction_id, amount from staging.transactions order by 1"
        )
    )


def test_amounts_are_converted_by_the_latest_rate_at_the_rows_date(company):
    company.settings({"currency": "CNY"})
    company.land(
        "exchange_rates/f.csv",
        RATES + "usd,2026-01-01,7\nUSD,2026-02-01,7.25\nEUR,2026-01-01,0.00000001\n"
        # Known only after the as-of date, but of a day before it: it is known.
        "USD,2026-06-02,9\n",
    )
    company.land(
        "transactions/f.csv",
        SALES
        + "a,2025-12-31,10,USD,1\n"  # the day before the first rate
        + "b,2026-01-01,10,usd,1.0001\n"
        + "c,2026-01-31 23:59,10, Usd ,\n"
        + "d,2026-02-01,10.02,USD,1\n"  # 72.645 rounds away from zero
        + "e,2026-05-31,-10.02,USD,1\n"
        + "f,2026-05-31,10,CNY,1\n"
        + "g,2026-05-31,10,,1\n"
        + "h,2026-05-31,10,GBP,1\n"
        + "i,2026-06-02,10,USD,1\n"
        + "j,2026-03-01,500000,EUR,1\n",  # 0.005
    )
    company.load("exchange_rates", "transactions")
    assert amounts(company) == {
        "b": D("70.00"),
        "c": D("70.00"),
        "d": D("72.65"),
        "e": D("-72.65"),
        "f": D("10.00"),
        "g": D("10.00"),
        "j": D("0.01"),
    }
    assert company.rows(
        "select unit_price, currency from staging.transactions"
        " where transaction_id = 'b'"
    ) == [(D("7.0007"), "CNY")]
    assert company.rejected() == [
        (1, "currency", "no_exchange_rate"),
        (8, "currency", "no_exchange_rate"),
    ]
    create_views(company.con, company.project, datetime.date(2026, 6, 2))
    assert amounts(company)["i"] == D("90.00")


def test_a_rate_that_comes_later_brings_its_rows_back(company):
    company.settings({"currency": "CNY"})
    company.land("transactions/f.csv", SALES + "a,2026-01-01,10,USD,1\n")
    company.load("transactions", "exchange_rates")
    assert amounts(company) == {}
    assert company.rejected() == [(1, "currency", "no_exchange_rate")]
    company.land("exchange_rates/r.csv", RATES + "USD,2026-01-01,7\n")
    company.load("transactions", "exchange_rates")
    assert amounts(company) == {"a": D("70.00")}
    assert company.rejected() == []
    company.land("exchange_rates/r.csv", RATES + "USD,2026-01-02,7\n")
    company.load("transactions", "exchange_rates")
    assert amounts(company) == {}


def test_a_corrected_rate_counts(company):
    company.settings({"currency": "CNY"})
    company.land("transactions/f.csv", SALES + "a,2026-01-05,10,USD,1\n")
    company.land("exchange_rates/a.csv", RATES + "USD,2026-01-01,7\n")
    company.land("exchange_rates/b.csv", RATES + "USD,2026-01-01,8\n")
    company.load("transactions", "exchange_rates")
    assert amounts(company) == {"a": D("80.00")}


@pytest.mark.parametrize(
    ("amount", "rejected"),
    [
        ("1428571428571.42", []),  # 7 × it = 9,999,999,999,999.94
        ("1428571428571.43", [(1, "amount", "out_of_range")]),
        ("-1428571428571.43", [(1, "amount", "out_of_range")]),
        ("9999999999999.99", [(1, "amount", "out_of_range")]),
    ],
)
def test_an_amount_that_outgrows_its_column_is_rejected(company, amount, rejected):
    company.settings({"currency": "CNY"})
    company.land("exchange_rates/r.csv", RATES + "USD,2026-01-01,7\n")
    company.land("transactions/f.csv", SALES + f"a,2026-01-05,{amount},USD,1\n")
    company.load("transactions", "exchange_rates")
    assert company.rejected() == rejected


def test_without_a_setting_one_currency_is_the_reporting_currency(company):
    company.land(
        "transactions/f.csv", SALES + "a,2026-01-05,10,USD,1\nb,2026-01-05,1,,\n"
    )
    company.load("transactions")
    assert amounts(company) == {"a": D("10.00"), "b": D("1.00")}


def test_without_a_setting_two_currencies_are_an_error(company):
    company.land("transactions/f.csv", SALES + "a,2026-01-05,10,USD,1\n")
    company.land(
        "balances/f.csv",
        "customer_id,account_id,balance_date,balance_amount,currency\n"
        "C,A,2026-01-01,1,EUR\n",
    )
    with pytest.raises(ConfigurationError, match=r"fenji.yaml: currency: .* EUR, USD"):
        company.load("transactions", "balances")


def test_balances_are_converted_too(company):
    company.settings({"currency": "CNY"})
    company.land("exchange_rates/r.csv", RATES + "USD,2026-01-01,7\n")
    company.land(
        "balances/f.csv",
        "customer_id,account_id,balance_date,balance_amount,currency\n"
        "C,A,2026-01-01,1,USD\nC,A,2026-01-02,1,cny\n",
    )
    company.load("exchange_rates", "balances")
    found = company.column("select balance_amount from staging.balances order by 1")
    assert found == [D("1.00"), D("7.00")]
