"""The other example mappings, on their public data, against plain arithmetic."""

import csv
import shutil
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
CENT = Decimal("0.01")
SUPERSTORE_AS_OF = date(2024, 12, 30)
SUPERSTORE_YEAR_AGO = date(2023, 12, 30)
BERKA_AS_OF = date(1993, 12, 31)


def cents(value):
    return value.quantize(CENT, ROUND_HALF_UP)


def run_example(companies, name, landing, as_of):
    """A project with an example's settings and the files landed under their names."""
    company = companies.new(name)
    shutil.copy(EXAMPLES / name / "fenji.yaml", company.root / "fenji.yaml")
    for path, source in landing.items():
        company.land(path, b"").unlink()
        (company.root / "landing" / path).symlink_to(source)
    company.run(as_of).expect(0)
    return company


@pytest.fixture(scope="module")
def superstore_file(public_data):
    return public_data / "superstore_zh" / "sales_gb18030.csv"


@pytest.fixture(scope="module")
def superstore(companies, superstore_file):
    landing = {"transactions/sales.csv": superstore_file}
    return run_example(
        companies, "superstore_zh", landing, SUPERSTORE_AS_OF.isoformat()
    )


@pytest.fixture(scope="module")
def lines(superstore_file):
    with superstore_file.open(encoding="gb18030", newline="") as stream:
        return [
            row | {"day": date.fromisoformat(row["订单日期"].replace("/", "-"))}
            for row in csv.DictReader(stream)
        ]


def test_superstore_loads_every_row(superstore, lines):
    with superstore.release() as release:
        assert release.one(
            "select n_read, n_loaded, n_duplicate, n_rejected"
            " from feed_reconciliation where feed = 'transactions'"
        ) == (len(lines), len(lines), 0, 0)
    assert len(lines) == 9_959


def test_superstore_metrics(superstore, lines):
    orders, categories = defaultdict(set), defaultdict(set)
    spend, spend_12m = defaultdict(Decimal), defaultdict(Decimal)
    margin_12m = defaultdict(Decimal)
    for line in lines:
        customer, day = line["客户 ID"], line["day"]
        amount = cents(Decimal(line["销售额"]))
        cost = cents(Decimal(line["销售额"]) - Decimal(line["利润"]))
        orders[customer].add((line["订单 ID"], day))
        spend[customer] += amount
        # Twelve months to a date leave out the same day of the year before.
        if SUPERSTORE_YEAR_AGO < day <= SUPERSTORE_AS_OF:
            spend_12m[customer] += amount
            margin_12m[customer] += amount - cost
            categories[customer].add(line["类别"])
    with superstore.release() as release:
        found = release.by_key(
            "select customer_id, n_orders, spend_amount, spend_12m_amount,"
            " n_categories_12m, last_order_date from customer_metrics"
        )
        margins = release.by_key(
            "select customer_id, margin_12m_amount from customer_metrics"
            " where spend_12m_amount > 0"
        )
    assert len(found) == 790
    assert found == {
        customer: (
            len(orders[customer]),
            spend[customer],
            spend_12m[customer],
            len(categories[customer]),
            max(day for _, day in orders[customer]),
        )
        for customer in orders
    }
    assert margins == margin_12m


@pytest.fixture(scope="module")
def berka_file(public_data):
    return public_data / "berka" / "trans_1993.asc"


@pytest.fixture(scope="module")
def berka(companies, berka_file):
    landing = {"balances/trans.csv": berka_file}
    return run_example(companies, "berka", landing, BERKA_AS_OF.isoformat())


def test_berka_tiers_by_the_average_of_365_days(berka, berka_file):
    # The later line of a day counts, and holds until the account's next day.
    at_end_of_day = defaultdict(dict)
    with berka_file.open(encoding="ascii", newline="") as stream:
        for row in csv.DictReader(stream, delimiter=";"):
            day = date.fromisoformat(f"19{row['date']}")
            at_end_of_day[row["account_id"]][day] = Decimal(row["balance"])

    totals = {}
    for account, balances in at_end_of_day.items():
        balance, total = Decimal(0), Decimal(0)
        for n in range(364, -1, -1):
            balance = balances.get(BERKA_AS_OF - timedelta(days=n), balance)
            total += balance
        totals[account] = total

    # Tested by multiplying: 365 × the bound; the two lowest are the example's.
    bounds = {
        "private": 6_000_000,
        "diamond": 1_000_000,
        "black_gold": 500_000,
        "platinum": 200_000,
        "gold": 50_000,
    }
    expected = {
        account: next(
            (tier for tier, bound in bounds.items() if total >= 365 * bound),
            "ordinary",
        )
        for account, total in totals.items()
    }
    with berka.release() as release:
        tiers = "from customer_tiers where scheme = 'bank_aum'"
        found = release.by_key(f"select customer_id, tier {tiers}")
        scores = release.by_key(f"select customer_id, score {tiers}")
    assert len(found) == 1_139
    assert found == expected
    assert all(
        abs(Decimal(scores[account]) - total / 365) <= CENT
        for account, total in totals.items()
    )


def test_berka_counts_every_movement_of_a_day(berka, berka_file):
    with berka_file.open(encoding="ascii", newline="") as stream:
        n_rows = sum(1 for _ in csv.DictReader(stream, delimiter=";"))
    with berka.release() as release:
        n_read, n_loaded, n_duplicate, n_rejected = release.one(
            "select n_read, n_loaded, n_duplicate, n_rejected"
            " from feed_reconciliation where feed = 'balances'"
        )
    assert n_read == n_rows == 28_205
    assert n_loaded + n_duplicate + n_rejected == n_read
    assert n_rejected == 0
