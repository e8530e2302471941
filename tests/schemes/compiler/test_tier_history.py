"""A year month by month and a month day by day, against each date computed afresh.

Late rows and refunds arrive on the way; the dates that they touch are graded again.
"""

import calendar
import datetime
import random
from dataclasses import replace

import duckdb
import pytest

# Bounds, a matrix of ranks, tiers about a scope, and a ladder that remembers.
SCHEMES = ["annual_points", "rfm_8", "category_points", "high_ticket_ladder"]
CUSTOMERS = [f"c{number:02}" for number in range(12)]


def orders(seed, first, days, n, prefix="t"):
    """Made-up lines: some big, some refunded later, of a few categories."""
    rng = random.Random(seed)  # noqa: S311 - made-up data
    lines = []
    for number in range(n):
        day = first + datetime.timedelta(days=rng.randrange(days))
        amount = rng.choice([20, 90, 400, 1100, 2600])
        line = {
            "transaction_id": f"{prefix}{number}",
            "line_no": "1",
            "customer_id": rng.choice(CUSTOMERS),
            "occurred_at": f"{day} 12:00:00+00",
            "amount": amount,
            "category": rng.choice(["tea", "cups", "pots"]),
            "original_transaction_id": None,
        }
        lines.append(line)
        if rng.random() < 0.2:
            later = day + datetime.timedelta(days=rng.randrange(1, 40))
            lines.append(
                line
                | {
                    "transaction_id": f"{prefix}{number}r",
                    "occurred_at": f"{later} 12:00:00+00",
                    "amount": -amount,
                    "original_transaction_id": line["transaction_id"],
                }
            )
    return lines


def feeds(lines, as_of):
    """The feeds as staging has them on a date."""
    known = [line for line in lines if line["occurred_at"][:10] <= str(as_of)]
    return {"transactions": known}


@pytest.fixture
def replay(grade, historian):
    """Grades dates in one warehouse, publishes them, and compares with fresh ones."""
    first = []

    def publish(lines, as_of):
        given = feeds(lines, as_of)
        if not first:
            first.append(grade(given, as_of=as_of, only=SCHEMES))
        ours = first[0].again(given, as_of)
        stated = historian.publish(ours.con, as_of)
        with duckdb.connect() as empty:
            empty.execute("set TimeZone = 'UTC'")
            fresh = replace(first[0], con=empty).again(given, as_of)
            expected = fresh.rows(
                "select customer_id, scheme, scope, tier from customer_tiers"
                " order by all"
            )
        assert sorted((*key, tier) for key, tier in stated.tiers.items()) == expected

    return publish


def current(historian, where="true"):
    """What is known today: stretches, without since when they are known."""
    return set(
        historian.rows(
            "select customer_id, scheme, scope, tier, valid_from, valid_to"
            f" from customer_tier_history where known_to is null and {where}"
        )
    )


def test_a_year_month_by_month(historian, replay):
    lines = orders(1, datetime.date(2025, 1, 1), 700, 150)
    ends = [
        datetime.date(2026, month, calendar.monthrange(2026, month)[1])
        for month in range(1, 13)
    ]
    for end in ends:
        replay(lines, end)
    historian.agrees()
    assert not historian.rows(
        "select * from customer_tier_history where known_to is not null"
    )
    before = current(historian)

    # A big order of May turns up a year later, and May is graded again.
    late = orders(2, datetime.date(2026, 5, 3), 2, 1, prefix="late")
    late = [line | {"amount": 4000, "customer_id": "c03"} for line in late[:1]]
    replay(lines + late, ends[4])
    historian.agrees()
    touched = "valid_from = '2026-05-31'"
    after = current(historian)
    changed = {row[:2] for row in before ^ after}
    assert ("c03", "annual_points") in changed
    stated = {(a, b, c): d for a, b, c, d, *_ in current(historian, touched)}
    assert stated["c03", "annual_points", ""] == "D"
    # What holds on other dates is what held before.
    for end in ends[:4] + ends[5:]:
        where = f"valid_from <= '{end}' and coalesce(valid_to > '{end}', true)"
        held = {row[:4] for row in before if holds(row, end)}
        assert {row[:4] for row in current(historian, where)} == held


def holds(row, on):
    """Whether a stretch goes over a date."""
    *_, start, end = row
    return start <= on and (end is None or end > on)


def test_a_month_day_by_day(historian, replay):
    lines = orders(3, datetime.date(2025, 9, 1), 272, 120)
    days = [datetime.date(2026, 5, number) for number in range(1, 32)]
    arrived = lines[:-15]
    for on in days:
        replay(arrived, on)
        if on.day == 20:
            # A week late, rows of the whole month come in; that week is graded again.
            arrived = lines
            for again in days[12:20]:
                replay(arrived, again)
    historian.agrees()
    restated = historian.rows(
        "select min(valid_from), max(valid_from) from customer_tier_history"
        " where known_to is not null"
    )
    ((first, last),) = restated
    assert days[12] <= first <= last <= days[19]


def test_without_a_change_a_statement_adds_nothing(historian, replay):
    lines = orders(4, datetime.date(2025, 9, 1), 272, 60)
    end = datetime.date(2026, 5, 31)
    replay(lines, end)
    before = historian.rows("select * from customer_tier_history order by all")
    replay(lines, end)
    assert historian.rows("select * from customer_tier_history order by all") == before
