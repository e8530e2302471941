"""`segment_playbook`: each point of the library beside the place that it comes from.

A place is a text of practice and a line of it: `003:58` is line 58 of the fourth of the
five texts. The lists here were written by reading the texts, not the schemes.
"""

import re

import pytest

from project.errors import ConfigurationError
from schemes.language.files import read_scheme
from schemes.language.sources import LIBRARY
from schemes.tools.catalog import library_page

# scheme → tier → part → the points in their order, each with its place.
# The text knows no stage between the first deal and about ten: both share its points.
MATURE = {
    "trait": {
        "bought_many_times": "003:41",
        "knows_the_shop": "003:41",
        "trust_grows": "003:41",
        "about_ten_orders": "003:41",
    },
    "problem": {
        "other_suppliers": "003:44",
    },
    "action": {
        "quality_and_service": "003:47",
        "exchange": "003:48",
        "own_group": "003:48",
        "group_helpers": "003:48",
    },
}

POINTS = {
    "private_domain_lifecycle": {
        "loyal": {
            "trait": {
                "knows_every_move": "003:51",
                "knows_arrivals": "003:51",
                "knows_the_staff": "003:51",
                "keeps_spending": "003:51",
            },
            "action": {
                "reward_plan": "003:54",
                "honour": "003:55",
            },
        },
        "mature": MATURE,
        "growing": MATURE,
        "new": {
            "trait": {
                "first_deal": "003:30",
                "little_confidence": "003:30",
                "force_of_growth": "003:30",
            },
            "problem": {
                "little_experience": "003:32",
                "one_kind_only": "003:33",
            },
            "action": {
                "review_history": "003:36",
                "share_experience": "003:37",
                "repair_quickly": "003:38",
            },
        },
        "potential": {
            "trait": {
                "contact_exchanged": "003:16",
            },
            "problem": {
                "does_not_know": "003:18",
                "cannot_choose": "003:19",
                "does_not_trust": "003:20",
            },
            "action": {
                "transparent_process": "003:23",
                "fitting_product": "003:24",
                "say_who_you_are": "003:26",
                "prove_the_effect": "003:27",
            },
        },
        "dormant": {
            "trait": {
                "permanent": "003:58",
                "temporary": "003:59",
                "bad_experience": "003:60",
            },
            "problem": {
                "experience_not_repaired": "003:63",
                "honour_not_seen": "003:64",
                "too_little_trust": "003:65",
            },
            "action": {
                "find_the_cause": "003:68",
                "encourage_a_try": "003:69",
            },
        },
    },
    "dormancy": {
        "temporary": {
            "trait": {
                "temporary": "003:59",
                "bad_experience": "003:60",
            },
            "problem": {
                "experience_not_repaired": "003:63",
                "honour_not_seen": "003:64",
                "too_little_trust": "003:65",
            },
            "action": {
                "find_the_cause": "003:68",
                "encourage_a_try": "003:69",
            },
        },
        "permanent": {
            "trait": {
                "permanent": "003:58",
                "bad_experience": "003:60",
            },
            "problem": {
                "experience_not_repaired": "003:63",
                "honour_not_seen": "003:64",
                "too_little_trust": "003:65",
            },
            "action": {
                "find_the_cause": "003:68",
                "encourage_a_try": "003:69",
            },
        },
    },
    "rfm_8": {
        "important_value": {
            "trait": {
                "recent_frequent_big": "003:117",
                "precious": "003:117",
            },
            "action": {
                "more_time": "003:117",
                "exclusive_offers": "003:119",
                "exclusive_service": "003:119",
                "regular_gifts": "003:119",
                "meet_in_person": "003:119",
                "allocate": "003:129",
            },
        },
        "important_keep": {
            "trait": {
                "big_frequent_long_ago": "003:123",
                "none_lately": "003:123",
            },
            "problem": {
                "rivals_win_them": "003:123",
            },
            "action": {
                "keep_relation": "003:123",
                "allocate": "003:129",
            },
        },
        "important_develop": {
            "trait": {
                "big_recent_seldom": "003:121",
            },
            "action": {
                "better_marketing": "003:121",
                "promotions": "003:121",
                "groups": "003:121",
                "allocate": "003:129",
            },
        },
        "important_retain": {
            "trait": {
                "big_long_ago_fewer": "003:125",
            },
            "problem": {
                "nearly_lost": "003:125",
            },
            "action": {
                "improve": "003:125",
                "allocate": "003:129",
            },
        },
        "general_value": {
            "trait": {
                "low_amount": "003:127",
                "frequent": "003:127",
                "recent": "003:127",
            },
            "action": {
                "allocate": "003:129",
            },
        },
        "general_keep": {
            "trait": {
                "low_amount": "003:127",
                "frequent": "003:127",
                "long_ago": "003:127",
            },
            "action": {
                "allocate": "003:129",
            },
        },
        "general_develop": {
            "trait": {
                "low_amount": "003:127",
                "seldom": "003:127",
                "recent": "003:127",
            },
            "action": {
                "allocate": "003:129",
                "discounts": "003:131",
                "content": "003:131",
            },
        },
        "general_retain": {
            "trait": {
                "low_amount": "003:127",
                "seldom": "003:127",
                "long_ago": "003:127",
            },
            "action": {
                "allocate": "003:129",
                "discounts": "003:131",
                "content": "003:131",
            },
        },
    },
    "value_potential": {
        "platinum": {
            "trait": {
                "high_value_high_potential": "004:19",
                "highly_loyal": "004:19",
                "grows_itself": "004:19",
                "more_sales_ahead": "004:19",
                "base_of_profit": "004:20",
            },
            "problem": {
                "loss_hurts": "004:20",
            },
            "action": {
                "main_resources": "004:20",
                "one_to_one": "004:20",
                "every_effort": "004:20",
                "active_contact": "004:20",
                "understand_needs": "004:20",
                "production_first": "004:20",
                "custom_products": "004:20",
                "flexible_payment": "004:20",
                "best_staff": "004:20",
                "full_solution": "004:20",
                "beyond_expectation": "004:20",
                "fair_win_win": "004:20",
            },
        },
        "gold": {
            "trait": {
                "high_value_low_potential": "004:17",
                "loyal_in_stable_phase": "004:17",
                "nearly_all_business": "004:17",
                "recommends": "004:17",
                "little_left_to_win": "004:17",
                "second_most_valuable": "004:17",
                "season_of_return": "004:17",
            },
            "problem": {
                "hard_to_keep": "004:18",
            },
            "action": {
                "enough_resources": "004:18",
                "never_to_rivals": "004:18",
                "beyond_expectation": "004:18",
            },
        },
        "iron": {
            "trait": {
                "low_value_high_potential": "004:14",
                "small_share_of_much": "004:14",
                "profit_ahead": "004:14",
            },
            "problem": {
                "early_phase": "004:14",
                "no_trust_yet": "004:14",
            },
            "action": {
                "rebuild": "004:15",
                "raise_customer_value": "004:15",
                "satisfy_and_win_trust": "004:15",
                "to_stable_phase": "004:15",
                "harvest": "004:15",
            },
        },
        "lead": {
            "trait": {
                "least_attractive": "004:12",
                "small_orders": "004:12",
                "credit_risk": "004:12",
                "harsh_demands": "004:12",
                "too_custom": "004:12",
            },
            "action": {
                "no_resources": "004:13",
                "price_above_market": "004:13",
                "refuse_demands": "004:13",
                "let_go": "004:13",
            },
        },
    },
    "size_class": {
        "key": {
            "action": {
                "serve_directly": "001:59",
                "whole_way": "003:207",
                "own_solutions": "003:207",
                "lasting_relation": "003:207",
            },
        },
        "ordinary": {
            "action": {
                "grow_to_key": "004:21",
                "serve_less": "004:21",
                "through_agents": "001:59",
            },
        },
        "small": {
            "action": {
                "grow": "004:21",
                "raise_price": "004:21",
                "lower_cost": "004:21",
                "through_agents": "001:59",
            },
        },
    },
    "mvc_mgc_bzc": {
        "mvc": {
            "action": {
                "keep_relation": "001:93",
                "concentrate": "001:95",
                "image": "001:97",
            },
        },
        "mgc": {
            "action": {
                "push_growth": "001:93",
            },
        },
        "bzc": {
            "action": {
                "exclude": "001:93",
                "strategic_exception": "001:97",
            },
        },
    },
    "wallet_matrix": {
        "keep_close": {
            "trait": {
                "high_share": "001:95",
                "buys_much_soon": "001:95",
            },
            "action": {
                "good_contact": "001:95",
            },
        },
        "develop": {
            "trait": {
                "low_share": "001:95",
                "buys_much_soon": "001:95",
            },
            "action": {
                "develop": "001:95",
            },
        },
        "keep_or_acquire": {
            "trait": {
                "high_share": "001:95",
                "buys_little_soon": "001:95",
            },
            "action": {
                "keep_or_acquire": "001:95",
            },
        },
        "acquire_or_drop": {
            "trait": {
                "low_share": "001:95",
                "buys_little_soon": "001:95",
            },
            "action": {
                "acquire_or_drop": "001:95",
            },
        },
    },
    "deal_intent": {
        "won_very": {
            "action": {
                "after_sales": "001:79",
                "market_again": "001:79",
                "serve_for_life": "001:87",
                "grade_by_value": "001:83",
            },
        },
        "won_general": {
            "action": {
                "after_sales": "001:79",
                "market_again": "001:79",
                "serve_for_life": "001:87",
                "grade_by_value": "001:83",
            },
        },
        "won_none": {
            "action": {
                "after_sales": "001:79",
                "market_again": "001:79",
                "serve_for_life": "001:87",
                "grade_by_value": "001:83",
            },
        },
        "not_won_very": {
            "action": {
                "follow_up_by_class": "001:79",
                "court": "001:89",
                "grade_by_likelihood": "001:85",
            },
        },
        "not_won_general": {
            "action": {
                "follow_up_by_class": "001:79",
                "court": "001:89",
                "grade_by_likelihood": "001:85",
            },
        },
        "not_won_none": {
            "action": {
                "follow_up_by_class": "001:79",
                "court": "001:89",
                "grade_by_likelihood": "001:85",
            },
        },
    },
    "hotel_guest": {
        "loyal": {
            "trait": {
                "profitable": "002:17",
            },
            "action": {
                "talk": "002:19",
                "feelings": "002:19",
            },
        },
        "important": {
            "action": {
                "meet_wishes": "002:19",
                "to_loyal": "002:19",
            },
        },
        "new": {
            "action": {
                "find_important": "002:19",
                "serve_less": "002:19",
            },
        },
        "potential": {
            "action": {
                "bonus_points": "002:19",
                "publicity": "002:19",
            },
        },
    },
    "hsbc_matrix": {
        "A": {
            "trait": {
                "loyal_and_valuable": "004:2",
            },
        },
        "B": {
            "trait": {
                "valuable": "004:3",
            },
        },
        "C": {
            "trait": {
                "loyal": "004:4",
            },
        },
        "D": {
            "trait": {
                "neither": "004:5",
            },
        },
        "E": {
            "trait": {
                "inactive": "004:6",
            },
        },
        "F": {
            "trait": {
                "possible": "004:7",
            },
        },
    },
    "spend_band": {
        "high": {
            "trait": {
                "spends_much": "001:21",
            },
            "action": {
                "special_service": "001:21",
                "more_time": "001:21",
            },
        },
        "mid": {
            "trait": {
                "undeveloped": "001:21",
            },
            "action": {
                "develop_value": "001:21",
            },
        },
        "low": {
            "action": {
                "confirm_first": "001:21",
                "basic_care": "001:21",
            },
        },
    },
    "relationship_stage": {
        "existing": {
            "action": {
                "maintain": "000:8",
                "first": "000:10",
            },
        },
        "new": {
            "action": {
                "care": "000:8",
                "to_existing": "000:8",
                "second": "000:10",
            },
        },
        "potential": {
            "action": {
                "not_neglected": "000:9",
                "third": "000:10",
            },
        },
    },
    "value_class": {
        "vip": {
            "trait": {
                "large_share": "000:21",
                "few": "000:21",
            },
        },
        "important": {
            "trait": {
                "often_much_profitable": "000:22",
                "affects_results": "000:22",
            },
        },
        "ordinary": {
            "trait": {
                "little_each": "000:23",
                "little_profit": "000:23",
                "many": "000:23",
            },
        },
    },
    "loyalty_class": {
        "loyal": {
            "trait": {
                "satisfied": "000:26",
                "long_and_repeatedly": "000:26",
                "four_traits": "000:26",
            },
            "action": {
                "interact": "000:26",
            },
        },
        "old": {
            "trait": {
                "long_deals": "000:27",
                "knows_well": "000:27",
            },
            "problem": {
                "deals_elsewhere": "000:27",
            },
        },
        "new": {
            "trait": {
                "has_just_begun": "000:28",
            },
            "problem": {
                "knows_little": "000:28",
            },
        },
        "potential": {
            "trait": {
                "need_without_deal": "000:29",
            },
            "action": {
                "win_over": "000:29",
                "develop_in_crm": "000:29",
            },
        },
    },
    "relation_type": {
        "consumer": {
            "trait": {
                "uses_it": "000:15",
                "many_small": "000:15",
            },
        },
        "intermediary": {
            "trait": {
                "resells": "000:16",
                "between": "000:16",
            },
        },
        "internal": {
            "trait": {
                "inside": "000:17",
                "sales_staff": "000:17",
            },
            "problem": {
                "neglected": "000:17",
            },
        },
        "public_benefit": {
            "trait": {
                "public_interest": "000:18",
                "takes_a_share": "000:18",
            },
        },
    },
    "customer_status": {
        "current": {
            "trait": {
                "buys": "000:35",
            },
        },
        "churned": {
            "trait": {
                "bought_before": "000:36",
            },
        },
        "target": {
            "trait": {
                "worth_developing": "000:34",
            },
        },
        "potential": {
            "trait": {
                "need": "000:33",
                "could_buy": "000:33",
            },
        },
        "non_customer": {
            "trait": {
                "cannot_buy": "000:32",
            },
        },
    },
    "lifecycle_focus": {
        "acquire": {
            "action": {
                "attract": "003:198",
                "channels": "003:198",
            },
        },
    },
    "shopper_type": {
        "student": {
            "trait": {
                "buys_often": "002:1",
                "little_at_a_time": "002:1",
                "few_kinds": "002:3",
                "answers_to_price": "002:3",
            },
            "action": {
                "discounts": "002:3",
            },
        },
    },
    "high_ticket_ladder": {
        "intent": {
            "trait": {
                "introduced_or_quoted": "003:109",
                "need_is_clear": "003:109",
            },
            "action": {
                "do_not_push": "000:124",
            },
        },
        "potential": {
            "trait": {
                "some_contact": "003:109",
                "need_is_not_clear": "003:109",
            },
            "action": {
                "do_not_push": "000:124",
            },
        },
        "stranger": {
            "trait": {
                "no_contact": "003:109",
            },
            "action": {
                "do_not_push": "000:124",
            },
        },
    },
    "seat_plan": {
        tier: {"trait": dict.fromkeys(points, "002:19")}
        for tiers, points in (
            (
                ("vip1", "vip2", "vip3", "vip4"),
                ("office_edition", "within_the_company"),
            ),
            (("gold", "silver"), ("edition_400_800", "outside_the_company")),
        )
        for tier in tiers
    },
}
# The parts of which the texts say nothing, and the tiers that they do not name.
SILENT = {
    "awake",  # of dormancy: the stage of the lifecycle says it
    "regular",  # of hotel_guest: a guest in none of the four classes
    "other",  # of mvc_mgc_bzc
    "convert",
    "expand",
    "retain",  # of lifecycle_focus: the text breaks off after the first stage
    "household",
    "super",
    "repeat",
    "first_order",  # of high_ticket_ladder: the text names them only
}
SCHEMES = sorted(LIBRARY.glob("*.yaml"))


