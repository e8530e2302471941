"""Every scheme of the library over made-up companies: compiled SQL and reference agree.

The companies are random, but their values cluster at the bounds of the schemes.
"""

import datetime
import random

import pytest

AS_OF = datetime.date(2026, 5, 31)
KINDS = ["referral", "site_visit", "introduction", "quote", "form"]


def some_day(rng, back=900):
    """A day before the as-of date; the ends of windows come up often."""
    edges = [0, 29, 30, 31, 89, 90, 91, 179, 180, 181, 364, 365, 366, 730, 731]
    days = rng.choice(edges) if rng.random() < 0.5 else rng.randrange(back)
    return AS_OF - datetime.timedelta(days=days)


def at(day):
    return f"{day} 10:00:00+00"


def company(seed, n=60):
    """Rows of every feed."""
    rng = random.Random(seed)  # noqa: S311 - the same each time
    names = [f"c{number:03}" for number in range(n)]
    maybe = lambda *values: rng.choice([None, *values])  # noqa: E731
    customers = [
        {
            "customer_id": name,
            "party_type": maybe("person", "government", "association"),
            "org_nature": maybe("government", "state_owned", "joint_stock", "private"),
            "org_size": maybe("large", "medium", "small"),
            "is_economic_pillar": maybe(True, False),
            "is_reseller": maybe(True, False),
            "is_internal": maybe(True, False),
            "account_type": maybe("individual", "group_member", "group"),
            "parent_customer_id": maybe(*names[:5]),
            "need_level": maybe("clear", "potential", "none"),
            "can_buy": maybe(True, False),
            "is_target": maybe(True, False),
            "is_member": maybe(True, False),
            "is_contact_blocked": maybe(True, False),
            "seat_count": maybe(0, 49, 50, 99, 100, 199, 200),
            "plan_edition": maybe("400_800", "basic"),
            "plan_package": maybe("gold", "silver", "other"),
            "credit_status": maybe("good", "fair", "poor"),
            "birth_date": maybe("2011-05-31", "2011-06-01", "2001-05-31", "2001-06-01"),
            "first_contact_at": maybe("2025-05-31 10:00+00", "2025-06-01 10:00+00"),
            "registered_at": None,
        }
        for name in names[: n - 5]
    ]
    transactions = []
    for number in range(n * 7):
        amount = rng.choice(["10", "33.33", "100", "999.99", "1000", "3000", "-50"])
        transactions.append(
            {
                "transaction_id": f"t{number}",
                "customer_id": rng.choice(names),
                "occurred_at": at(some_day(rng)),
                "amount": amount,
                "category": maybe("food", "toys", "books", "shoes"),
                "store_id": maybe("s1", "s2"),
                "cost_amount": maybe("5", "20", "1200"),
            }
        )
    return {
        "customers": customers,
        "transactions": transactions,
        "interactions": [
            {
                "interaction_id": f"i{number}",
                "customer_id": rng.choice(names),
                "occurred_at": at(some_day(rng)),
                "kind": rng.choice(KINDS),
            }
            for number in range(n)
        ],
        "tickets": [
            {
                "ticket_id": f"k{number}",
                "customer_id": rng.choice(names),
                "opened_at": at(some_day(rng)),
                "kind": rng.choice(["complaint", "consult", "other"]),
                "resolved_at": maybe(at(AS_OF)),
                "cost_amount": maybe("3", "700"),
            }
            for number in range(n)
        ],
        "calls": [
            {
                "call_id": f"p{number}",
                "customer_id": rng.choice(names),
                "queued_at": at(some_day(rng)),
                "cost_amount": maybe("3", "700"),
            }
            for number in range(n)
        ],
        "opportunities": [
            {
                "opportunity_id": f"o{number}",
                "customer_id": rng.choice(names),
                "stage": rng.choice(["open", "won", "lost"]),
                "need_level": maybe("clear", "potential", "none"),
                "intent_level": maybe("very", "general", "none"),
                "expected_close_date": maybe("2026-05-30", "2026-06-30", "2026-07-01"),
                "amount": maybe("100", "5000"),
                "created_at": maybe(at(some_day(rng))),
                "closed_at": maybe(at(some_day(rng))),
            }
            for number in range(n)
        ],
        "bills": [
            {
                "customer_id": name,
                "bill_month": f"2026-{month:02}-01",
                "amount": rng.choice(["50", "100.5", "300"]),
            }
            for name in names
            for month in range(1, 6)
            if rng.random() < 0.6
        ],
        "service_lines": [
            {
                "service_id": f"l{number}",
                "customer_id": rng.choice(names),
                "activated_on": str(some_day(rng)),
                "terminated_on": maybe("2026-05-31", "2026-05-30"),
            }
            for number in range(n)
        ],
        "contracts": [
            {
                "contract_id": f"n{number}",
                "customer_id": rng.choice(names),
                "starts_on": str(some_day(rng)),
                "ends_on": maybe("2026-05-30", "2026-05-31"),
            }
            for number in range(n)
        ],
        "arrears_stops": [
            {
                "customer_id": rng.choice(names),
                "stopped_at": f"{some_day(rng)} {h}:00+00",
            }
            for h in range(10, 20)
            for _ in range(4)
        ],
        "invoices": [
            {
                "invoice_id": f"v{number}",
                "customer_id": rng.choice(names),
                "issued_on": "2026-01-01",
                "due_on": rng.choice(["2026-02-01", "2026-05-31"]),
                "paid_on": maybe("2026-02-01", "2026-02-02"),
                "amount": "10",
            }
            for number in range(n * 2)
        ],
        "balances": [
            {
                "customer_id": names[number % n],
                "account_id": f"a{number}",
                "balance_date": str(some_day(rng)),
                "asset_class": rng.choice(["deposit", "wealth"]),
                "balance_amount": rng.choice(["100000", "200000", "999999.99", "-5"]),
            }
            for number in range(n)
        ],
        "wallet": [
            {
                "customer_id": name,
                "period_start": "2026-01-01",
                "period_end": "2026-12-31",
                "category": maybe("food"),
                "total_spend_amount": maybe("1000", "0"),
                "planned_purchase_qty": maybe("1", "2", "3"),
            }
            for name in names[: n // 2]
        ],
        "assessments": [
            {
                "customer_id": rng.choice(names),
                "characteristic": rng.choice(
                    ["strength", "growth", "executive_relation"]
                ),
                "assessed_at": f"2026-05-{number % 28 + 1:02} {number % 24}:00+00",
                "points": rng.choice(["4.999", "10", "15", "20"]),
            }
            for number in range(n)
        ],
        "overrides": [
            {
                "customer_id": rng.choice(names),
                "scheme": rng.choice(["strategic_exception", "big_customer"]),
                "tier": None,
                "reason": "r",
                "approved_by": "a",
                "starts_on": f"2026-05-{number % 28 + 1:02}",
                "ends_on": maybe("2026-05-30", "2026-05-31"),
            }
            for number in range(n // 2)
        ],
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_every_feed(grade, checked, seed):
    graded = grade(company(seed))
    checked(graded.con, graded.plan, graded.present, graded.settings, AS_OF)


@pytest.mark.parametrize(
    "feeds",
    [["transactions"], ["customers"], ["transactions", "customers", "bills"], []],
    ids=lambda names: "+".join(names) or "none",
)
def test_with_some_feeds(grade, checked, feeds):
    given = {name: rows for name, rows in company(7, 30).items() if name in feeds}
    graded = grade(given)
    checked(graded.con, graded.plan, graded.present, graded.settings, AS_OF)


def test_with_transactions_that_know_no_categories_and_costs(grade, checked):
    lines = [
        {
            key: row[key]
            for key in ("transaction_id", "customer_id", "occurred_at", "amount")
        }
        for row in company(8)["transactions"]
    ]
    graded = grade({"transactions": lines})
    checked(graded.con, graded.plan, graded.present, graded.settings, AS_OF)


def test_points_add_up_to_the_score(grade):
    graded = grade(company(9))
    assert (
        graded.rows(
            "select scheme, customer_id from customer_scores as scores"
            " join customer_score_points as points using (scheme, scope, customer_id)"
            " group by scheme, customer_id, scores.score"
            " having scores.score <> sum(points.points)"
        )
        == []
    )
    assert graded.rows("select count(*) from customer_scores")[0][0] > 100


def test_every_graded_customer_has_reasons_in_both_languages(grade):
    graded = grade(company(10))
    assert (
        graded.rows(
            "select scheme, scope, customer_id from customer_tiers where scope = ''"
            " except select scheme, scope, customer_id from customer_tier_reasons"
            " where text_en <> '' and text_zh <> ''"
        )
        == []
    )
    assert (
        graded.rows(
            "from customer_tier_reasons where text_en like '%{%' or text_en is null"
            " or text_zh like '%{%' or text_zh is null"
        )
        == []
    )
