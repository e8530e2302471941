"""The figures of a report, read from a release."""

import datetime
from decimal import Decimal

import pytest

from releases.sections.blocks import Text
from releases.sections.figures import Figures


@pytest.mark.parametrize(
    ("as_of", "year_ago"),
    [
        ("2026-05-31", "2025-05-31"),
        ("2028-02-29", "2027-02-28"),
        ("2029-02-28", "2028-02-28"),
    ],
)
def test_a_year_ago_is_the_same_day(con, project, manifest, as_of, year_ago):
    figures = Figures(con, "release", manifest("r", as_of), project)
    assert figures.year_ago_date == datetime.date.fromisoformat(year_ago)


@pytest.mark.usefixtures("graded")
def test_the_headline_is_of_all_customers(figures):
    found = figures.headline
    assert (found.n_customers, found.n_active, found.n_new) == (3, 2, 1)
    assert (found.n_orders, found.spend_amount) == (4, 400)
    assert (found.margin_amount, found.known_spend_amount) == (60, 300)
    assert found.spend_each == 200


@pytest.mark.usefixtures("graded")
def test_who_was_given_back_more_than_was_spent_is_no_share_of_the_spend(
    figures, insert
):
    insert("customer_metrics", {"customer_id": "back", "spend_12m_amount": -250})
    found = figures.headline
    assert (found.spend_amount, found.bought_amount) == (150, 400)
    assert found.known_share == Decimal("0.75")


def test_no_margin_is_known_where_nothing_was_bought(figures, insert):
    insert("customer_metrics", {"customer_id": "c", "margin_12m_amount": 0})
    assert (figures.headline.margin_amount, figures.headline.known_share) == (None,) * 2


def test_a_company_without_customers_has_a_headline(figures):
    found = figures.headline
    assert (found.n_customers, found.spend_amount, found.margin_amount) == (0, 0, None)
    assert found.spend_each is None
    assert found.n_new == 0


@pytest.mark.usefixtures("graded")
def test_a_scheme_tells_something_where_two_tiers_are_filled(figures):
    assert [scheme.scheme for scheme in figures.telling] == ["card"]
    card = figures.schemes["card"]
    assert card.n_customers == 4
    assert [tier.tier for tier in card.tiers] == ["gold", "basic"]
    assert card.tier_name("gold") == Text("Tier gold", "gold级")
    assert card.tier_name("gone") == Text("gone", "gone")
    assert card.tier_name(None).en == "(new)"


def test_a_tier_that_nobody_has_is_there(figures, insert):
    insert("schemes", {"scheme": "s", "name_en": "S", "name_zh": "方案"})
    insert(
        "scheme_tiers", {"scheme": "s", "tier": "t", "name_en": "T", "name_zh": "级"}
    )
    (tier,) = figures.schemes["s"].tiers
    assert (tier.n_customers, tier.spend_amount) == (0, 0)


def test_the_latest_dates_of_a_trend_are_shown(figures, insert):
    first = datetime.date(2025, 1, 1)
    dates = [first + datetime.timedelta(days=day) for day in range(15)]
    for date in dates:
        insert(
            "tier_trend",
            {"as_of_date": date, "scheme": "s", "tier": "t", "n_customers": 1},
        )
    assert [row.as_of_date for row in figures.trend] == dates[-13:]


def test_the_kinds_of_alerts_come_by_severity_with_the_first_of_each(figures, insert):
    for number, kind, severity, n_of_kind in (
        ("b2", "callback_overdue", "high", 120),
        ("b1", "callback_overdue", "high", 120),
        ("a1", "goal_missed", "medium", 500),
    ):
        insert(
            "alerts",
            {
                "alert_id": number,
                "kind": kind,
                "severity": severity,
                "n_of_kind": n_of_kind,
                "text_en": f"text {number}",
            },
        )
    found = [(a.kind, a.n_alerts, a.text_en) for a in figures.alerts]
    assert found == [
        ("callback_overdue", 120, "text b1"),
        ("goal_missed", 500, "text a1"),
    ]


def test_work_lists_count_what_is_overdue_and_due_within_a_week(figures, insert):
    insert(
        "work_lists",
        {"list_id": "save", "priority": 2, "is_applicable": True},
        {"list_id": "none", "priority": 1, "is_applicable": True},
        {"list_id": "off", "priority": 1, "is_applicable": False},
    )
    for due in ("2026-05-30", "2026-05-31", "2026-06-07", "2026-06-08", None):
        action = "call" if due else "write"
        row = {"list_id": "save", "due_date": due, "action_en": action}
        insert("work_list", row | {"action_zh": action, "customer_id": "A"})
    found = [
        (
            work_list.list_id,
            work_list.n_rows,
            work_list.n_overdue,
            work_list.n_week,
            work_list.action_en,
        )
        for work_list in figures.work_lists
    ]
    assert found == [("none", 0, 0, 0, None), ("save", 5, 1, 2, "call")]


def test_attributes_are_counted_once_however_many_schemes_there_are(figures, insert):
    for scheme, n_customers in (("wide", 5), ("narrow", 2)):
        for tier in ("gold", "basic"):
            for value in ("red", None):
                insert(
                    "segment_counts",
                    {
                        "attribute": "hobby",
                        "value": value,
                        "scheme": scheme,
                        "tier": tier,
                        "n_customers": n_customers,
                        "spend_12m_amount": 1,
                    },
                )
    found = [
        (a.value, a.n_customers, a.spend_amount, a.n_all) for a in figures.attributes
    ]
    assert found == [("red", 10, Decimal(2), 20), (None, 10, Decimal(2), 20)]