def points_of(scheme):
    """tier → part → point → its place, of a scheme of the library."""
    found = {}
    for tier in scheme.document.tiers:
        for part, points in tier.playbook.parts.items() if tier.playbook else ():
            if points:
                places = {point.id: point.source for point in points}
                found.setdefault(tier.tier, {})[part] = places
    return found


@pytest.mark.parametrize("path", SCHEMES, ids=lambda path: path.stem)
def test_every_point_is_listed_with_the_line_it_comes_from(path):
    found = points_of(read_scheme(path))
    assert found == POINTS.get(path.stem, {})
    # Also the order: what comes first in practice comes first here.
    for tier, parts in found.items():
        for part, points in parts.items():
            assert list(points) == list(POINTS[path.stem][tier][part])


@pytest.mark.parametrize("name", POINTS)
def test_no_tier_is_forgotten(name):
    tiers = {tier.tier for tier in read_scheme(LIBRARY / f"{name}.yaml").document.tiers}
    assert tiers - SILENT == set(POINTS[name])


def test_the_table_has_a_row_for_each_point(grade, order):
    graded = grade({"transactions": [order("c", "2026-01-01")]})
    rows = graded.rows(
        "select scheme, tier, part, position, point_id, text_en, text_zh"
        " from segment_playbook order by all"
    )
    schemes = {scheme for scheme, *_ in rows}
    expected = [
        (scheme, tier, part, position, point)
        for scheme, tiers in POINTS.items()
        if scheme in schemes
        for tier, parts in tiers.items()
        for part, points in parts.items()
        for position, point in enumerate(points, 1)
    ]
    assert {"private_domain_lifecycle", "rfm_8", "hotel_guest"} <= schemes
    assert [tuple(row[:5]) for row in rows] == sorted(expected)
    for *_, english, chinese in rows:
        assert re.search("[a-z]", english)
        assert re.search("[\u4e00-\u9fff]", chinese)


