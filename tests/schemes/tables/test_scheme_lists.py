"""The lists of schemes and of their rules, as people read them in a BI tool."""

from decimal import Decimal

from schemes.language.files import library
from sql.contracts import feeds

ORDER = {
    "transaction_id": "1",
    "customer_id": "A",
    "occurred_at": "2026-05-01 12:00:00",
    "amount": 250,
}
OWN = """\
scheme: club
version: 1
kind: bands
name: {en: Club, zh: 俱乐部}
score: spend('ever')
tiers:
  - {tier: gold, from: 100, name: {en: Gold, zh: 金}}
"""


def test_schemes_of_the_library_say_what_they_grade_by(grade):
    said = grade({}).by_key("select scheme, about_en, about_zh from marts.schemes")

    assert set(said) == {scheme.scheme for scheme in library()}
    assert {scheme for scheme, about in said.items() if None in about} == set()
    assert said["henan_star"][0].startswith("Deduct, band, cap.")
    assert said["henan_star"][1].startswith("先扣分")


def test_a_scheme_that_does_not_say_what_it_grades_by_has_none(grade):
    graded = grade({}, own={"club": OWN})

    said = graded.by_key("select scheme, about_en, about_zh from marts.schemes")

    assert said["club"] == (None, None)


def test_classes_without_an_order_are_told_from_tiers(grade):
    graded = grade({"customers": [{"customer_id": "A"}], "transactions": [ORDER]})

    shown = graded.rows(
        "select scheme, is_classification, count(tier_rank) > 0"
        " from marts.scheme_tiers inner join marts.schemes using (scheme) group by all"
    )
    assert ("account_kind", True, False) in shown
    assert {is_classification for _, is_classification, _ in shown} == {True, False}
    assert [row for row in shown if row[1] == row[2]] == []


# What rules say.

RULES = "select rule_id, text_en, text_zh from marts.scheme_rules where scheme = ?"
QUOTING = """\
scheme: club
version: 1
kind: ladder
name: {en: Club, zh: 俱乐部}
parameters:
  least: {default: 3, unit: orders, about: {en: Least orders, zh: 最少订单数}}
  window: {default: 6 months, about: {en: Over which time, zh: 统计期间}}
define:
  twice: 2 * least
  n: orders(window)
rules:
  - tier: gold
    when: n >= twice
    reason:
      en: "Orders: {n} ({window}), {twice} is twice {least}"
      zh: "{window}{n}笔订单，{twice}为{least}的两倍"
  - {tier: other, reason: {en: "Below {twice}", zh: "不足{twice}笔"}}
tiers:
  - {tier: gold, name: {en: Gold, zh: 金}}
  - {tier: other, name: {en: Other, zh: 其他}}
"""


def test_rules_state_parameters_and_windows_in_force(grade):
    graded = grade(
        {"transactions": [ORDER]},
        own={"club": QUOTING},
        only=["club"],
        parameters={"club.least": 4, "club.window": "3 months"},
    )

    assert graded.by_key(RULES, "club") == {
        "gold": ("Orders: … (3 months), 8 is twice 4", "近3个月…笔订单，8为4的两倍"),
        "other": ("Below 8", "不足8笔"),
    }
    said = graded.rows(
        "select text_en, text_zh from customer_tier_reasons where scheme = 'club'"
    )
    assert said == [("Below 8", "不足8笔")]


def test_rules_state_bounds_in_force(grade):
    graded = grade(
        {"transactions": [ORDER]},
        only=["annual_points"],
        parameters={"annual_points.tiers.C.from": Decimal(3500)},
    )

    said = graded.by_key(RULES, "annual_points")
    assert said["C"] == (
        "Points: … (calendar year), from 3500",
        "本自然年积分…，达到3500",
    )
    assert said["D"][0] == "Points: … (calendar year), from 5000"
    # The same text of a customer has the customer's own value.
    filled = graded.rows(
        "select text_en from customer_tier_reasons"
        " where scheme = 'annual_points' and rule_id = 'A'"
    )
    assert said["A"][0] == "Points: … (calendar year), below 1000"
    assert filled == [("Points: 250 (calendar year), below 1000",)]


def test_rules_state_figures_about_the_population(grade):
    """The bound of a share is what it came to on the as-of date, with its currency."""
    orders = [
        ORDER | {"transaction_id": str(n), "customer_id": f"C{n}", "amount": n}
        for n in range(1, 101)
    ]

    graded = grade({"transactions": orders}, only=["value_pyramid"], currency="CNY")

    said = graded.by_key(RULES, "value_pyramid")
    assert said["gold"] == (
        "Spend … CNY (12 months), at least 96.00 CNY: top 5%",
        "近12个月消费… CNY，达到96.00 CNY，位于前5%",
    )
    assert said["lead"][0] == "Spend … CNY (12 months), below 81.00 CNY"


def test_no_rule_of_the_library_has_an_open_placeholder(grade):
    graded = grade(
        {name: [] for name in feeds()},
        columns={
            name: [column.name for column in feed.columns]
            for name, feed in feeds().items()
        },
    )

    said = graded.rows(
        "select scheme, rule_id, text_en, text_zh from marts.scheme_rules"
    )
    assert {scheme for scheme, *_ in said} == set(graded.plan.applicable)
    assert [
        row for row in said if "{" in row[2] + row[3] or not row[2] or not row[3]
    ] == []
    # What a scheme may say is one text for each rule, and none is left out.
    listed = {(scheme, rule_id) for scheme, rule_id, *_ in said}
    assert len(said) == len(listed)
    assert listed == {
        (compiled.scheme.scheme, step.id)
        for compiled in graded.plan.running
        for step in (*compiled.steps, *compiled.rules)
    } | {
        (compiled.scheme.scheme, "override")
        for compiled in graded.plan.running
        if compiled.has_overrides
    }
