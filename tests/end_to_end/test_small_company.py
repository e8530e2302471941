"""A company small enough to grade by hand: every expected value is worked here.

The as-of date is 2026-05-31 and the zone Asia/Shanghai, so twelve months are
2025-06-01 to 2026-05-31, both included, and the points' year began on 2026-01-01.
"""

import csv
import json
import random
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import StringIO

import duckdb
import pytest

EARLY, AS_OF = "2026-02-09", "2026-05-31"

SETTINGS = """\
name: small
timezone: Asia/Shanghai
currency: CNY
privacy: {publish: [region]}
# Three of nine files are no text, no workbook and no feed on purpose.
gates: {refused: 50%}
"""

TRANSACTIONS = [
    "transaction_id",
    "customer_id",
    "occurred_at",
    "amount",
    "kind",
    "status",
    "original_transaction_id",
]


def row(transaction, customer, occurred_at, amount, *, kind="", status="", original=""):
    values = (transaction, customer, occurred_at, amount, kind, status, original)
    return dict(zip(TRANSACTIONS, values, strict=True))


SALES_2025 = [
    # 2025-05-31 is the day before the twelve months; Shanghai is 8 hours ahead of UTC.
    row("t01", "00042", "2025-05-31T23:59:59", "100.00"),
    row("t02", "00042", "2025-06-01T00:00:00", "200.00"),
    row("t03", "00042", "2025-05-31T16:00:00Z", "300.00"),
    row("t04", "00042", "2025-05-31T15:59:59Z", "400.00"),
    # Its refund comes in the next year, after the points were cleared.
    row("t12", "linked_part", "2025-12-20T10:00:00", "100.00"),
    row("t27", "at_b", "2025-12-31T23:59:59", "5000.00"),
]
SALES_2026 = [
    # The last second of the as-of date has happened, the next has not.
    row("t05", "00042", "2026-05-31T23:59:59", "50.00"),
    row("t06", "00042", "2026-06-01T00:00:00", "999.00"),
    row("t07", "future", "2026-06-01T00:00:00", "999.00"),
    # A linked refund takes the order to zero: no order, no spend, no points.
    row("t10", "linked_zero", "2026-01-10T10:00:00", "100.00"),
    row("t11", "linked_zero", "2026-02-10T10:00:00", "-100.00", original="t10"),
    # floor(100.00) = 100 becomes floor(69.50) = 69: 31 points go on 15 January.
    row("t13", "linked_part", "2026-01-15T10:00:00", "-30.50", original="t12"),
    # A refund line in the sale's own transaction is linked to it; t15 comes to zero.
    row("t14", "own_refund", "2026-03-01T10:00:00", "100.00"),
    row("t14", "own_refund", "2026-03-01T10:00:00", "-30.50"),
    row("t15", "own_refund", "2026-03-02T10:00:00", "50.00"),
    row("t15", "own_refund", "2026-03-02T10:00:00", "-50.00"),
    # Adjustments keep their sign in spend; without a sale line there is no order.
    row("t16", "adjusted", "2026-04-01T10:00:00", "80.00", kind="sale"),
    row("t16", "adjusted", "2026-04-01T10:00:00", "-10.00", kind="adjustment"),
    row("t16", "adjusted", "2026-04-01T10:00:00", "5.00", kind="adjustment"),
    row("t17", "adjusted", "2026-05-01T10:00:00", "20.00", kind="adjustment"),
    # Only what is paid counts anywhere.
    row("t18", "unpaid", "2026-04-02T10:00:00", "500.00", status="pending"),
    row("t19", "unpaid", "2026-04-02T10:00:00", "500.00", status="test"),
    row("t20", "unpaid", "2026-04-02T10:00:00", "500.00", status="cancelled"),
    # Registered later than this purchase: known from it on.
    row("t21", "early_buyer", "2026-05-01T10:00:00", "10.00"),
    # A refund of nothing known lowers spend and points and leaves the order alone;
    # its sign may be left out where the kind says refund.
    row("t22", "unlinked", "2026-02-01T10:00:00", "1000.00", status=" PAID "),
    row("t23", "unlinked", "2026-02-02T10:00:00", "30.50", kind="Refund"),
    # 999.50 and 0.50 are 999 points: the points of each order are floored.
    row("t24", "below_b", "2026-02-03T10:00:00", "999.50"),
    row("t25", "below_b", "2026-02-04T10:00:00", "0.50"),
    row("t26", "at_b", "2026-02-03T10:00:00", "1000.00"),
    row("t28", "below_c", "2026-03-10T10:00:00", "2999.99"),
    row("t29", "at_c", "2026-03-10T10:00:00", "3000.00"),
    row("t30", "below_d", "2026-03-10T10:00:00", "4999.99"),
    # The first second of the points' year.
    row("t31", "at_d", "2026-01-01T00:00:00", "5000.00"),
    row("t32", "biggest", "2026-04-24T10:00:00", "17211.52"),
    # Two equal lines of one transaction in one file are two lines.
    row("t40", "twice", "2026-05-10T10:00:00", "10.00"),
    row("t40", "twice", "2026-05-10T10:00:00", "10.00"),
    # Nobody's: loaded, and in no customer's figures.
    row("t60", "", "2026-05-01T10:00:00", "77.00"),
]
# The next day's file repeats the evening before.
REDELIVERED = [
    row("t40", "twice", "2026-05-10T10:00:00", "10.00"),
    row("t40", "twice", "2026-05-10T10:00:00", "10.00"),
    row("t41", "twice", "2026-05-11T10:00:00", "5.00"),
]
TWO_CUSTOMERS = [
    row("t50", "below_b", "2026-05-01T10:00:00", "100.00"),
    row("t50", "ghost", "2026-05-01T10:00:00", "100.00"),
]
BAD = [
    row("b1", "ghost", "2026-05-01T10:00:00", "abc"),
    row("b2", "", "2026-05-01T10:00:00", "77.00"),
    row("b3", "ghost", "2026-13-01T10:00:00", "5.00"),
    row("", "ghost", "2026-05-01T10:00:00", "5.00"),
    row("b5", "ghost", "2026-05-01T10:00:00", "5.00", status="payed"),
    row("b6", "ghost", "2026-05-01T10:00:00", ""),
]
CUSTOMERS = """\
customer_id,registered_at,region
00042,2020-01-01,North
early_buyer,2026-06-15,North
registered_after,2026-06-01,North
undated,,South
"""
# One row as it was, one with other content: the later file's row counts.
CUSTOMERS_AGAIN = """\
customer_id,registered_at,region
00042,2020-01-01,North
undated,,East
"""
BALANCES = """\
account_id,customer_id,balance_date,asset_class,balance_amount
a1,00042,2025-01-01, Wealth,200000.00
a2,at_b,2025-06-01,wealth,1000000.00
a3,at_d,2025-06-02,deposit,100000.00
a4,linked_part,2025-01-01,deposit,299999.99
a5,unlinked,2025-01-01,deposit,300000.00
a6,below_b,2025-01-01,,600000.00
a6,below_b,2026-01-01,,0.00
"""
OPPORTUNITIES = """\
opportunity_id,customer_id,stage,need_level,expected_close_date,created_at,closed_at
overdue,00042,open,clear,2026-05-30,2026-03-01,
today,00042,open,clear,2026-05-31,2026-03-01,
in_1_month,00042,open,clear,2026-06-30,2026-03-01,
over_1_month,00042,open,clear,2026-07-01,2026-03-01,
in_3_months,00042,open,clear,2026-08-31,2026-03-01,
over_3_months,00042,open,clear,2026-09-01,2026-03-01,
in_6_months,00042,open,clear,2026-11-30,2026-03-01,
over_6_months,00042,open,clear,2026-12-01,2026-03-01,
no_date,00042,open,clear,,2026-03-01,
potential,00042,open,potential,2026-06-30,2026-03-01,
no_need,00042,open,none,2026-06-30,2026-03-01,
unknown_need,00042,open,,2026-06-30,2026-03-01,
lost,00042,lost,clear,2026-06-30,2026-03-01,2026-05-01
won,00042,won,clear,2026-06-30,2026-03-01,2026-05-31
won_later,00042,won,clear,2026-06-30,2026-03-01,2026-06-01
created_later,00042,open,clear,2026-06-30,2026-06-01,
"""


