"""Which feeds each scheme of the library asks for, and what it does without the rest.

A scheme runs wherever its required feeds are, whatever columns they have; what a feed
or column would have told is then taken for false, or marked as missing.
"""

import pytest

from sql.contracts import feeds

# Scheme → the feeds without which it has nothing to grade.
REQUIRED = {
    "account_kind": {"customers"},
    "acquisition_status": {"transactions"},
    "annual_points": {"transactions"},
    "bank_aum": {"balances"},
    "big_customer": {"bills", "customers", "service_lines"},
    "category_points": {"transactions"},
    "customer_status": {"transactions"},
    "deal_intent": {"opportunities"},
    "deal_size": {"opportunities"},
    "dormancy": {"transactions"},
    "ecommerce_ladder": {"transactions"},
    "group_class": {"customers"},
    "henan_star": {"bills", "service_lines"},
    "high_ticket_ladder": {"transactions"},
    "hotel_guest": {"transactions"},
    "hsbc_matrix": {"transactions"},
    "layer_grade": {"transactions"},
    "lead_likelihood": {"opportunities"},
    "lifecycle_focus": {"transactions"},
    "loyalty_class": {"transactions"},
    "mobile_card": {"transactions"},
    "mvc_mgc_bzc": {"transactions"},
    "opportunity_grade": {"opportunities"},
    "private_domain_lifecycle": {"transactions"},
    "real_estate_scorecard": {"customers", "assessments"},
    "relation_type": {"customers"},
    "relationship_phase": {"transactions"},
    "relationship_stage": {"transactions"},
    "rfm_8": {"transactions"},
    "service_level": {"transactions"},
    "service_need": {"tickets"},
    "shopper_type": {"transactions"},
    "size_class": {"transactions"},
    "spend_band": {"transactions"},
    "supermarket_member": {"transactions"},
    "telecom_star": {"bills", "service_lines"},
    "upgrade_potential": {"transactions"},
    "value_3d": {"transactions"},
    "value_class": {"transactions"},
    "value_potential": {"transactions"},
    "value_pyramid": {"transactions"},
    "wallet_matrix": {"wallet", "transactions"},
}
# Cannot run by their feeds alone.
SPECIAL = {
    "abcd_pyramid",  # its parameters are not set
    "six_segments",
    "industry_class",  # asks for a column
    "seat_plan",
}


@pytest.fixture(scope="module")
def bare():
    """Each feed with the columns that it must have, and no row."""
    return {
        name: [column.name for column in feed.columns if column.required]
        for name, feed in feeds().items()
    }


def why_not(graded):
    return graded.by_key("select scheme, not_applicable_reason from schemes")


def test_every_scheme_runs_where_its_feeds_are(grade, bare):
    found = why_not(grade(dict.fromkeys(bare, ()), columns=bare))
    assert set(found) == set(REQUIRED) | SPECIAL
    assert {name for name, reason in found.items() if reason} == SPECIAL
    assert found["seat_plan"] == "lacks column customers.seat_count"
    assert found["abcd_pyramid"].startswith("lacks parameter abcd_pyramid.a_share")


def test_why_a_scheme_does_not_run_is_said_in_chinese(grade, bare):
    there = {name: columns for name, columns in bare.items() if name != "bills"}
    graded = grade(dict.fromkeys(there, ()), columns=there)
    said = graded.by_key("select scheme, not_applicable_reason_zh from schemes")
    assert said["telecom_star"] == "缺少数据源 bills"
    assert said["seat_plan"] == "缺少字段 customers.seat_count"
    assert said["abcd_pyramid"].startswith("缺少参数 abcd_pyramid.a_share、参数 abcd")
    assert said["annual_points"] is None


@pytest.mark.parametrize("feed", sorted(set().union(*REQUIRED.values())))
def test_a_scheme_is_left_out_where_a_feed_that_it_needs_is_absent(grade, bare, feed):
    there = {name: columns for name, columns in bare.items() if name != feed}
    found = why_not(grade(dict.fromkeys(there, ()), columns=there))
    absent = {name for name in REQUIRED if found[name] is not None}
    assert absent == {name for name, needs in REQUIRED.items() if feed in needs}
    assert {found[name] for name in absent} & {f"lacks feed {feed}"}


def test_what_absent_columns_would_have_told_is_false(grade, order):
    graded = grade(
        {
            "transactions": [order("c", f"2026-0{month}-01") for month in range(1, 6)],
            "customers": [{"customer_id": "c"}],
            "bills": [{"customer_id": "c", "bill_month": "2026-05-01", "amount": 9}],
            "service_lines": [
                {"service_id": "s", "customer_id": "c", "activated_on": "2020-01-01"}
            ],
        },
        only=["big_customer", "category_points", "shopper_type"],
    )
    assert graded.tiers("big_customer") == {"c": "other"}
    assert graded.tiers("shopper_type") == {"c": "household"}
    assert graded.tiers("category_points") == {}


@pytest.mark.parametrize(
    ("party_type", "tier"),
    [
        (None, "household"),
        ("person", "household"),
        ("household", "household"),
        ("company", None),
        ("government", None),
    ],
)
def test_organizations_are_no_type_of_shopper(grade, order, party_type, tier):
    graded = grade(
        {
            "transactions": [order("c", "2026-05-01")],
            "customers": [{"customer_id": "c", "party_type": party_type}],
        },
        only=["shopper_type"],
    )
    assert graded.tiers("shopper_type").get("c") == tier


def test_without_an_order_nobody_is_a_type_of_shopper(grade, order):
    graded = grade(
        {
            "transactions": [order("old", "2024-05-01")],
            "customers": [{"customer_id": "none"}, {"customer_id": "old"}],
        },
        only=["shopper_type"],
    )
    assert graded.tiers("shopper_type") == {"none": "unrated", "old": "household"}
    assert graded.reasons("shopper_type")["none"] == "no_orders"


@pytest.mark.parametrize("terminated_on", [None, "2021-01-01"])
def test_where_lines_are_known_cards_are_for_those_who_ever_had_one(
    grade, order, terminated_on
):
    given = {
        "transactions": [order(name, "2025-05-01", 4000) for name in ("line", "shop")]
    }
    lines = [
        {
            "service_id": name,
            "customer_id": name,
            "activated_on": "2020-01-01",
            "terminated_on": terminated_on,
        }
        for name in ("line", "talks")
    ]
    graded = grade(given, only=["mobile_card"])
    assert graded.tiers("mobile_card") == {"line": "silver", "shop": "silver"}
    graded = grade({**given, "service_lines": lines}, only=["mobile_card"])
    assert graded.tiers("mobile_card") == {"line": "silver", "talks": "vip_card"}
    assert graded.rows("select distinct valid_from::varchar from customer_tiers") == [
        ("2026-01-01",)
    ]
    graded = grade({**given, "service_lines": []}, only=["mobile_card"])
    assert graded.tiers("mobile_card") == {}