CARD = """\
scheme: card
version: 1
kind: ladder
name: {en: Card, zh: 会员卡}
rules:
  - {tier: all, reason: {en: r, zh: 由}}
tiers:
  - tier: all
    name: {en: All, zh: 全部}
    playbook:
"""
POINT = "{id: kind, en: Is kind, zh: 友善}"


@pytest.mark.parametrize(
    ("playbook", "message"),
    [
        ("      traits: []\n", "give a point of 'traits', 'problems' or 'actions'"),
        (
            f"      traits: [{POINT}]\n      actions: [{POINT}]\n",
            "point 'kind' is given twice",
        ),
        ("      traits: {en: Is kind, zh: 友善}\n", "must be a list"),
        ("      traits: [{en: Is kind, zh: 友善}]\n", "id"),
        ("      traits: [{id: kind, en: Is kind}]\n", "zh"),
        (f"      trait: [{POINT}]\n", "traits"),
    ],
)
def test_a_wrong_playbook_is_told_in_one_line(tmp_path, playbook, message):
    file = tmp_path / "card.yaml"
    file.write_text(CARD + playbook, encoding="utf-8")
    with pytest.raises(ConfigurationError) as told:
        read_scheme(file)
    line = str(told.value)
    assert message in line
    assert "playbook" in line
    assert "\n" not in line


def test_the_library_page_shows_the_points_in_both_languages():
    page = library_page()
    for scheme, tiers in POINTS.items():
        for tier in read_scheme(LIBRARY / f"{scheme}.yaml").document.tiers:
            if tier.tier in tiers:
                for points in tier.playbook.parts.values():
                    for point in points:
                        assert point.en in page
                        assert point.zh in page