def amount(text):
    return Decimal(text)


def day(text):
    return date.fromisoformat(text)


# n_orders, n_orders_12m, spend, spend_12m, first and last order, recency_days
METRICS = {
    # All time 100 + 200 + 300 + 400 + 50; in twelve months 200 + 300 + 50.
    "00042": (5, 3, "1050.00", "550.00", "2025-05-31", "2026-05-31", 0),
    # 11 days of December + 31 + 28 + 31 + 30 + 31.
    "linked_part": (1, 1, "69.50", "69.50", "2025-12-20", "2025-12-20", 162),
    "linked_zero": (0, 0, "0.00", "0.00", None, None, None),
    # 30 days of March + 30 + 31.
    "own_refund": (1, 1, "69.50", "69.50", "2026-03-01", "2026-03-01", 91),
    # 80 - 10 + 5 + 20; 29 days of April + 31.
    "adjusted": (1, 1, "95.00", "95.00", "2026-04-01", "2026-04-01", 60),
    "unpaid": (0, 0, "0.00", "0.00", None, None, None),
    "early_buyer": (1, 1, "10.00", "10.00", "2026-05-01", "2026-05-01", 30),
    "undated": (0, 0, "0.00", "0.00", None, None, None),
    # 1000 - 30.50; 27 days of February + 31 + 30 + 31.
    "unlinked": (1, 1, "969.50", "969.50", "2026-02-01", "2026-02-01", 119),
    "below_b": (2, 2, "1000.00", "1000.00", "2026-02-03", "2026-02-04", 116),
    "at_b": (2, 2, "6000.00", "6000.00", "2025-12-31", "2026-02-03", 117),
    # 21 days of March + 30 + 31.
    "below_c": (1, 1, "2999.99", "2999.99", "2026-03-10", "2026-03-10", 82),
    "at_c": (1, 1, "3000.00", "3000.00", "2026-03-10", "2026-03-10", 82),
    "below_d": (1, 1, "4999.99", "4999.99", "2026-03-10", "2026-03-10", 82),
    # 30 days of January + 28 + 31 + 30 + 31.
    "at_d": (1, 1, "5000.00", "5000.00", "2026-01-01", "2026-01-01", 150),
    "biggest": (1, 1, "17211.52", "17211.52", "2026-04-24", "2026-04-24", 37),
    # 10 + 10 + 5: the lines that came twice count once.
    "twice": (2, 2, "25.00", "25.00", "2026-05-10", "2026-05-11", 20),
}

