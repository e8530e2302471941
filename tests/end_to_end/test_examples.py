"""The other example mappings, on their public data, against plain arithmetic."""

import csv
import shutil
from collections import defaultdict
from datetime import date, datetime, timedelta
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
    """A project with an example's settings and the files as they came, by their paths.

    Args:
        companies: makes projects.
        name: the example.
        landing: the path of each file, from the project folder on, and where it lies.
        as_of: the date to grade.
    """
    company = companies.new(name)
    shutil.copytree(EXAMPLES / name, company.root, dirs_exist_ok=True)
    for path, source in landing.items():
        place = company.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(source)
    company.run(as_of).expect(0)
    return company


def exported(folder, *names):
    """The files of a public data set, to lie in export/ under their own names."""
    return {f"export/{name}": folder / name for name in names}


def records(path, **form):
    """The records of a delimited file, as the standard library reads them."""
    with path.open(newline="", encoding=form.pop("encoding", "utf-8-sig")) as stream:
        return list(csv.DictReader(stream, **form))


def books(company):
    """Feed: rows read, loaded, duplicate, rejected, skipped, unmatched, and records."""
    with company.release() as release:
        return release.by_key(
            "select feed, n_read, n_loaded, n_duplicate, n_rejected, n_skipped,"
            " n_unmatched, n_records from feed_reconciliation"
        )


@pytest.fixture(scope="module")
def superstore_file(public_data):
    return public_data / "superstore_zh" / "sales_gb18030.csv"


@pytest.fixture(scope="module")
def superstore(companies, superstore_file):
    landing = {"landing/transactions/sales.csv": superstore_file}
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
def owners(berka_file):
    """Account: the client who owns it."""
    return {
        row["account_id"]: row["client_id"]
        for row in records(berka_file.with_name("disp.asc"), delimiter=";")
        if row["type"] == "OWNER"
    }


@pytest.fixture(scope="module")
def berka(companies, berka_file):
    names = ("client.asc", "disp.asc", "district.asc", berka_file.name)
    landing = exported(berka_file.parent, *names)
    return run_example(companies, "berka", landing, BERKA_AS_OF.isoformat())


