"""What customers are entitled to: what tiers hand up, days, approvals, words."""

import datetime
from decimal import Decimal

import pytest

from project.errors import ConfigurationError
from schemes.language.files import read_scheme
from schemes.language.sources import LIBRARY
from schemes.tables.entitlements import entitlements_of
from schemes.tools.explain import explain, lines
from schemes.tools.linter import lint
from sql.contracts import feeds

CARD = """\
scheme: card
version: 1
kind: ladder
name: {en: Card, zh: 会员卡}
rules:
  - {tier: gold, when: "orders('ever') >= 3", reason: {en: r, zh: 由}}
  - {tier: silver, when: "orders('ever') >= 2", reason: {en: r, zh: 由}}
  - {tier: bronze, when: "orders('ever') >= 1", reason: {en: r, zh: 由}}
  - {tier: none, reason: {en: r, zh: 由}}
tiers:
  - {tier: gold, name: {en: Gold, zh: 金}}
  - {tier: silver, name: {en: Silver, zh: 银}}
  - {tier: bronze, name: {en: Bronze, zh: 铜}}
  - {tier: none, name: {en: None yet, zh: 无}}
"""
BENEFITS = """\
inherit: from_lower_tiers
entitlements:
  bronze:
    - {benefit: fee, value: full, name: {en: Full fee, zh: 全价}}
    - {benefit: card, value: plastic, name: {en: A card, zh: 卡}}
    - {benefit: gift, value: card, due: birthday, name: {en: Birthday card, zh: 生日卡}}
  silver:
    - {benefit: fee, value: half, name: {en: Half the fee, zh: 半价}}
    - {benefit: day_gift, value: 200, due: basket, name: {en: Gift, zh: 赠礼}}
    - {benefit: draw, value: 78, due: basket, name: {en: Draw, zh: 抽奖}}
  gold:
    - {benefit: fee, value: waived, name: {en: No fee, zh: 免费}}
    - {benefit: sale, value: early, due_days: ["06-01"], name: {en: Sale, zh: 促销}}
"""


def held(graded, customer, scheme="card"):
    """Benefit → (tier, value, from where, when) of a customer."""
    rows = graded.rows(
        "select benefit, tier, value, inherited_from, due_date"
        f" from customer_entitlements where customer_id = '{customer}'"
        f" and scheme = '{scheme}'"
    )
    return {benefit: rest for benefit, *rest in rows}


def orders(order, customer, n):
    return [order(customer, f"2026-01-{day:02}") for day in range(1, n + 1)]


def overrides(customer, tier, *, scheme="card", starts="2026-01-01", ends=None):
    return {
        "customer_id": customer,
        "scheme": scheme,
        "tier": tier,
        "reason": "long friend",
        "approved_by": "the boss",
        "starts_on": starts,
        "ends_on": ends,
    }


def test_a_better_tier_has_what_those_below_have(grade, order):
    given = {
        "transactions": [
            line for name, n in (("g", 3), ("s", 2), ("b", 1))
            for line in orders(order, name, n)
        ],
        "customers": [{"customer_id": "n"}],
    }  # fmt: skip
    graded = grade(given, own={"card": CARD + BENEFITS})
    assert held(graded, "b") == {
        "fee": ["bronze", "full", None, None],
        "card": ["bronze", "plastic", None, None],
        "gift": ["bronze", "card", None, None],
    }
    assert held(graded, "s") == {
        "fee": ["silver", "half", None, None],
        "card": ["silver", "plastic", "bronze", None],
        "gift": ["silver", "card", "bronze", None],
        "day_gift": ["silver", "200", None, None],
        "draw": ["silver", "78", None, None],
    }
    # Of what several lower tiers state, the nearest counts.
    june = datetime.date(2026, 6, 1)
    assert held(graded, "g") == {
        "fee": ["gold", "waived", None, None],
        "card": ["gold", "plastic", "bronze", None],
        "gift": ["gold", "card", "bronze", None],
        "day_gift": ["gold", "200", "silver", None],
        "draw": ["gold", "78", "silver", None],
        "sale": ["gold", "early", None, june],
    }
    assert held(graded, "n") == {}


def test_without_inherit_each_tier_has_its_own(grade, order):
    own = {"card": CARD + BENEFITS.replace("inherit: from_lower_tiers\n", "")}
    graded = grade({"transactions": orders(order, "g", 3)}, own=own)
    assert sorted(held(graded, "g")) == ["fee", "sale"]