# Fourteen customers have an order in the twelve months.
#   recency   0 20 30 37 60 82 82 82 91 116 117 119 150 162, sum 1148, mean 82
#   frequency 1 ten times, 2 three times, 3 once, sum 19, mean 19/14 = 1.36
#   monetary  10 25 69.50 69.50 95 550 969.50 1000 2999.99 3000 4999.99 5000 6000
#             17211.52, sum 42000, mean 3000
# So the mean of two axes is somebody's value, and that one is on the good side.
# P20, P40, P60 and P80 are the 3rd, 6th, 9th and 12th value (2.8, 5.6, 8.4, 11.2).
RFM_CUTS = {
    "recency": ("mean", 82, 30, 82, 91, 119),
    "monetary": ("mean", 3000, "69.50", "550.00", "2999.99", "5000.00"),
}
FREQUENCY_EDGES = (1, 1, 1, 2)
# Scores R F M, then whether recent, frequent, big spender, then the segment.
RFM = {
    "00042": (5, 5, 2, True, True, False, "general_value"),
    "linked_part": (1, 1, 1, False, False, False, "general_retain"),
    "own_refund": (3, 1, 1, False, False, False, "general_retain"),
    "adjusted": (4, 1, 2, True, False, False, "general_develop"),
    "early_buyer": (5, 1, 1, True, False, False, "general_develop"),
    "unlinked": (2, 1, 3, False, False, False, "general_retain"),
    "below_b": (2, 4, 3, False, True, False, "general_keep"),
    "at_b": (2, 4, 5, False, True, True, "important_keep"),
    "below_c": (4, 1, 3, True, False, False, "general_develop"),
    "at_c": (4, 1, 4, True, False, True, "important_develop"),
    "below_d": (4, 1, 4, True, False, True, "important_develop"),
    "at_d": (1, 1, 4, False, False, True, "important_retain"),
    "biggest": (4, 1, 5, True, False, True, "important_develop"),
    "twice": (5, 4, 1, True, True, False, "general_value"),
}

