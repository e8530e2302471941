"""Within n days means at most n days ago, also where a window of n days is shorter."""

import datetime

import pytest

AS_OF = datetime.date(2026, 5, 31)


def ago(days):
    return str(AS_OF - datetime.timedelta(days=days))


@pytest.mark.parametrize(
    ("last_order", "contact", "stage"),
    [
        (90, 30, "loyal"),
        (91, 30, "mature"),
        (90, 31, "mature"),
        (0, None, "mature"),
        (180, 0, "mature"),
        (181, 0, "dormant"),
    ],
)
def test_a_loyal_customer_ordered_and_was_in_touch_of_late(
    grade, order, last_order, contact, stage
):
    days = [last_order + 10 * k for k in range(10)]
    touch = {"interaction_id": "1", "customer_id": "c", "kind": "chat"}
    graded = grade(
        {
            "transactions": [order("c", ago(day)) for day in days],
            "interactions": []
            if contact is None
            else [touch | {"occurred_at": f"{ago(contact)} 23:59+00"}],
        },
        columns={"interactions": ["customer_id", "occurred_at"]},
        only=["private_domain_lifecycle", "layer_grade"],
    )
    assert graded.tiers("private_domain_lifecycle") == {"c": stage}
    assert graded.tiers("layer_grade") == {"c": f"{stage}_high"}