def test_a_tier_that_a_person_set_entitles_and_the_rules_tier_shows(grade, order):
    given = {
        "transactions": [
            line for name in ("up", "over", "last") for line in orders(order, name, 1)
        ],
        "overrides": [
            overrides("up", "silver"),
            overrides("over", "gold", ends="2026-05-30"),
            overrides("last", "gold", ends="2026-05-31"),
        ],
    }
    graded = grade(given, own={"card": CARD + BENEFITS})
    assert held(graded, "up")["fee"] == ["silver", "half", None, None]
    assert held(graded, "over")["fee"] == ["bronze", "full", None, None]
    assert held(graded, "last")["fee"] == ["gold", "waived", None, None]
    shown = graded.rows(
        "select customer_id, tier, rule_tier, is_overridden from customer_tiers"
        " where scheme = 'card' order by all"
    )
    assert shown == [
        ("last", "gold", "bronze", True),
        ("over", "bronze", "bronze", False),
        ("up", "silver", "bronze", True),
    ]


def test_an_approval_outside_the_population_has_no_tier_by_rule(grade, order):
    own = CARD.replace("rules:", "population: orders('ever') >= 1\nrules:")
    given = {
        "transactions": orders(order, "a", 1),
        "customers": [{"customer_id": "out"}],
        "overrides": [overrides("out", "gold")],
    }
    graded = grade(given, own={"card": own + BENEFITS})
    (row,) = graded.rows(
        "select tier, rule_tier, reason_code from customer_tiers"
        " where scheme = 'card' and customer_id = 'out'"
    )
    assert row == ("gold", "unrated", "overridden")
    assert held(graded, "out")["fee"][1] == "waived"


def test_a_big_customer_by_approval_shows_what_the_rule_gives(grade):
    bills = [
        {"customer_id": name, "bill_month": "2026-05-01", "amount": 10}
        for name in ("approved", "odd", "denied", "plain")
    ]
    decided = [
        overrides("approved", None, scheme="big_customer"),
        overrides("odd", "vip", scheme="big_customer"),
        overrides("denied", "other", scheme="big_customer"),
    ]
    given = {
        "bills": bills,
        "customers": [{"customer_id": "plain", "parent_customer_id": None}],
        "overrides": decided,
        "service_lines": [],
    }
    graded = grade(
        given,
        columns={"service_lines": ["service_id", "customer_id", "activated_on"]},
        only=["big_customer"],
    )
    shown = graded.rows(
        "select customer_id, tier, rule_tier, flags from customer_tiers"
        " where scheme = 'big_customer' order by all"
    )
    assert shown == [
        ("approved", "big", "other", ["by_approval", "as_person"]),
        ("denied", "other", "other", ["by_approval", "as_person"]),
        ("odd", "big", "other", ["by_approval", "as_person"]),
        ("plain", "other", "other", []),
    ]
    services = held(graded, "approved", "big_customer")
    assert {name: value for name, (_, value, *_) in services.items()} == {
        "priority": "at each step",
        "quality": "at each step",
        "discount": "at each step",
        "reservation": "persons",
        "family_number": "persons",
        "region_card": "in other regions",
        "region_repair": "in other regions",
        "region_payment": "in other regions",
        "region_number": "in other regions",
        "cross_industry": "named",
    }
    assert held(graded, "plain", "big_customer") == {}


def test_persons_and_groups_have_the_services_that_are_theirs(grade):
    """A member of a group is a person; a group is who has members."""
    customers = [
        {"customer_id": "group", "parent_customer_id": None},
        {"customer_id": "member", "parent_customer_id": "group"},
        {"customer_id": "person", "parent_customer_id": None},
    ]
    graded = grade(
        {
            "bills": [],
            "customers": customers,
            "overrides": [
                overrides(name, None, scheme="big_customer")
                for name in ("group", "member", "person")
            ],
            "service_lines": [],
        },
        columns={
            "service_lines": ["service_id", "customer_id", "activated_on"],
            "bills": ["customer_id", "bill_month", "amount"],
        },
        only=["big_customer", "account_kind"],
    )
    personalised = {
        name: set(held(graded, name, "big_customer"))
        & {"reservation", "family_number", "private_network", "pbx", "leased_line"}
        for name in ("group", "member", "person")
    }
    assert personalised == {
        "group": {"private_network", "pbx", "leased_line"},
        "member": {"reservation", "family_number"},
        "person": {"reservation", "family_number"},
    }
    for name in personalised:
        assert "region_card" in held(graded, name, "big_customer")
    assert graded.by_key(
        "select benefit, flag from entitlements where scheme = 'big_customer'"
        " and benefit in ('pbx', 'reservation', 'priority')"
    ) == {"pbx": "as_group", "reservation": "as_person", "priority": None}


