"""Once a VIP always one: what counts is the most that the running total has been."""

import pytest


def at(time, amount, number=0):
    return {
        "transaction_id": f"{time}/{amount}/{number}",
        "customer_id": "c",
        "occurred_at": f"2026-05-30 {time}+00",
        "amount": amount,
    }


@pytest.mark.parametrize(
    ("lines", "score", "tier"),
    [
        ([at("10:00", 3000), at("11:00", -500)], 3000, "vip"),
        ([at("10:00", "2999.99"), at("11:00", -500)], "2999.99", "ordinary"),
        # Given back before it was bought again, or in the same moment.
        ([at("08:00", 2000), at("09:00", -500), at("10:00", 1000)], 2500, "ordinary"),
        ([at("10:00", 3000), at("10:00", -500)], 2500, "ordinary"),
        (
            [at("10:00", 2000), at("10:00:00.001", 1000), at("10:00:00.002", -1)],
            3000,
            "vip",
        ),
        ([at("10:00", -100)], -100, "ordinary"),
    ],
)
def test_the_running_total_goes_by_the_moment(grade, lines, score, tier):
    graded = grade({"transactions": lines}, only=["supermarket_member"])
    found = graded.rows("select tier, score::varchar::double from customer_tiers")
    assert found == [(tier, float(score))]
