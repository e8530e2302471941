"""What reasons say: true of the customer, in the reader's language, for every row."""

import re
from decimal import Decimal

import pytest

from project.folder import Project
from project.settings import Settings
from schemes.explain import explain, lines
from schemes.plan import make_plan
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
        (one.scheme.scheme, name)
        for one in library
        for said in (*one.rules, *one.steps)
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
        (one.scheme.scheme, said.text.en)
        for one in library
        for said in (*one.rules, *one.steps)
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
    assert not [one for one in said[3:] if re.search("[a-z]", one)]


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
        "transactions": [one | {"cost_amount": 1} for one in given["transactions"]],
    }
    assert graded.tiers("value_class")["next"] == "important"
    assert graded.reasons("value_class")["next"] == "important"
    ((english,), (chinese,)) = texts(graded, "value_class")["next"]
    assert english == (
        "Orders: 13, spend 1340.00 (12 months), both in the top 20%; cost not known,"
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
    assert graded.tiers("mvc_mgc_bzc")["back"] == "bzc"
    assert flags["back"] == flags["loss"] == ["margin_unknown"]
    english, _ = texts(graded, "mvc_mgc_bzc")["back"]
    assert english[0].startswith("Profit -2000.00 (12 months): spend -2000.00 (cost")
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
        ["Average assets 50000.00 (365 days), below 100000.00"],
        ["近365天日均资产50000.00，低于100000.00"],
    )