@pytest.mark.parametrize(
    ("benefit", "says"),
    [
        ("{benefit: b, value: x, flag: as_groop}", "no flag 'as_groop'; did you mean"),
        (
            "{benefit: b, value: x, flag: as_group, due: birthday}",
            "b: has all customers of the tier; leave 'flag' out",
        ),
        (
            "{benefit: account_manager, value: senior, flag: as_group}",
            "account_manager: has all customers of the tier",
        ),
    ],
)
def test_a_flag_of_a_benefit_that_is_wrong_is_told(tmp_path, benefit, says):
    written = (LIBRARY / "big_customer.yaml").read_text("utf-8")
    start = written.index("    - {benefit: cross_industry")
    file = tmp_path / "big.yaml"
    file.write_text(f"{written[:start]}    - {benefit}\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as told:
        entitlements_of(read_scheme(file))
    assert says in str(told.value)
    assert "\n" not in str(told.value)


def member(customer, *, is_member=True):
    return {"customer_id": customer, "is_member": is_member}


@pytest.mark.parametrize(
    ("tier", "earlier", "amount"),
    [("A", 0, 500), ("B", 1000, 400), ("C", 3000, 300), ("D", 5000, 200)],
)
def test_one_purchase_of_the_day_brings_a_gift_by_level(
    grade, order, tier, earlier, amount
):
    as_of = "2026-05-31"
    below = amount - Decimal("0.01")
    half = Decimal(amount) / 2

    def today(customer, amount, number=1):
        line = order(customer, as_of, str(amount))
        return {**line, "transaction_id": f"{customer} {number}"}

    def given_back(customer, amount):
        line = today(customer, amount, 2)
        return {**line, "original_transaction_id": f"{customer} 1"}

    names = ["below", "at", "above", "two", "refunded", "just_refunded", "yesterday"]
    given = {
        "customers": [member(name) for name in names],
        "transactions": [
            today("below", below),
            today("at", amount),
            today("above", amount + 1),
            # Only together do they reach the amount.
            today("two", half), today("two", half, 2),
            # One cent of it given back, on the same day.
            today("refunded", amount),
            given_back("refunded", "-0.01"),
            today("just_refunded", amount + 1),
            given_back("just_refunded", -1),
            order("yesterday", "2026-05-30", str(amount)),
        ],
    }  # fmt: skip
    if earlier:
        given["transactions"] += [
            order(name, "2026-01-01", str(earlier)) for name in names
        ]
    graded = grade(given, only=["annual_points"])
    assert set(graded.tiers("annual_points").values()) == {tier}
    due = {
        name: held(graded, name, "annual_points")["purchase_gift"][3] for name in names
    }
    day = datetime.date(2026, 5, 31)
    assert due == dict.fromkeys(names) | dict.fromkeys(
        ("at", "above", "just_refunded"), day
    )


@pytest.mark.parametrize(
    ("amount", "draws"), [("77.99", False), ("78.00", True), ("78.01", True)]
)
def test_members_draw_a_prize_with_one_purchase(grade, order, amount, draws):
    people = [member("yes"), member("unknown", is_member=None)]
    people.append(member("no", is_member=False))
    given = {
        "customers": people,
        "transactions": [
            order(who["customer_id"], "2026-05-31", amount, category="tea")
            for who in people
        ],
    }
    graded = grade(given, only=["annual_points", "category_points"])
    day = datetime.date(2026, 5, 31) if draws else None
    for who in ("yes", "unknown"):
        assert held(graded, who, "annual_points")["prize_draw"] == [
            "A",
            "78",
            None,
            day,
        ]
        assert held(graded, who, "category_points") != {}
    for scheme in ("annual_points", "category_points"):
        assert held(graded, "no", scheme) == {}
        assert "no" not in graded.tiers(scheme)


def test_without_the_column_everybody_is_a_member(grade, order):
    graded = grade(
        {"transactions": [order("a", "2026-05-31", 10)]}, only=["annual_points"]
    )
    assert graded.tiers("annual_points") == {"a": "A"}


@pytest.mark.parametrize(
    ("as_of", "due", "until"),
    [
        # National Day 2026 begins on 1 October, Mid-Autumn on 25 September.
        ("2026-09-16", "2026-09-18", "2026-09-24"),
        ("2026-09-18", "2026-09-18", "2026-09-24"),
        ("2026-09-24", "2026-09-24", "2026-09-24"),
        ("2026-09-25", "2026-09-25", "2026-09-30"),
        ("2026-09-30", "2026-09-30", "2026-09-30"),
        ("2026-10-01", "2026-12-25", "2026-12-31"),
    ],
)
def test_promotions_run_before_public_holidays(grade, order, as_of, due, until):
    day = datetime.date.fromisoformat(as_of)
    given = {"transactions": [order("a", as_of, 10)]}
    graded = grade(given, as_of=day, only=["annual_points"])
    (row,) = graded.rows(
        "select value, due_date::text, due_until_date::text from customer_entitlements"
        " where benefit = 'holiday_promotion'"
    )
    assert row == ("3%", due, until)


def test_promotions_and_birthday_gifts_differ_by_level(grade):
    named = ("holiday_promotion", "vacation_promotion", "birthday_gift")
    graded = grade({"transactions": []}, only=["annual_points"])
    for benefit in named:
        rows = graded.rows(
            "select value, name_en, name_zh from entitlements where benefit = ?",
            benefit,
        )
        assert len({value for value, *_ in rows}) == 4
        # Practice gives no amounts.
        assert all(name.endswith(" (example)") for _, name, _ in rows)
        assert all(name.endswith("（示例）") for *_, name in rows)


def test_a_value_that_the_project_sets_is_no_example(grade):
    address = "annual_points.entitlements.D.purchase_gift"
    graded = grade(
        {"transactions": []}, only=["annual_points"], parameters={address: 250}
    )
    rows = graded.rows(
        "select name_en, name_zh from entitlements"
        " where benefit = 'purchase_gift' and tier = 'D'"
    )
    assert rows == [
        (
            "A gift, that day only, with one purchase from 250",
            "一次性购物满250元赠礼，限当天领取",
        )
    ]


def test_students_pay_less_and_households_do_not():
    types = entitlements_of(read_scheme(LIBRARY / "shopper_type.yaml"))
    assert [(held.tier, held.benefit.benefit) for held in types] == [
        ("student", "student_discount")
    ]


def test_points_of_vips_are_cleared_later(grade, order):
    given = {
        "transactions": [
            order("vip", "2026-05-01", 3000),
            order("ordinary", "2026-05-01", "2999.99"),
        ]
    }
    graded = grade(given, only=["supermarket_member"])
    assert graded.rows("select customer_id from late_clears") == [("vip",)]
    graded = grade(given, only=["annual_points"])
    assert graded.rows("select customer_id from late_clears") == []


def test_a_vip_of_the_supermarket_pays_no_entry_fee():
    by_tier = {}
    for held in entitlements_of(read_scheme(LIBRARY / "supermarket_member.yaml")):
        benefits = by_tier.setdefault(held.tier, {})
        benefits[held.benefit.benefit] = held.benefit.value
    assert by_tier == {
        "ordinary": {
            "entry_fee": "2",
            "points_clearing": "often",
            "gifts": "few for many points",
        },
        "vip": {
            "entry_fee": "none",
            "points_cleared": "one month later",
            "gifts": "more for fewer points",
        },
    }


@pytest.mark.parametrize(
    ("as_of", "due"),
    [
        ("2027-02-27", "2027-02-28"),
        ("2027-02-28", "2027-02-28"),
        ("2027-03-01", "2028-02-29"),
        ("2028-02-28", "2028-02-29"),
    ],
)
def test_a_birthday_gift_is_due_on_the_birthday(grade, as_of, due):
    """100,000 × 365 days is gold; the gift comes with diamond, from 1,000,000."""
    day = datetime.date.fromisoformat(as_of)
    balances = [
        {
            "customer_id": name,
            "account_id": name,
            "balance_date": "2020-01-01",
            "balance_amount": amount,
        }
        for name, amount in (("diamond", 1_000_000), ("gold", 999_999))
    ]
    people = [
        {"customer_id": name, "birth_date": "2000-02-29"}
        for name in ("diamond", "gold")
    ]
    graded = grade(
        {"balances": balances, "customers": people}, as_of=day, only=["bank_aum"]
    )
    gift = held(graded, "diamond", "bank_aum")["birthday_gift"]
    assert gift == ["diamond", "given", None, datetime.date.fromisoformat(due)]
    assert "birthday_gift" not in held(graded, "gold", "bank_aum")
    # Nobody's birthday leaves the warehouse who has no benefit of it.
    assert graded.rows("select customer_id from benefit_dates") == [("diamond",)]


def test_the_banks_benefits_add_up_tier_by_tier():
    bank = entitlements_of(read_scheme(LIBRARY / "bank_aum.yaml"))
    by_tier = {}
    for entitlement in bank:
        by_tier.setdefault(entitlement.tier, {})[entitlement.benefit.benefit] = (
            entitlement.benefit.value
        )
    gold = {"transfer_fee": "half", "queue": "priority", "annual_fee": "none"}
    platinum = gold | {"transfer_fee": "waived", "messages": "free"}
    black_gold = platinum | {"books": "given", "airport_lane": "open"}
    diamond = black_gold | {
        "check_up": "given", "adviser": "own",
        "birthday_gift": "given", "birthday_greeting": "given",
    }  # fmt: skip
    assert by_tier["gold"] == gold
    assert by_tier["platinum"] == platinum
    assert by_tier["black_gold"] == black_gold
    assert by_tier["diamond"] == diamond
    assert by_tier["private"] == diamond | {
        "golf": "invited", "salon": "invited", "club": "member",
        "emergency_payment": "elsewhere in the country",
    }  # fmt: skip
    # Nothing else is free, and nothing is yearly or worldwide.
    words = " ".join(
        f"{entitlement.benefit.value} {entitlement.benefit.name.en}"
        for entitlement in bank
        if entitlement.benefit.benefit != "messages"
    )
    assert not {"free", "yearly", "year", "worldwide"} & set(words.lower().split())
    assert "ordinary" not in by_tier


def test_tiers_of_categories_entitle_category_by_category(grade, order):
    lots = [order("a", "2026-05-01", 5000, category="tea")]
    few = [order("a", "2026-05-02", 10, category="cups")]
    graded = grade({"transactions": lots + few}, only=["category_points"])
    rows = graded.rows(
        "select scope, tier, benefit, value from customer_entitlements"
        " where scheme = 'category_points' order by all"
    )
    assert rows == [
        ("cups", "A", "pay_ratio", "0.95"),
        ("tea", "D", "pay_ratio", "0.80"),
    ]


def test_a_project_sets_a_value_and_fills_in_what_a_template_leaves_open(grade):
    given = {
        "bills": [
            {"customer_id": "a", "bill_month": "2026-05-01", "amount": 1500},
        ],
        "service_lines": [
            {"service_id": "1", "customer_id": "a", "activated_on": "2026-04-01"}
        ],
    }
    graded = grade(given, only=["telecom_star"])
    assert graded.tiers("telecom_star") == {"a": "3"}
    assert held(graded, "a", "telecom_star") == {}

    address = "telecom_star.entitlements.1.waiting"
    graded = grade(given, only=["telecom_star"], parameters={address: "1 minute"})
    assert held(graded, "a", "telecom_star") == {
        "waiting": ["3", "1 minute", "1", None]
    }


@pytest.mark.parametrize(
    ("address", "value", "wrong"),
    [
        ("bank_aum.entitlements.gold.quue", "x", "did you mean 'queue'"),
        ("bank_aum.entitlements.glod.queue", "x", "has no 'glod'; did you mean 'gold'"),
        ("category_points.entitlements.D.pay_ratio", "1.01", "is a share, such as"),
        ("category_points.entitlements.D.pay_ratio", "0", "is a share, such as"),
        (
            "annual_points.entitlements.D.purchase_gift",
            "much",
            "the value is an amount",
        ),
    ],
)
def test_wrong_values_are_refused_in_one_line(grade, address, value, wrong):
    with pytest.raises(ConfigurationError, match=wrong) as caught:
        grade({"transactions": []}, parameters={address: value})
    assert "fenji.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("benefits", "line", "severity", "wrong"),
    [
        ("glod: [{benefit: a, value: x}]", 16, "error", "no tier 'glod'; did you mean"),
        (
            "gold: [{benefit: a, value: x}, {benefit: a, value: y}]",
            16, "error", "the tier 'gold' states 'a' twice",
        ),
        ("gold: [{benefit: a, value: x}]", 16, "warning", "'a' has no name"),
        (
            "gold: [{benefit: a, value: x, name: {en: Something, zh: Something}}]",
            3, "warning", "is not translated",
        ),
        ("gold: [{benefit: a, name: {en: A, zh: 甲}}]", 16, "warning", "is not set"),
        (
            'gold: [{benefit: a, due_days: ["02-30"], name: {en: A, zh: 甲}}]',
            16, "error", "is not a day of the year",
        ),
    ],
)  # fmt: skip
def test_the_linter_looks_at_benefits(project_of, benefits, line, severity, wrong):
    project = project_of()
    path = project.root / "card.yaml"
    path.write_text(f"{CARD}entitlements:\n  {benefits}\n", encoding="utf-8")
    (found,) = lint(project, [path])
    assert wrong in found.message
    assert found.severity == severity
    assert found.place.line == line or "translated" in wrong