def test_berka_tiers_by_the_average_of_365_days(berka, berka_file, owners):
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
        assert owners[account] not in totals  # each owns one account
        totals[owners[account]] = total

    # Tested by multiplying: 365 × the bound; the two lowest are the example's.
    bounds = {
        "private": 6_000_000,
        "diamond": 1_000_000,
        "black_gold": 500_000,
        "platinum": 200_000,
        "gold": 50_000,
    }
    expected = {
        owner: next(
            (tier for tier, bound in bounds.items() if total >= 365 * bound),
            "ordinary",
        )
        for owner, total in totals.items()
    }
    with berka.release() as release:
        tiers = "from customer_tiers where scheme = 'bank_aum'"
        found = release.by_key(f"select customer_id, tier {tiers}")
        scores = release.by_key(f"select customer_id, score {tiers}")
    assert len(found) == 1_139
    assert found == expected
    assert all(
        abs(Decimal(scores[owner]) - total / 365) <= CENT
        for owner, total in totals.items()
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


def test_berka_customers_are_the_clients(berka, berka_file):
    clients = records(berka_file.with_name("client.asc"), delimiter=";")
    genders = {
        row["client_id"]: "female" if int(row["birth_number"][2:4]) > 50 else "male"
        for row in clients
    }
    ages = defaultdict(int)
    for row in clients:
        number = row["birth_number"]
        born = (1900 + int(number[:2]), int(number[2:4]) % 50, int(number[4:]))
        ages[row["client_id"]] = 1993 - born[0] - (born[1:] > (12, 31))
    with berka.release() as release:
        assert release.by_key("select customer_id, gender from customers") == genders
        bands = release.by_key("select customer_id, age_band from customers")
    assert len(bands) == 5_369
    # Bands are ranges of whole years such as 25-34.
    for client, band in bands.items():
        first, _, last = (band or "").partition("-")
        if first.isdigit() and last.isdigit():
            assert int(first) <= ages[client] <= int(last)
    assert books(berka)["customers"] == (5_369, 5_369, 0, 0, 0, 0, 5_369)
    assert books(berka)["balances"][5] == 0  # each account has an owner


CDNOW_AS_OF = date(1998, 6, 30)


@pytest.fixture(scope="module")
def cdnow_file(public_data):
    return public_data / "cdnow_sample" / "CDNOW_sample.txt"


@pytest.fixture(scope="module")
def cdnow(companies, cdnow_file):
    landing = {"landing/transactions/CDNOW_sample.txt": cdnow_file}
    return run_example(companies, "cdnow", landing, CDNOW_AS_OF.isoformat())


def test_cdnow_counts_equal_lines_as_purchases(cdnow, cdnow_file):
    lines = [line.split() for line in cdnow_file.read_text("ascii").splitlines()]
    spend, orders, last = defaultdict(Decimal), defaultdict(int), {}
    for _, customer, day, _, amount in lines:
        spend[customer] += Decimal(amount)
        # An order of nothing but lines at 0.00 is none.
        if Decimal(amount) > 0:
            orders[customer] += 1
            last[customer] = max(day, last.get(customer, ""))
    assert books(cdnow)["transactions"] == (6_919, 6_919, 0, 0, 0, 0, 6_919)
    with cdnow.release() as release:
        found = release.by_key(
            "select customer_id, spend_amount, n_orders,"
            " strftime(last_order_date, '%Y%m%d') from customer_metrics"
        )
    assert len(found) == 2_357
    assert found == {
        customer: (spend[customer], orders[customer], last.get(customer))
        for customer in spend
    }


@pytest.fixture(scope="module")
def crm_folder(public_data):
    return public_data / "crm_opportunities"


@pytest.fixture(scope="module")
def crm(companies, crm_folder):
    names = ("accounts.csv", "products.csv", "sales_pipeline.csv")
    landing = exported(crm_folder, *names)
    return run_example(companies, "crm_opportunities", landing, "2017-12-31")


def test_crm_takes_the_deals_of_companies(crm, crm_folder):
    deals = records(crm_folder / "sales_pipeline.csv")
    named = [deal for deal in deals if deal["account"]]
    won = [deal for deal in deals if deal["deal_stage"] == "Won"]
    assert books(crm) == {
        "customers": (85, 85, 0, 0, 0, 0, 85),
        # Each finds its product, however it writes GTX Pro.
        "opportunities": (8_800, len(named), 0, 0, 1_425, 0, 8_800),
        "transactions": (8_800, len(won), 0, 0, 8_800 - len(won), 0, 8_800),
    }
    lost = {deal["opportunity_id"] for deal in named if deal["deal_stage"] == "Lost"}
    with crm.release() as release:
        grades = release.by_key("select opportunity_id, grade from opportunity_grades")
    assert {deal for deal, grade in grades.items() if grade == "E"} == lost
    assert len(grades) == len(named)
    assert len(lost) == 2_473


def test_crm_spend_is_what_was_won(crm, crm_folder):
    series = {
        row["product"]: row["series"] for row in records(crm_folder / "products.csv")
    }
    spend = defaultdict(Decimal)
    for deal in records(crm_folder / "sales_pipeline.csv"):
        if deal["deal_stage"] == "Won":
            product = deal["product"].replace("GTXPro", "GTX Pro")
            spend[deal["account"], series[product]] += Decimal(deal["close_value"])
    with crm.release() as release:
        hotspots = release.rows(
            "select customer_id, category, spend_12m_amount from consumption_hotspots"
        )
    # All was won within the 12 months, and hot spots are the categories bought of.
    assert hotspots
    assert all(spend[customer, name] == amount for customer, name, amount in hotspots)
    totals = defaultdict(Decimal)
    for (customer, _), amount in spend.items():
        totals[customer] += amount
    with crm.release() as release:
        assert (
            release.by_key("select customer_id, spend_amount from customer_metrics")
            == totals
        )


@pytest.fixture(scope="module")
def telco_file(public_data):
    return public_data / "telco" / "Telco-Customer-Churn.csv"


@pytest.fixture(scope="module")
def telco(companies, telco_file):
    landing = exported(telco_file.parent, telco_file.name)
    return run_example(companies, "telco", landing, "2018-12-31")


def test_telco_has_a_bill_a_month(telco, telco_file):
    rows = records(telco_file)
    months = sum(int(row["tenure"]) for row in rows)
    new = sum(row["tenure"] == "0" for row in rows)
    assert (len(rows), months, new) == (7_043, 227_990, 11)
    # Who has no month yet has a row that is skipped.
    assert books(telco) == {
        "bills": (months + new, months, 0, 0, new, 0, 7_043),
        "customers": (7_043, 7_043, 0, 0, 0, 0, 7_043),
        "service_lines": (7_043, 7_043, 0, 0, 0, 0, 7_043),
    }
    with telco.release() as release:
        billed = release.by_key(
            "select customer_id, billed_12m_amount, n_bills_12m from customer_metrics"
        )
    assert billed == {
        row["customerID"]: (
            min(int(row["tenure"]), 12) * Decimal(row["MonthlyCharges"]),
            min(int(row["tenure"]), 12),
        )
        for row in rows
        if row["tenure"] != "0"
    }


def test_telco_stars(telco, telco_file):
    bounds = {"7": 8000, "6": 6000, "5": 4000, "4": 2300, "3": 1500, "2": 1000}
    bounds["1"] = 600
    expected = {}
    for row in records(telco_file):
        months = min(int(row["tenure"]), 12)
        growth = months * Decimal(row["MonthlyCharges"]) + 10 * months
        star = next((star for star, least in bounds.items() if growth >= least), "0")
        # Rated from the month after joining.
        expected[row["customerID"]] = "unrated" if row["tenure"] == "1" else star
    with telco.release() as release:
        found = release.by_key(
            "select customer_id, tier from customer_tiers where scheme = 'telecom_star'"
        )
    assert found == {customer: expected[customer] for customer in found}
    assert len(found) == 7_032


@pytest.fixture(scope="module")
def airline_folder(public_data):
    return public_data / "airline_loyalty"


@pytest.fixture(scope="module")
def airline(companies, airline_folder):
    names = ("customer_loyalty_history.csv", "customer_flight_activity.csv")
    landing = exported(airline_folder, *names)
    return run_example(companies, "airline", landing, "2018-12-31")


def test_airline_members_by_points_of_a_year(airline, airline_folder):
    points, redeemed = defaultdict(Decimal), defaultdict(Decimal)
    n_redeemed = 0
    for row in records(airline_folder / "customer_flight_activity.csv"):
        if row["Year"] == "2018":
            points[row["Loyalty Number"]] += Decimal(row["Points Accumulated"])
        if row["Points Redeemed"] != "0":
            redeemed[row["Loyalty Number"]] += Decimal(row["Points Redeemed"])
            n_redeemed += 1
    assert books(airline) == {
        "customers": (16_737, 16_737, 0, 0, 0, 0, 16_737),
        "flights": (405_624, 405_624, 0, 0, 0, 0, 405_624),
        "point_redemptions": (
            405_624,
            n_redeemed,
            0,
            0,
            405_624 - n_redeemed,
            0,
            405_624,
        ),
    }
    members = [
        row["Loyalty Number"]
        for row in records(airline_folder / "customer_loyalty_history.csv")
        if not row["Cancellation Year"]
    ]
    bounds = {"gold": 4000, "silver": 2000, "bronze": 1}
    with airline.release() as release:
        found = release.by_key(
            "select customer_id, score, tier from customer_tiers"
            " where scheme = 'flight_status'"
        )
    assert found == {
        member: (
            points[member],
            next(
                (tier for tier, least in bounds.items() if points[member] >= least),
                "idle",
            ),
        )
        for member in members
    }


@pytest.fixture(scope="module")
def support_file(public_data):
    return public_data / "support_tickets" / "customer_support_tickets.csv"


@pytest.fixture(scope="module")
def support(companies, support_file):
    landing = exported(support_file.parent, support_file.name)
    return run_example(companies, "support_tickets", landing, "2023-06-30")


def test_support_tickets_and_their_ratings_come_from_one_file(support, support_file):
    tickets = records(support_file)
    rated = [row for row in tickets if row["Customer Satisfaction Rating"]]
    assert books(support) == {
        "tickets": (8_469, 8_469, 0, 0, 0, 0, 8_469),
        "ticket_ratings": (8_469, len(rated), 0, 0, 8_469 - len(rated), 0, 8_469),
    }
    scores = {
        row["Ticket ID"]: {1: 1, 2: 1, 3: 3, 4: 5, 5: 5}[
            int(float(row["Customer Satisfaction Rating"]))
        ]
        for row in rated
    }
    severities = {"Critical": 1, "High": 2, "Medium": 3, "Low": 4}
    kinds = {"Technical issue": "fault", "Product inquiry": "consult"}
    kinds["Billing inquiry"] = "consult"
    with support.release() as release:
        found = release.by_key(
            "select ticket_id, customer_id, severity, kind, status from service_tickets"
        )
        rated_as = release.by_key(
            "select scope_id, score from satisfaction_scores"
            " where scope_type = 'ticket' and month is null"
        )
    assert found == {
        row["Ticket ID"]: (
            row["Customer Email"],
            severities[row["Ticket Priority"]],
            kinds.get(row["Ticket Type"], "other"),
            row["Ticket Status"],
        )
        for row in tickets
    }
    assert rated_as == scores


def test_no_ticket_is_resolved_before_its_first_answer(support, support_file):
    hours = Decimal(0)
    for row in records(support_file):
        if row["Time to Resolution"]:
            answered = datetime.fromisoformat(row["First Response Time"])
            resolved = datetime.fromisoformat(row["Time to Resolution"])
            hours += Decimal(
                max(resolved - answered, timedelta()) // timedelta(seconds=1)
            )
    with support.release() as release:
        (found,) = release.one("select sum(resolution_hours) from service_tickets")
    assert abs(found - hours / 3600) < Decimal("0.01")
