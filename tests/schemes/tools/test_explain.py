"""Why a customer stands where it does, in both languages."""

import collections
import datetime
from decimal import Decimal

import pytest

from project.errors import ConfigurationError
from schemes.tools.explain import briefs, explain, lines, summary

SHARE = """\
scheme: share
version: 1
kind: bands
name: {en: Share, zh: 份额}
score: SCORE
tiers:
  - {tier: full, from: 10, name: {en: Full, zh: 满}}
  - {tier: part, name: {en: Part, zh: 部分}}
"""


@pytest.fixture
def graded(grade, order):
    return grade(
        {
            "transactions": [
                order("C-1", "2026-05-01", "3500.00"),
                order("C-2", "2026-05-02", 20),
            ],
            "overrides": [
                {
                    "customer_id": "C-2",
                    "scheme": "annual_points",
                    "tier": "D",
                    "reason": "friend of the house",
                    "approved_by": "boss",
                    "starts_on": "2026-01-01",
                    "ends_on": "2026-05-31",
                }
            ],
        },
        previous=[{"customer_id": "C-1", "annual_points_tier": "B"}],
    )


def test_one_scheme_in_english(graded):
    found = explain(graded.con, "C-1", "annual_points")
    assert list(lines(found)) == [
        "Customer C-1 on 2026-05-31",
        "",
        "Annual points class (annual_points 2): Class C",
        "  - Points: 3500 (calendar year), from 3000",
        "  Score: 3500",
        "  1500 more to Class D (best)",
        "  500 above the bound of this tier",
        "  Up from Class B",
        "  Entitled to:",
        "  + 8% off before public holidays (example), due 2026-06-12",
        "  + 6% off before school vacations (example), due 2026-06-24",
        "  + A birthday gift (example)",
        "  + A prize draw with one purchase from 78 (from Class A)",
        "  + A gift, that day only, with one purchase from 300 (example)",
    ]


def test_one_scheme_in_chinese(graded):
    found = explain(graded.con, "C-1", "annual_points", "zh")
    assert list(lines(found, "zh")) == [
        "客户 C-1，2026-05-31",
        "",
        "年积分等级 (annual_points 2): C 级",
        "  - 本自然年积分3500，达到3000",
        "  得分：3500",
        "  距D 级（最高）还差1500",
        "  高于本级下限500",
        "  由B 级上升",
        "  享有权益：",
        "  + 节假日前促销优惠8%（示例），日期2026-06-12",
        "  + 寒暑假前促销优惠6%（示例），日期2026-06-24",
        "  + 生日礼品（示例）",
        "  + 一次性购物满78元抽奖（沿用A 级）",
        "  + 一次性购物满300元赠礼，限当天领取（示例）",
    ]


def test_an_override_leaves_the_rule_visible(graded):
    (standing,) = explain(graded.con, "C-2", "annual_points").standings
    assert (standing.tier, standing.rule_tier, standing.is_overridden) == (
        "D",
        "A",
        True,
    )
    assert [step.rule_id for step in standing.steps] == ["A", "override"]
    said = list(lines(explain(graded.con, "C-2", "annual_points")))
    assert "  By the rule alone: Class A" in said


def test_all_schemes_and_json(graded):
    found = explain(graded.con, "C-1")
    assert found.as_of_date == datetime.date(2026, 5, 31)
    schemes = [standing.scheme for standing in found.standings]
    assert schemes == sorted(schemes)
    assert len(schemes) > 10
    plain = found.as_dict()
    (points,) = (
        standing
        for standing in plain["standings"]
        if standing["scheme"] == "annual_points"
    )
    assert points["score"] == "3500"
    assert points["steps"][0]["text"] == "Points: 3500 (calendar year), from 3000"


def test_unknown_names_are_refused_with_the_nearest(graded):
    with pytest.raises(ConfigurationError, match="no customer 'C-3'; did you mean 'C-"):
        explain(graded.con, "C-3")
    with pytest.raises(ConfigurationError, match="did you mean 'annual_points'"):
        explain(graded.con, "C-1", "anual_points")
    with pytest.raises(ConfigurationError, match="did not run: lacks feed balances"):
        explain(graded.con, "C-1", "bank_aum")