def test_the_linter_sees_what_a_lower_tier_gives_already(project_of):
    project = project_of()
    path = project.root / "card.yaml"
    again = "    - {benefit: card, value: plastic, name: {en: A card, zh: 卡}}\n"
    path.write_text(CARD + BENEFITS + again, encoding="utf-8")
    (found,) = lint(project, [path])
    assert "'card' comes from a lower tier already" in found.message


def test_a_classification_hands_nothing_up(project_of):
    project = project_of()
    path = project.root / "card.yaml"
    path.write_text(CARD + "is_classification: true\n" + BENEFITS, encoding="utf-8")
    (found,) = lint(project, [path])
    assert "the tiers of a classification have no order" in found.message


def test_an_explanation_names_benefits_and_who_decided(grade, order):
    given = {
        "transactions": orders(order, "c", 1),
        "overrides": [overrides("c", "silver", ends="2026-12-31")],
    }
    graded = grade(given, own={"card": CARD + BENEFITS}, only=["card"])
    assert list(lines(explain(graded.con, "c", "card")))[2:] == [
        "Card (card 1): Silver",
        "  - r",
        "  - Set by approval in place of what the rule gives",
        "  By the rule alone: Bronze",
        "  Decided by the boss: long friend",
        "  In force from 2026-01-01 to 2026-12-31",
        "  Entitled to:",
        "  + A card (from Bronze)",
        "  + Gift",
        "  + Draw",
        "  + Half the fee",
        "  + Birthday card (from Bronze)",
    ]
    assert "  + 生日卡（沿用铜）" in list(
        lines(explain(graded.con, "c", "card", "zh"), "zh")
    )