# Points of 2026. Adjustments in an order's points: see `test_annual_points`.
POINTS = {
    "00042": ("A", 50),
    "linked_part": ("A", -31),
    "linked_zero": ("A", 0),
    "own_refund": ("A", 69),
    "unpaid": ("A", 0),
    "early_buyer": ("A", 10),
    "undated": ("A", 0),
    "unlinked": ("A", 970),
    "below_b": ("A", 999),
    "at_b": ("B", 1000),
    "below_c": ("B", 2999),
    "at_c": ("C", 3000),
    "below_d": ("C", 4999),
    "at_d": ("D", 5000),
    "biggest": ("D", 17211),
    "twice": ("A", 25),
}

SEVERAL_ORDERS = ["00042", "below_b", "at_b", "twice"]
NO_ORDER = ["linked_zero", "unpaid", "undated"]
ONE_ORDER = METRICS.keys() - {*SEVERAL_ORDERS, *NO_ORDER}

TIERS = {
    # 1 %, 5 % and 20 % of fourteen are 0.14, 0.7 and 2.8: one, one and three customers.
    "value_pyramid": {
        **dict.fromkeys(RFM, "lead"),
        **dict.fromkeys(["at_b", "at_d"], "iron"),
        "biggest": "platinum",
    },
    # The one in the top 1 % is super with a single order.
    "ecommerce_ladder": {
        **dict.fromkeys(SEVERAL_ORDERS, "repeat"),
        **dict.fromkeys(ONE_ORDER, "first_purchase"),
        **dict.fromkeys(NO_ORDER, "new"),
        "biggest": "super",
    },
    "relationship_stage": {
        **dict.fromkeys(SEVERAL_ORDERS, "existing"),
        **dict.fromkeys(ONE_ORDER, "new"),
        **dict.fromkeys(NO_ORDER, "potential"),
    },
    # 20 % and 60 % of fourteen are 2.8 and 8.4: three and nine customers.
    "spend_band": {
        **dict.fromkeys(METRICS, "low"),
        **dict.fromkeys(["biggest", "at_b", "at_d"], "high"),
        **dict.fromkeys(["below_d", "at_c", "below_c"], "mid"),
        **dict.fromkeys(["below_b", "unlinked", "00042"], "mid"),
    },
}

# The 365 days are 2025-06-01 to 2026-05-31.
BANK_TIERS = {
    "00042": "gold",  # 200,000 in wealth products count half: 100,000
    "at_b": "black_gold",  # 500,000 from the first of the 365 days on
    "at_d": "ordinary",  # 100,000 on 364 of 365 days
    "linked_part": "gold",  # 299,999.99
    "unlinked": "platinum",  # 300,000
    "below_b": "platinum",  # 600,000 × 214 / 365 = 351,780.82
}

# grade, months_to_close, is_overdue; 31 May + k months clamps to the month's end.
GRADES = {
    "overdue": ("A", 0, True),
    "today": ("A", 0, False),
    "in_1_month": ("A", 1, False),
    "over_1_month": ("B", 1, False),
    "in_3_months": ("B", 3, False),
    "over_3_months": ("C", 3, False),
    "in_6_months": ("C", 6, False),
    "over_6_months": ("D", 6, False),
    "no_date": ("D", None, False),
    "potential": ("D", 1, False),
    "won_later": ("A", 1, False),
}
GRADES_WITHOUT_A_CLOSE = {
    "no_need": "E",
    "unknown_need": "unrated",
    "lost": "E",
    "won": "unrated",
}


def land_facts(company, sales=(("2025.csv", SALES_2025), ("2026.csv", SALES_2026))):
    """The files without any mess in them."""
    for file, rows in (*sales, ("redelivered.csv", REDELIVERED[2:])):
        company.land_rows(f"transactions/{file}", TRANSACTIONS, rows)
    company.land("customers/customers.csv", CUSTOMERS.replace("South", "East"))
    company.land("balances/balances.csv", BALANCES)
    company.land("opportunities/opportunities.csv", OPPORTUNITIES)


def land_all(company):
    """The same facts with repetitions, wrong rows and unusable files among them."""
    land_facts(company)
    company.land("customers/customers.csv", CUSTOMERS)
    company.land("customers/customers_again.csv", CUSTOMERS_AGAIN)
    company.land_rows("transactions/redelivered.csv", TRANSACTIONS, REDELIVERED)
    company.land_rows("transactions/two_customers.csv", TRANSACTIONS, TWO_CUSTOMERS)
    company.land_rows("transactions/bad.csv", TRANSACTIONS, BAD)
    company.land("transactions/empty.csv", "")
    company.land("transactions/picture.csv", b"\x89PNG\r\n\x1a\n\x00\xff\xfe" * 40)
    company.land("transactions/broken.xlsx", b"this is no workbook")
    company.land("transactions/strange.csv", "colour,weight\nred,5\n")


