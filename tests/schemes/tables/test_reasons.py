"""What reasons say: true of the customer, in the reader's language, for every row."""

import datetime
import re
from decimal import Decimal

import pytest

from project.folder import Project
from project.settings import Settings
from schemes.plan import make_plan
from schemes.tools.explain import explain, lines
from sql.contracts import feeds


def texts(graded, scheme, scope=""):
    """Customer → the texts of its steps in both languages."""
    return graded.by_key(
        "select customer_id, list(text_en order by step_no),"
        " list(text_zh order by step_no) from customer_tier_reasons"
        " where scheme = ? and scope = ? group by all",
        scheme,
        scope,
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """All schemes, compiled for all feeds."""
    there = {
        name: frozenset(column.name for column in feed.columns)
        for name, feed in feeds().items()
    }
    project = Project(tmp_path_factory.mktemp("library"), Settings(name="test"))
    return make_plan(project, there).schemes


def test_no_reason_quotes_a_code(library):
    quoted = [
        (compiled.scheme.scheme, name)
        for compiled in library
        for said in (*compiled.rules, *compiled.steps)
        for name, quote in said.quotes.items()
        if quote.value is not None
        and (quote.value.choices or quote.value.type == "boolean")
        and not quote.names
    ]
    assert quoted == []


def test_no_reason_counts_in_the_plural(library):
    """`{n} orders` reads wrong for one order; `Orders: {n}` does not."""
    counted = re.compile(
        r"\} (order|day|month|point|stay|stop|seat|member|trait|contact)"
    )
    assert [
        (compiled.scheme.scheme, said.text.en)
        for compiled in library
        for said in (*compiled.rules, *compiled.steps)
        if counted.search(said.text.en)
    ] == []


def test_tiers_of_other_schemes_are_named(grade, order):
    graded = grade(
        {
            "transactions": [order("a", "2026-05-30"), order("b", "2024-05-30")],
            "interactions": [],
        },
        columns={"interactions": ["interaction_id", "customer_id", "occurred_at"]},
        only=["layer_grade", "size_class"],
    )
    assert texts(graded, "layer_grade")["a"] == (
        [
            "Spend band: High",
            "Lifecycle stage: New",
            "Stage New, spend band High",
        ],
        [
            "消费档次：优质（高端）",
            "生命周期阶段：新客户",
            "阶段新客户，消费档次优质（高端）",
        ],
    )
    assert texts(graded, "size_class")["a"] == (
        ["Value pyramid: Platinum"],
        ["价值金字塔：白金"],
    )
    said = list(lines(explain(graded.con, "a", "layer_grade", "zh"), "zh"))
    assert not [words for words in said[3:] if re.search("[a-z]", words)]


def test_where_the_margin_is_not_known_reasons_say_so(grade, order):
    given = {
        "transactions": [
            order("best", "2026-01-10", 900),
            order("best", "2026-02-10", 900),
            order("next", "2026-01-10", 60),
            *(order("next", f"2026-03-{day:02}", 10) for day in range(1, 9)),
            *(order(f"c{n}", "2026-04-01", 5) for n in range(8)),
            order("loss", "2026-04-01", 40),
            order("back", "2026-04-01", -2000),
        ],
        "tickets": [
            {
                "ticket_id": "t",
                "customer_id": "loss",
                "opened_at": "2026-04-02 00:00:00+00",
                "cost_amount": 41,
            }
        ],
    }
    only = ["value_class", "mvc_mgc_bzc"]
    parameters = {"value_class.vip_share": "10%"}
    given["transactions"] += [
        order("next", f"2026-05-{day:02}", 300) for day in range(1, 5)
    ]
    graded = grade(given, only=only, parameters=parameters)
    known = {
        **given,
        "transactions": [row | {"cost_amount": 1} for row in given["transactions"]],
    }
    assert graded.tiers("value_class")["next"] == "important"
    assert graded.reasons("value_class")["next"] == "important"
    ((english,), (chinese,)) = texts(graded, "value_class")["next"]
    assert english == (
        "Orders: 13, spend 1,340.00 (12 months), both in the top 20%; cost not known,"
        " margin rate left out"
    )
    assert "成本不明，未看毛利率" in chinese
    english, chinese = texts(graded, "mvc_mgc_bzc")["loss"]
    assert english == [
        "Profit -1.00 (12 months): spend 40.00 (cost not known), service cost 41.00"
    ]
    assert "毛利" not in chinese[0]
    flags = graded.by_key(
        "select customer_id, flags from customer_tiers where scheme = 'mvc_mgc_bzc'"
    )
    assert flags["loss"] == ["margin_unknown"]
    # Who has no order that counts is not compared.
    assert "back" not in graded.tiers("mvc_mgc_bzc")
    # The same with known cost: the margin is named again.
    graded = grade(known, only=only, parameters=parameters)
    english, _ = texts(graded, "mvc_mgc_bzc")["loss"]
    assert english == ["Profit -2.00 (12 months): margin 39.00, service cost 41.00"]
    assert all(
        "cost not known" not in said[0][0]
        for said in texts(graded, "value_class").values()
    )


def test_each_mark_has_its_reason(grade):
    graded = grade(
        {
            "customers": [
                {
                    "customer_id": "both",
                    "is_internal": True,
                    "is_reseller": True,
                    "party_type": None,
                },
                {
                    "customer_id": "none",
                    "is_internal": False,
                    "is_reseller": False,
                    "party_type": None,
                },
            ]
        },
        only=["relation_type"],
    )
    marks = "select customer_id, scope, reason_code from customer_tiers order by all"
    assert [row[:2] for row in graded.rows(marks)] == [
        ("both", ""),
        ("both", "intermediary"),
        ("both", "internal"),
        ("none", ""),
        ("none", "consumer"),
    ]
    # A step of each, by the rule that gave the mark.
    steps = (
        "select customer_id, scope, rule_id from customer_tier_reasons"
        " where step_no = 1 order by all"
    )
    assert graded.rows(steps) == graded.rows(marks)
    whole = texts(graded, "relation_type")
    assert texts(graded, "relation_type", "internal")["both"] == whole["both"]
    assert texts(graded, "relation_type", "intermediary")["both"] != whole["both"]


def stars(grade, bill, n_stops):
    """Twelve bills of so much, two years in the network, so many stops."""
    months = [f"2025-{month:02}-01" for month in range(6, 13)]
    months += [f"2026-{month:02}-01" for month in range(1, 6)]
    return grade(
        {
            "bills": [
                {"customer_id": "a", "bill_month": month, "amount": bill}
                for month in months
            ],
            "service_lines": [
                {
                    "service_id": "s",
                    "customer_id": "a",
                    "activated_on": "2024-05-31",
                    "terminated_on": None,
                }
            ],
            "arrears_stops": [
                {"customer_id": "a", "stopped_at": f"2026-01-{day:02} 00:00:00+00"}
                for day in range(1, n_stops + 1)
            ],
        },
        columns={"arrears_stops": ["customer_id", "stopped_at"]},
        only=["henan_star"],
    )


@pytest.mark.parametrize(
    ("n_stops", "expected"),
    [
        (2, ("4", "4", False, Decimal(58))),  # 400 + 12 - 20 = 392
        (3, ("3", "4", True, None)),
    ],
)
def test_a_cap_holds_whatever_the_score(grade, n_stops, expected):
    graded = stars(grade, "400.50", n_stops)
    assert graded.rows(
        "select tier, rule_tier, is_capped, gap_to_next from customer_tiers"
    ) == [expected]
    said = {
        lang: "\n".join(lines(explain(graded.con, "a", "henan_star", lang), lang))
        for lang in ("en", "zh")
    }
    assert ("more to" in said["en"]) == ("还差" in said["zh"]) == (not expected[2])
    assert ("A cap holds it at this tier" in said["en"]) == expected[2]
    assert ("封顶" in said["zh"]) == expected[2]


def test_what_is_shown_is_what_the_words_say(grade):
    graded = stars(grade, "500.25", 0)
    (shown,) = graded.rows(
        "select input_value, points from customer_tier_reasons"
        " where characteristic = 'bill'"
    )
    assert shown == ("500.25", Decimal(500))


def test_average_assets_are_shown_as_money(grade):
    graded = grade(
        {
            "balances": [
                {"account_id": "x", "customer_id": "a", "balance_date": day}
                | {"asset_class": "fund", "balance_amount": amount}
                for day, amount in (("2025-06-01", 100000), ("2026-05-31", 100001))
            ]
        },
        only=["bank_aum"],
    )
    assert texts(graded, "bank_aum")["a"] == (
        ["Average assets 50,000.00 (365 days), below 100,000.00"],
        ["近365天日均资产50,000.00，低于100,000.00"],
    )


@pytest.mark.parametrize(("method", "cut"), [("mean", 200), ("fixed", 1000)])
def test_an_axis_says_its_cut_and_on_which_side_the_customer_is(
    grade, order, method, cut
):
    """The worked example of rfm_8: the second of three customers."""
    days = {"a": (10, 1, 90), "b": (20, 2, 300), "c": (60, 6, 210)}
    end = datetime.date(2026, 5, 31)
    orders = [
        order(name, (end - datetime.timedelta(days=ago + place)).isoformat(), spend / n)
        for name, (ago, n, spend) in days.items()
        for place in range(n)
    ]
    graded = grade(
        {"transactions": orders},
        only=["rfm_8"],
        parameters={"rfm_8.cut": method},
        currency="CNY",
    )
    english, chinese = texts(graded, "rfm_8")["b"]
    side = "high" if cut == 200 else "low"
    named = {"mean": ("average", "平均值"), "fixed": ("fixed cut", "固定分界")}[method]
    assert english[2] == (
        f"Spend 300.00 CNY (12 months), {named[0]} {cut:,}.00 CNY: {side}"
    )
    assert chinese[2].startswith(f"近12个月消费300.00 CNY，{named[1]}{cut:,}.00 CNY：")
    if method == "mean":
        assert english[:2] == [
            "Days since the last order: 20, average 30: recent",
            "Orders: 2 (12 months), average 3: low",
        ]


@pytest.mark.parametrize(
    ("spend", "shown"),
    [
        ("-0.50", "-0.50"),
        ("0", "0.00"),
        ("999.99", "999.99"),
        ("1000", "1,000.00"),
        ("-1234567.80", "-1,234,567.80"),
        ("9999999999999.99", "9,999,999,999,999.99"),
    ],
)
def test_amounts_are_exact_to_the_cent_with_the_commas_of_thousands(
    grade, order, spend, shown
):
    content = """\
scheme: total
version: 1
kind: bands
name: {en: Total, zh: 合计}
score: spend('ever')
tiers:
  - {tier: all, name: {en: All, zh: 全部}}
reason: {en: "Spend {score}", zh: "消费{score}"}
"""
    kind = {"kind": "adjustment"}
    rows = [order("a", "2026-05-01", 1), order("a", "2026-05-02", spend) | kind]
    rows.append(order("a", "2026-05-03", -1) | kind)
    graded = grade({"transactions": rows}, own={"total": content}, only=["total"])
    assert texts(graded, "total")["a"] == ([f"Spend {shown}"], [f"消费{shown}"])


def test_value_and_loyalty_say_what_they_were_measured_by(grade, order):
    rows = [order("a", "2026-05-01", 2000), order("b", "2026-05-02", 10)]
    graded = grade({"transactions": rows}, only=["hsbc_matrix"])
    english, chinese = texts(graded, "hsbc_matrix")["b"]
    assert english[:2] == [
        "Spend 10.00 (12 months), the top 20% begins at 2,000.00: low",
        "Traits of loyalty: 0, at least 3 are many: low",
    ]
    assert chinese[0] == "近12个月消费10.00，前20%的门槛为2,000.00：低"


def test_a_deal_says_its_stage_and_intent(grade):
    opportunity = {"opportunity_id": "o", "customer_id": "a", "stage": "won"}
    graded = grade(
        {"opportunities": [opportunity | {"intent_level": "very"}]},
        only=["deal_intent"],
    )
    english, chinese = texts(graded, "deal_intent")["a"]
    assert english[:2] == ["Latest opportunity: won", "Its intent: very"]
    assert chinese[:2] == ["最近商机：已成交", "该商机意向：很有意向"]


def test_a_big_customer_says_which_conditions_hold(grade):
    graded = grade(
        {
            "bills": [
                {"customer_id": "a", "bill_month": "2026-05-01", "amount": 5000},
                {"customer_id": "b", "bill_month": "2026-05-01", "amount": 10},
            ],
            "customers": [
                {"customer_id": "a", "credit_status": "good"},
                {"customer_id": "b", "credit_status": "poor"},
            ],
            "service_lines": [
                {"service_id": "1", "customer_id": "a", "activated_on": "2026-01-31"}
            ],
            "contracts": [
                {"contract_id": "c", "customer_id": "a", "starts_on": "2026-01-01"}
            ],
        },
        columns={"customers": ["parent_customer_id"]},
        only=["big_customer"],
        parameters={"big_customer.bill_share": "50%"},
    )
    english, chinese = texts(graded, "big_customer")["a"]
    assert english == [
        (
            "Bills of 5,000.00 (12 months), in the top 50% of personal customers or of"
            " groups: yes"
        ),
        (
            "Months of the oldest line: 4, at least 24; or of a group, lines: 1,"
            " members: 0, at least 50: no"
        ),
        "Credit is good: yes",
        "Contracts in force: 1; a personal customer needs one: yes",
        "Bills of 5,000.00 (12 months)",
    ]
    assert chinese[2] == "信用良好：是"