def test_classes_of_size_bring_owners_channels_and_terms():
    """Grades bring faster delivery, a better price and better terms of payment."""
    size = entitlements_of(read_scheme(LIBRARY / "size_class.yaml"))
    by_tier = {}
    for entitlement in size:
        by_tier.setdefault(entitlement.tier, {})[entitlement.benefit.benefit] = (
            entitlement.benefit
        )
    values = {
        tier: {name: benefit.value for name, benefit in benefits.items()}
        for tier, benefits in by_tier.items()
    }
    assert {tier: held["channel"] for tier, held in values.items()} == {
        "small": "agent", "ordinary": "agent", "key": "direct",
    }  # fmt: skip
    assert {tier: held["account_manager"] for tier, held in values.items()} == {
        "small": "none", "ordinary": "junior", "key": "senior",
    }  # fmt: skip
    days = [int(values[tier]["delivery_days"]) for tier in ("key", "ordinary", "small")]
    assert days == sorted(set(days))
    prices = [by_tier[tier]["price_discount"].share for tier in ("ordinary", "key")]
    assert prices == sorted(set(prices))
    assert [values[tier]["payment"] for tier in ("small", "ordinary", "key")] == [
        "in advance", "on delivery", "on credit",
    ]  # fmt: skip
    assert values["key"].keys() - values["ordinary"].keys() == {
        "credit_days", "credit_limit",
    }  # fmt: skip
    # Of all this practice names the channel alone.
    stated = {
        name
        for benefits in by_tier.values()
        for name, benefit in benefits.items()
        if not benefit.is_example
    }
    assert stated == {"channel"}


def test_the_level_of_an_account_manager_is_one_that_staff_can_have():
    (level,) = (column for column in feeds()["staff"].columns if column.name == "level")
    for path in LIBRARY.glob("*.yaml"):
        for entitlement in entitlements_of(read_scheme(path)):
            if entitlement.benefit.benefit == "account_manager":
                value = entitlement.benefit.value
                assert value in {*level.values, "none", None}, path.name
