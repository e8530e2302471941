"""The largest amounts there may be add up; beyond them a run ends with one line."""

import pytest

from project.errors import RunError
from sql.contracts import LARGEST_AMOUNT

LARGEST = f"{LARGEST_AMOUNT - 1}.99"


def feeds(order, n_orders):
    return {
        "transactions": [
            *(
                order("a", f"2026-05-{day + 1:02}", LARGEST, category="x")
                for day in range(n_orders)
            ),
            order("b", "2026-05-01", "0.01", category="x"),
            order("c", "2025-01-01", f"-{LARGEST}", category="y"),
        ],
        "bills": [{"customer_id": "a", "bill_month": "2026-05-01", "amount": LARGEST}],
        "service_lines": [
            {"service_id": "s", "customer_id": "a", "activated_on": "2020-01-01"}
        ],
        "balances": [
            {
                "customer_id": "a",
                "account_id": "1",
                "balance_date": "2025-01-01",
                "balance_amount": LARGEST,
            }
        ],
        "wallet": [
            {
                "customer_id": "a",
                "period_start": "2026-01-01",
                "period_end": "2026-12-31",
                "total_spend_amount": LARGEST,
            }
        ],
        "opportunities": [
            {
                "opportunity_id": "1",
                "customer_id": "a",
                "stage": "won",
                "amount": LARGEST,
            }
        ],
    }


def test_the_largest_amounts_are_graded_by_every_scheme(grade, order):
    graded = grade(feeds(order, 3))
    for view in graded.plan.views.keys() - {"customer_tags"}:  # made for tags alone
        graded.rows(f"select * from {view}")
    assert graded.tiers("value_pyramid")["a"] == "platinum"
    assert graded.tiers("bank_aum")["a"] == "private"


def test_what_does_not_add_up_ends_the_run_with_one_line(grade, order):
    given = feeds(order, 1)
    line = given["transactions"][0]
    given["transactions"] += [
        line | {"transaction_id": str(number)} for number in range(1100)
    ]
    with pytest.raises(RunError, match="too large to add up") as caught:
        grade(given, only=["value_pyramid"])
    assert "\n" not in str(caught.value)