@pytest.mark.parametrize(
    ("amount", "gap"),
    [
        ("9.00", "1"),
        ("9.50", "0.5"),
        ("8.10", "1.9"),
        ("9.98", "0.02"),
        ("9.001", "1"),
        ("9.995", "0.005"),
        ("9.9876543", "0.012"),
        ("8.7654321", "1.23"),
    ],
)
def test_gaps_are_rounded_and_never_to_nothing(grade, order, amount, gap):
    content = SHARE.replace("SCORE", f"{amount} + 0 * orders('ever')")
    graded = grade({"transactions": [order("a", "2026-05-01")]}, own={"share": content})
    said = list(lines(explain(graded.con, "a", "share")))
    assert f"  {gap} more to Full" in said
    (standing,) = explain(graded.con, "a", "share").as_dict()["standings"]
    assert Decimal(standing["gap_to_next"]) == 10 - Decimal(amount)


FLAGS = """\
flags:
  - {flag: big, when: spend('ever') >= 100, name: {en: Buys big, zh: 大单}}
  - {flag: recent, when: recency < 99}
  - {flag: lost, when: recency >= 99, name: {en: Lost, zh: 流失}}
"""


def test_flags_are_named(grade, order):
    content = SHARE.replace("SCORE", "orders('ever')") + FLAGS
    graded = grade({"transactions": [order("a", "2026-05-01")]}, own={"share": content})
    for lang, said in (("en", "Flags: Buys big; recent"), ("zh", "标记：大单；recent")):
        found = explain(graded.con, "a", "share", lang)
        assert f"  {said}" in list(lines(found, lang))
        assert found.standings[0].flags == ("big", "recent")


def test_a_flag_that_a_step_says_is_not_said_again(grade):
    opportunity = {"opportunity_id": "1", "customer_id": "a", "stage": "open"}
    dated = {"need_level": "clear", "expected_close_date": "2026-05-30"}
    graded = grade({"opportunities": [opportunity | dated]})
    found = explain(graded.con, "a", "opportunity_grade")
    assert found.standings[0].flags == ("overdue",)
    assert found.standings[0].flag_names == ("Past its closing date",)
    assert list(lines(found))[3:] == ["  - Clear need, past its closing date"]


def test_every_flag_that_is_raised_has_a_name(graded):
    unnamed = graded.rows(
        "select distinct scheme, flag from"
        " (select scheme, unnest(flags) as flag from customer_tiers)"
        " anti join scheme_flags using (scheme, flag)"
    )
    assert unnamed == []
    said = graded.by_key(
        "select flag, name_en from scheme_flags where scheme = 'high_ticket_ladder'"
    )
    assert said == {"kept_forward_only": "Kept: the tier does not fall back"}


def test_a_line_a_scheme_says_where_it_stands_and_what_is_missing(graded):
    found = explain(graded.con, "C-1")
    said = {brief.scheme: (brief.tiers, brief.change) for brief in briefs(found)}
    assert list(said) == sorted({standing.scheme for standing in found.standings})
    change = "up from Class B; 1500 more to Class D (best)"
    assert said["annual_points"] == ("Class C", change)
    (brief,) = briefs(explain(graded.con, "C-1", "annual_points", "zh"), "zh")
    assert (brief.tiers, brief.change) == ("C 级", "由B 级上升；距D 级（最高）还差1500")


def test_the_summary_counts_schemes_and_moves(graded):
    found = explain(graded.con, "C-1")
    moved = collections.Counter(
        movement
        for movement in ("up", "down", "changed")
        for _ in {
            standing.scheme
            for standing in found.standings
            if standing.movement == movement
        }
    )
    n_schemes = len({standing.scheme for standing in found.standings})
    assert moved["up"]  # annual_points, above
    assert summary(found).startswith(f"{n_schemes} schemes; since the release before: ")
    assert f"{moved['up']} up" in summary(found)
    assert ("down" in summary(found)) == bool(moved["down"])
    only = explain(graded.con, "C-1", "annual_points", "zh")
    assert summary(only, "zh") == "1 个方案；与上一版本相比：1 个上升"


def test_a_line_says_that_a_person_decided(graded):
    (brief,) = briefs(explain(graded.con, "C-2", "annual_points"))
    assert brief.tiers == "Class D (best)"
    assert brief.change.endswith("decided by a person")


def test_a_line_names_the_first_few_scopes(grade, order):
    lines_of = [
        order(f"a-{place}", "2026-05-01", category=name)
        | {"transaction_id": f"t{place}", "customer_id": "a"}
        for place, name in enumerate(["apples", "bread", "cheese", "dates", "eggs"])
    ]
    graded = grade({"transactions": lines_of})
    (brief,) = briefs(explain(graded.con, "a", "category_points"))
    assert brief.tiers.startswith("apples Class A; bread Class A; cheese Class A; ")
    assert brief.tiers.endswith("; 2 more")