@dataclass(frozen=True)
class Story:
    """What happened to the company, told once for all tests of this module."""

    company: object
    held_release: list
    early: dict
    again: object
    untouched: bool


def files_below(folder):
    return {
        path: path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


@pytest.fixture(scope="module")
def story(companies):
    """A run in February, one in May beside a reader of February's, one for nothing."""
    company = companies.new("small")
    company.settings(SETTINGS)
    land_all(company)
    company.run(EARLY).expect(0)
    with company.release() as held:
        early = held.by_key(
            "select customer_id, n_orders, spend_amount, tier, score"
            " from customer_metrics join customer_tiers using (customer_id)"
            " where scheme = 'annual_points'"
        )
        company.run(AS_OF).expect(0)
        held_release = held.rows("select distinct as_of_date from customer_metrics")
    before = files_below(company.root / "data" / "releases")
    again = company.call("run", "--as-of", AS_OF)
    untouched = files_below(company.root / "data" / "releases") == before
    return Story(company, held_release, early, again, untouched)


@pytest.fixture
def release(story, open_release):
    return open_release(story.company.current / "fenji.duckdb")


def test_only_customers_that_exist_on_the_date_are_there(release):
    # Not there: registered after the date, a purchase after it, rejected rows only.
    found = {
        customer for (customer,) in release.rows("select customer_id from customers")
    }
    assert found == METRICS.keys()


def test_metrics(release):
    found = release.by_key(
        "select customer_id, n_orders, n_orders_12m, spend_amount, spend_12m_amount,"
        " first_order_date, last_order_date, recency_days from customer_metrics"
    )
    expected = {
        customer: (
            n_orders,
            n_orders_12m,
            amount(spend),
            amount(spend_12m),
            first and day(first),
            last and day(last),
            recency,
        )
        for customer, (
            n_orders,
            n_orders_12m,
            spend,
            spend_12m,
            first,
            last,
            recency,
        ) in METRICS.items()
    }
    assert found == expected


def test_rfm(release):
    found = release.by_key(
        "select customer_id, r_score, f_score, m_score, is_recent, is_frequent,"
        " is_big_spender, segment from customer_rfm"
    )
    assert found == RFM
    values = release.by_key(
        "select customer_id, recency_days, frequency, monetary_amount from customer_rfm"
    )
    assert values == {
        customer: (
            METRICS[customer][6],
            METRICS[customer][1],
            amount(METRICS[customer][3]),
        )
        for customer in RFM
    }


def test_rfm_cuts(release):
    found = release.by_key(
        "select axis, method, cut_value, edge_1, edge_2, edge_3, edge_4 from rfm_cuts"
    )
    for axis, (method, *numbers) in RFM_CUTS.items():
        assert found[axis][0] == method
        assert list(found[axis][1:]) == [amount(number) for number in numbers]
    method, cut, *edges = found["frequency"]
    assert method == "mean"
    assert abs(float(cut) - 19 / 14) < 0.01
    assert tuple(edges) == FREQUENCY_EDGES


def test_rfm_8_rates_only_customers_with_an_order(release):
    found = release.by_key(
        "select customer_id, tier, tier_rank is null, reason_code"
        " from customer_tiers where scheme = 'rfm_8'"
    )
    assert {customer: tier for customer, (tier, _, _) in found.items()} == {
        customer: RFM[customer][-1] if customer in RFM else "unrated"
        for customer in METRICS
    }
    for customer in METRICS.keys() - RFM.keys():
        assert found[customer] == ("unrated", True, "no_orders")


def test_annual_points(release):
    found = release.by_key(
        "select customer_id, tier, score from customer_tiers"
        " where scheme = 'annual_points'"
    )
    assert found.keys() == METRICS.keys()
    # The domain does not say whether an adjustment changes an order's points.
    assert found.pop("adjusted")[0] == "A"
    assert found == POINTS


def test_claw_back_after_the_points_were_cleared_leaves_a_debt(release):
    found = release.one(
        "select points_earned, points_redeemed, points_balance"
        " from points_ledger where customer_id = 'linked_part'"
    )
    assert found == (-31, 0, -31)


@pytest.mark.parametrize("scheme", TIERS)
def test_tiers(release, scheme):
    found = release.by_key(
        "select customer_id, tier from customer_tiers where scheme = ?", scheme
    )
    assert found == TIERS[scheme]


def test_bank_tiers(release):
    found = release.by_key(
        "select customer_id, tier from customer_tiers"
        " where scheme = 'bank_aum' and tier <> 'unrated'"
    )
    assert {customer: found[customer] for customer in BANK_TIERS} == BANK_TIERS


def test_opportunity_grades(release):
    found = release.by_key(
        "select opportunity_id, grade, months_to_close, is_overdue"
        " from opportunity_grades"
    )
    assert found.keys() == GRADES.keys() | GRADES_WITHOUT_A_CLOSE.keys()
    assert {opportunity: found[opportunity] for opportunity in GRADES} == GRADES
    assert {
        opportunity: found[opportunity][0] for opportunity in GRADES_WITHOUT_A_CLOSE
    } == GRADES_WITHOUT_A_CLOSE
    reasons = release.by_key(
        "select opportunity_id, reason_code from opportunity_grades"
    )
    assert reasons["no_date"] == "no_close_date"
    assert reasons["lost"] == "lost"
    assert reasons["won"] == "closed_won"


def test_the_later_row_of_a_customer_counts(release):
    assert release.rows(
        "select region from customers where customer_id = 'undated'"
    ) == [("East",)]


def test_every_file_is_accounted_for(release):
    found = release.by_key(
        "select feed || '/' || file, status, n_read, n_loaded, n_duplicate, n_rejected"
        " from feed_reconciliation"
    )
    n_2025, n_2026 = len(SALES_2025), len(SALES_2026)
    assert found == {
        "balances/balances.csv": ("loaded", 7, 7, 0, 0),
        "customers/customers.csv": ("loaded", 4, 4, 0, 0),
        "customers/customers_again.csv": ("loaded", 2, 1, 1, 0),
        "opportunities/opportunities.csv": ("loaded", 16, 16, 0, 0),
        "transactions/2025.csv": ("loaded", n_2025, n_2025, 0, 0),
        "transactions/2026.csv": ("loaded", n_2026, n_2026, 0, 0),
        "transactions/bad.csv": ("loaded", 6, 1, 0, 5),
        "transactions/broken.xlsx": ("refused", None, None, None, None),
        "transactions/empty.csv": ("empty", 0, 0, 0, 0),
        "transactions/picture.csv": ("refused", None, None, None, None),
        "transactions/redelivered.csv": ("loaded", 3, 1, 2, 0),
        "transactions/strange.csv": ("refused", None, None, None, None),
        "transactions/two_customers.csv": ("loaded", 2, 0, 0, 2),
    }
    reasons = release.rows(
        "select reason from feed_reconciliation where status = 'refused'"
    )
    assert all(reason for (reason,) in reasons)


def test_every_rejected_row_says_why(release):
    found = release.rows(
        "select line_no, column_name from rejected_rows"
        " where file = 'bad.csv' order by line_no"
    )
    assert found == [
        (1, "amount"),
        (3, "occurred_at"),
        (4, "transaction_id"),
        (5, "status"),
        (6, "amount"),
    ]
    assert release.rows(
        "select feed, line_no, reason_code from rejected_rows"
        " where file = 'two_customers.csv' order by line_no"
    ) == [("transactions", 1, "two_customers"), ("transactions", 2, "two_customers")]
    assert release.rows("select 1 from rejected_rows where reason_code is null") == []


def test_the_earlier_date_knows_only_what_had_happened(story):
    assert story.early == {
        # t01 to t04; nothing yet in 2026.
        "00042": (4, amount("1000.00"), "A", 0),
        "linked_part": (1, amount("69.50"), "A", -31),
        # The refund comes a day later.
        "linked_zero": (1, amount("100.00"), "A", 100),
        "undated": (0, amount("0.00"), "A", 0),
        "unlinked": (1, amount("969.50"), "A", 970),
        "below_b": (2, amount("1000.00"), "A", 999),
        "at_b": (2, amount("6000.00"), "B", 1000),
        "at_d": (1, amount("5000.00"), "D", 5000),
    }


def test_movement_is_against_the_earlier_release(story, release):
    found = release.by_key(
        "select customer_id, previous_tier, movement from customer_tiers"
        " where scheme = 'annual_points'"
    )
    assert found == {
        customer: (story.early[customer][2], "same")
        if customer in story.early
        else (None, "new")
        for customer in METRICS
    }


def test_a_reader_keeps_the_release_that_it_holds(story):
    assert story.held_release == [(day(EARLY),)]


def test_a_run_with_nothing_new_says_so_and_writes_nothing(story):
    story.again.expect(0)
    assert re.search(r"nothing|unchanged|no change", story.again.out, re.IGNORECASE)
    assert story.untouched


def test_the_manifest_tells_what_went_in(story):
    manifest = story.company.manifest
    assert manifest["release_id"] == story.company.current.name
    assert manifest["as_of_date"] == AS_OF
    assert re.fullmatch(r"[0-9a-f]{64}", manifest["content_digest"])


def test_releases_are_listed(story):
    listed = story.company.call("releases", "--json").expect(0).json["releases"]
    assert [entry["as_of_date"] for entry in listed if entry["is_current"]] == [AS_OF]
    assert {entry["as_of_date"] for entry in listed} == {EARLY, AS_OF}


def shuffled(rows, seed):
    return random.Random(seed).sample(rows, len(rows))  # noqa: S311 - no secret


def shuffled_text(text, seed):
    header, *rows = text.splitlines()
    return "\n".join([header, *shuffled(rows, seed), ""])


def split_by_transaction(rows, n_files):
    """The rows in other files; the lines of a transaction stay together."""
    names = sorted({entry["transaction_id"] for entry in rows})
    file_of = {name: f"part/{n % n_files}.csv" for n, name in enumerate(names)}
    return [
        (file, [entry for entry in rows if file_of[entry["transaction_id"]] == file])
        for file in sorted(set(file_of.values()))
    ]


def test_the_digest_knows_the_facts_and_nothing_else(story, companies):
    """Not threads, order, files, earlier releases, or rows that are wrong or repeat."""
    mixed = companies.new("mixed")
    mixed.settings(SETTINGS + "resources: {threads: 1}\n")
    # Among the facts is the row without a customer of the file with wrong rows.
    every = [*SALES_2025, *SALES_2026, *BAD[1:2]]
    land_facts(mixed, [("all.csv", shuffled(every, seed=5))])
    for feed in ("customers", "balances", "opportunities"):
        file = mixed.root / "landing" / feed / f"{feed}.csv"
        file.write_text(shuffled_text(file.read_text("utf-8"), seed=7), "utf-8")

    split = companies.new("split")
    split.settings(SETTINGS + "resources: {threads: 2}\n")
    land_facts(split, split_by_transaction(every, n_files=3))
    header, *rows = BALANCES.splitlines()
    (split.root / "landing" / "balances" / "balances.csv").unlink()
    for n, entry in enumerate(rows):
        split.land(f"balances/{9 - n}.csv", f"{header}\n{entry}\n")

    digests = {}
    for company in (mixed, split):
        company.run(AS_OF).expect(0)
        digests[company.root.name.rstrip("0123456789")] = company.digest
    assert len(set(digests.values())) == 1, digests
    digests["second release, with wrong and repeated rows"] = story.company.digest
    assert len(set(digests.values())) == 1, digests


def test_a_killed_run_leaves_the_last_release(story, companies):
    company = companies.copy(story.company, "killed")
    company.land_rows(
        "transactions/new.csv",
        TRANSACTIONS,
        [row("t70", "late_arrival", "2026-05-30T10:00:00", "1.00")],
    )
    last = company.current
    for moment, step in {
        "while it computes": "core.transaction_sums",
        "while it writes the release": "release.customers",
    }.items():
        company.kill_run(AS_OF, after=step)
        assert company.current == last, moment
        with company.release() as release:
            n_customers = release.one("select count(*) from customers")
        assert n_customers == (len(METRICS),), moment
        listed = company.call("releases", "--json").expect(0).json["releases"]
        as_of_dates = sorted(entry["as_of_date"] for entry in listed)
        assert as_of_dates == [EARLY, AS_OF], moment

    company.run(AS_OF).expect(0)
    with company.release() as release:
        n_customers = release.one("select count(*) from customers")
        assert n_customers == (len(METRICS) + 1,)
        assert release.one(
            "select n_read, n_loaded from feed_reconciliation where file = 'new.csv'"
        ) == (1, 1)
    # Another fact, another digest.
    assert company.digest != story.company.digest


@pytest.mark.parametrize(
    ("harm", "table", "check"),
    [
        (
            "update raw.customers set party_type = 'alien' where customer_id = '00042'",
            "customers",
            "in_set(party_type)",
        ),
        # A row that was read is lost: the counts no longer add up.
        (
            "delete from raw.transactions where transaction_id = 't01'",
            "feed_reconciliation",
            "rows_add_up",
        ),
    ],
    ids=["a_wrong_value", "a_lost_row"],
)
def test_a_failing_check_leaves_the_last_release(story, companies, harm, table, check):
    """The warehouse is harmed behind the pipeline's back: only a check can see it."""
    company = companies.copy(story.company, "harmed")
    last = company.current
    with duckdb.connect(str(company.root / "data" / "warehouse.duckdb")) as warehouse:
        warehouse.execute(harm)
    line = company.call("run", "--as-of", "2026-05-30").expect(1).last_line()
    assert table in line
    assert check in line
    assert re.search(r"\b1\b", line)
    assert company.current == last
    listed = company.call("releases", "--json").expect(0).json["releases"]
    assert sorted(entry["as_of_date"] for entry in listed) == [EARLY, AS_OF]


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"transactions/empty.csv": ""},
        {"transactions/strange.csv": "colour,weight\nred,5\n"},
        {"transactions/bad.csv": "transaction_id,occurred_at,amount\nt1,never,1\n"},
    ],
    ids=["no_files", "an_empty_file", "no_known_header", "only_wrong_rows"],
)
def test_a_run_that_can_load_nothing_fails(company, files):
    company.settings("name: nothing\n")
    for path, content in files.items():
        company.land(path, content)
    line = company.call("run", "--as-of", AS_OF).expect(1).last_line()
    assert "landing" in line
    assert not (company.root / "data" / "current").exists()


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ("name: small\ntimezon: UTC\n", "timezon"),
        ("name: small\nfeeds: {transactions: {colums: {amount: total}}}\n", "colums"),
        ("name: small\nfeeds: {transaction: {files: '*.csv'}}\n", "transaction"),
        (
            "name: small\nfeeds: {transactions: {columns: {amuont: total}}}\n",
            "amuont",
        ),
        ("name: small\nschemes: {only: [rfm_9]}\n", "rfm_9"),
        ("name: small\nschemes: {parameters: {rfm_8.cutt: mean}}\n", "rfm_8.cutt"),
        ("name: small\ntimezone: Mars/Olympus\n", "timezone"),
        ("timezone: UTC\n", "name"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(company, settings, field):
    land_facts(company)
    company.settings(settings)
    line = company.call("run", "--as-of", AS_OF).expect(2).one_line()
    assert "fenji.yaml" in line
    assert field in line


@pytest.mark.parametrize("as_of", ["2026-02-30", "tomorrow", "31/05/2026", ""])
def test_an_impossible_date_is_named_in_one_line(company, as_of):
    company.settings(SETTINGS)
    land_facts(company)
    line = company.call("run", "--as-of", as_of).expect(2).one_line()
    assert "as-of" in line


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["run", "--as_of", AS_OF], "--as_of"),
        (["runn"], "runn"),
        (["run", "--as-of"], "--as-of"),
    ],
)
def test_a_wrong_argument_is_named_in_one_line(company, arguments, wrong):
    done = subprocess.run(
        [company.command()[0], *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert wrong in done.stderr


def test_a_missing_folder_is_named_in_one_line(company):
    shutil.rmtree(company.root)
    line = company.call("run", "--as-of", AS_OF).expect(2).one_line()
    assert str(company.root) in line


def test_a_folder_without_settings_is_named_in_one_line(company):
    line = company.call("run", "--as-of", AS_OF).expect(2).one_line()
    assert "fenji.yaml" in line


def test_an_error_with_json_is_still_one_line(company):
    company.settings("name: small\ntimezon: UTC\n")
    outcome = company.run(AS_OF).expect(2)
    outcome.one_line()
    if outcome.out.strip():
        assert isinstance(json.loads(outcome.out), dict)


def test_the_tables_here_are_consistent():
    """The hand-made files have the columns that their rows need."""
    for text in (CUSTOMERS, BALANCES, OPPORTUNITIES):
        header, *rows = csv.reader(StringIO(text))
        assert {len(entry) for entry in rows} == {len(header)}
