"""The sums of each scheme × tier say what the long view of tiers would."""

from decimal import Decimal

import duckdb

from schemes.tables.tier_sums import tier_sums_select

# To 2026-05-31 the last 12 months are (2025-05-31, 2026-05-31].
FIRST, BEFORE = "2025-06-01", "2025-05-31"

LONG = """
    select
        scheme, tier, count(*), sum(spend_12m_amount), sum(margin_12m_amount),
        coalesce(sum(spend_12m_amount) filter (where margin_12m_amount is not null), 0),
        sum(service_cost_12m_amount), sum(n_tickets_12m), sum(n_calls_12m)
    from customer_tiers join customer_metrics using (customer_id)
    where scope = ''
    group by scheme, tier
"""


def ticket(number, customer, day, cost):
    return {
        "ticket_id": f"t{number}",
        "customer_id": customer,
        "opened_at": f"{day} 12:00:00+00",
        "cost_amount": cost,
    }


def call(number, customer, day, cost, **more):
    return {
        "call_id": f"c{number}",
        "customer_id": customer,
        "queued_at": f"{day} 12:00:00+00",
        "cost_amount": cost,
        **more,
    }


def test_sums_are_those_of_the_long_view(grade, order):
    graded = grade(
        {
            "transactions": [
                order("A", FIRST, 100, cost_amount=40, category="tea"),
                order("A", BEFORE, 1000, cost_amount=1, category="tea"),
                order("B", "2026-05-31", 30, category="tea"),
                order("C", "2026-01-01", 7, cost_amount=7, category="tea"),
            ],
            "tickets": [
                ticket(1, "A", FIRST, 10),
                ticket(2, "A", BEFORE, 100),
                ticket(3, "D", "2026-05-31", None),
            ],
            "calls": [
                call(1, "A", FIRST, 2, direction="in"),
                call(2, "A", "2026-05-31", 3, direction="out"),
                call(3, "A", BEFORE, 100),
                call(4, None, FIRST, 100),
            ],
            "customers": [{"customer_id": "D", "gender": "f"}],
        }
    )

    sums = graded.rows("from marts.tier_sums")
    assert sorted(sums) == sorted(graded.rows(LONG))
    assert len({scheme for scheme, *_ in sums}) > 10
    # 100 − 40 − (10 + 2 + 3): A is in a tier of its own here.
    (found,) = [row for row in sums if row[:2] == ("ecommerce_ladder", "super")]
    assert found[2:] == (1, 100, 60, 100, 15, 1, 2)


def test_margin_and_profit_of_customers_are_unknown_where_costs_are(grade, order):
    graded = grade(
        {
            "transactions": [
                order("A", FIRST, 100, cost_amount=40),
                order("B", FIRST, 100),
            ],
            "tickets": [ticket(1, "A", FIRST, 10), ticket(2, "B", FIRST, 5)],
        }
    )

    assert graded.by_key(
        "select customer_id, service_cost_12m_amount, profit_12m_amount"
        " from customer_metrics"
    ) == {"A": (Decimal(10), Decimal(50)), "B": (Decimal(5), None)}


def test_without_schemes_there_are_no_sums():
    with duckdb.connect() as con:
        assert con.execute(tier_sums_select(())).fetchall() == []
