"""Rules of the library by hand: hotel guests' attention, service level, industries."""

import pytest


def interaction(kind, day, number=0):
    return {
        "interaction_id": f"{kind}{day}{number}",
        "customer_id": "g",
        "occurred_at": f"{day} 10:00+00",
        "kind": kind,
    }


VISIT = interaction("site_visit", "2026-03-01")


@pytest.mark.parametrize(
    ("met", "tier", "flags"),
    [
        ([VISIT], "potential", []),  # a visit of the website alone
        ([VISIT, interaction("like", "2026-03-02")], "potential", ["bonus_points"]),
        ([VISIT, interaction("like", "2026-02-01")], "potential", ["bonus_points"]),
        (
            [VISIT, interaction("site_visit", "2026-03-02")],
            "potential",
            ["bonus_points"],
        ),
        # What has not happened by the as-of date shows no attention.
        ([VISIT, interaction("like", "2026-06-01")], "potential", []),
        # Attention without a visit of the website.
        (
            [interaction("like", "2026-03-01"), interaction("chat", "2026-03-02")],
            "unrated",
            [],
        ),
    ],
)
def test_a_visit_of_the_website_with_attention_earns_points(grade, met, tier, flags):
    given = {
        "interactions": [row for row in met if row["occurred_at"] < "2026-06-01"],
        "transactions": [],
        "customers": [{"customer_id": "g"}],
    }
    graded = grade(given, only=["hotel_guest"])
    found = graded.rows("select tier, flags from customer_tiers")
    assert found == [(tier, flags)]


def test_how_many_contacts_show_attention_is_a_parameter(grade):
    given = {
        "interactions": [VISIT, interaction("like", "2026-03-02")],
        "transactions": [],
    }
    more = {"hotel_guest.attention_contacts": 3}
    graded = grade(given, only=["hotel_guest"], parameters=more)
    assert graded.rows("select flags from customer_tiers") == [([],)]


def test_a_guest_who_has_stayed_earns_none(grade, order):
    given = {
        "interactions": [VISIT, interaction("like", "2026-03-02")],
        "transactions": [order("g", "2026-04-01")],
    }
    graded = grade(given, only=["hotel_guest"])
    ((flags,),) = graded.rows("select flags from customer_tiers")
    assert "bonus_points" not in flags


def test_the_service_level_goes_by_the_scheme_that_is_chosen(grade, order):
    """Spend alone puts a first; with loyalty and credit it is b.

    b: directed, repeated and related purchases, 3 × 25 = 75; 4 of 5 spend as much or
    less, 80; good credit, 100: 30 + 32 + 20 = 82 ≥ 70.
    """
    given = {
        "transactions": [
            order("a", "2026-05-01", 100),
            *(
                order("b", f"2026-05-{day:02}", 20, category="tea")
                for day in range(1, 5)
            ),
            order("b", "2026-05-05", 1, category="cups"),
            order("b", "2026-05-06", 1, category="pots"),
            order("c", "2026-05-01", 1),
            order("d", "2026-05-01", 1),
            order("e", "2026-05-01", 1),
        ],
        "customers": [
            {"customer_id": "a", "credit_status": "poor"},
            {"customer_id": "b", "credit_status": "good"},
            {"customer_id": "quiet", "credit_status": "good"},
        ],
    }
    by_spend = grade(given).tiers("service_level")
    bands = grade(given).tiers("spend_band")
    assert by_spend == {
        name: "general" if band == "low" else band for name, band in bands.items()
    }
    graded = grade(given, parameters={"service_level.by": "value_3d"})
    values, levels = graded.tiers("value_3d"), graded.tiers("service_level")
    assert (levels["b"], by_spend["b"]) == ("high", "mid")
    assert (levels["a"], by_spend["a"]) == ("mid", "high")
    # Who has never ordered has no value to go by.
    assert "quiet" not in values
    assert levels == {"quiet": "general"} | {
        name: value if value in {"high", "mid"} else "general"
        for name, value in values.items()
    }


@pytest.mark.parametrize(
    "scheme", ["upgrade_potential", "value_potential", "mvc_mgc_bzc", "value_3d"]
)
def test_value_and_potential_are_of_all_who_ever_ordered(grade, order, scheme):
    given = {
        "transactions": [
            order("now", "2026-05-01", 100),
            order("long_ago", "2020-05-01", 1),
            order("returned", "2026-04-01", 10, transaction_id="r"),
            order("returned", "2026-04-02", -10, original_transaction_id="r"),
        ],
        "customers": [{"customer_id": "quiet"}],
    }
    assert set(grade(given, only=[scheme]).tiers(scheme)) == {"now", "long_ago"}


def test_scores_of_loyalty_spend_and_credit_on_their_bounds(grade, order):
    """Of ten customers, without credit: half the marks of loyalty and of rank.

    s7: 70 / 2 = 35. s8: 80 / 2 = 40. s9, with four orders in one category:
    (50 + 90) / 2 = 70. s10: 100 / 2 = 50.
    """
    given = {
        "transactions": [
            *(order(f"s{n}", "2026-05-01", n) for n in (1, 2, 3, 4, 5, 6, 7, 8, 10)),
            *(
                order("s9", f"2026-05-{day:02}", amount, category="tea")
                for day, amount in ((1, 3), (2, 2), (3, 2), (4, 2))
            ),
        ],
    }
    tiers = grade(given, only=["value_3d"]).tiers("value_3d")
    found = {name: tiers[name] for name in ("s7", "s8", "s9", "s10")}
    assert found == {"s7": "general", "s8": "mid", "s9": "high", "s10": "mid"}


def test_the_median_value_is_of_all_who_ever_ordered(grade, order):
    """Of 100, 60, 0, 0, 0 the median is 0; of the two of the last year it were 60."""
    given = {
        "transactions": [
            order("first", "2026-05-01", 100),
            order("second", "2026-05-01", 60),
            *(order(f"old_{n}", "2020-05-01", 100) for n in range(3)),
        ],
    }
    graded = grade(given, only=["value_potential"])
    assert graded.tiers("value_potential")["old_0"] == "gold"


@pytest.mark.parametrize(
    ("industry", "tier"),
    [
        ("education", "education"),
        ("教育", "education"),
        ("telecom", "telecom"),
        ("电信", "telecom"),
        ("通信业", "telecom"),
        ("telecoms shop", "other"),
    ],
)
def test_education_and_telecom_are_classes_of_their_own(grade, industry, tier):
    given = {"customers": [{"customer_id": "a", "industry": industry}]}
    graded = grade(given, only=["industry_class"])
    assert graded.tiers("industry_class") == {"a": tier}
