"""The figures of a release that people look at first."""

from decimal import Decimal

import pytest

from releases.summary import (
    FeedCount,
    Movement,
    QualityCount,
    SegmentCount,
    TierCount,
    movements,
    summarize,
    total,
)

pytestmark = pytest.mark.usefixtures("building")


def graded(customer, scheme, tier, *, scope=""):
    return {"customer_id": customer, "scheme": scheme, "scope": scope, "tier": tier}


def tier(scheme, code, rank):
    return {
        "scheme": scheme,
        "tier": code,
        "tier_rank": rank,
        "name_en": code.title(),
        "name_zh": f"{code}级",
    }


def moved(former, latter, n_customers):
    return {
        "scheme": "card",
        "from_tier": former,
        "to_tier": latter,
        "n_customers": n_customers,
    }


def test_without_rows_there_are_no_figures(con):
    found = summarize(con, "release")
    assert found.n_customers == 0
    assert (found.tiers, found.segments, found.facts) == ((), (), ())
    assert (found.feeds, found.quality) == ((), ())
    assert movements(con, "release") == ()


def test_tiers_come_best_first_with_the_spend_of_their_customers(con, insert):
    insert("schemes", {"scheme": "card", "name_en": "Card", "name_zh": "卡"})
    insert("scheme_tiers", tier("card", "gold", 1), tier("card", "basic", 2))
    insert(
        "customer_metrics",
        {"customer_id": "A", "spend_12m_amount": 10},
        {"customer_id": "B", "spend_12m_amount": Decimal("2.50")},
    )
    insert(
        "customer_tiers",
        graded("C", "card", "unrated"),  # in no list of tiers, without spend
        graded("A", "card", "basic"),
        graded("B", "card", "gold"),
        graded("A", "card", "gold", scope="tea"),  # about a scope: not counted
    )
    card = ("card", "Card", "卡")
    assert summarize(con, "release").tiers == (
        TierCount(*card, "gold", "Gold", "gold级", 1, Decimal("2.50")),
        TierCount(*card, "basic", "Basic", "basic级", 1, Decimal(10)),
        TierCount(*card, "unrated", "unrated", "unrated", 1, Decimal(0)),
    )


def test_segments_have_the_means_of_the_three_axes(con, insert):
    insert("scheme_tiers", tier("rfm_8", "lost", 8))
    for days, orders, amount in ((10, 1, 5), (15, 2, 6)):
        insert(
            "customer_rfm",
            {
                "recency_days": days,
                "frequency": orders,
                "monetary_amount": amount,
                "segment": "lost",
            },
        )
    assert summarize(con, "release").segments == (
        SegmentCount(
            *("lost", "Lost", "lost级", 2),
            *(Decimal("12.5"), Decimal("1.5"), Decimal("5.50")),
        ),
    )


def test_files_are_counted_by_feed_and_checks_by_table(con, insert):
    loaded = {"n_read": 7, "n_loaded": 3, "n_duplicate": 1, "n_rejected": 1}
    insert(
        "feed_reconciliation",
        {"feed": "calls", "status": "loaded", **loaded},
        {"feed": "calls", "status": "refused"},
    )
    insert(
        "quality_results",
        {"table_name": "customers", "severity": "ERROR", "passed": True},
        {"table_name": "customers", "severity": "WARN", "passed": False},
        {"table_name": "customers", "severity": "ERROR", "passed": False},
    )
    found = summarize(con, "release")
    assert found.feeds == (FeedCount("calls", 2, 7, 3, 1, 1, 2, 1),)
    assert found.quality == (QualityCount("customers", 3, 2, 1),)


def test_facts_keep_the_order_of_their_questions(con, insert):
    insert("customer_entitlements", {"benefit": "tea"})
    insert(
        "callbacks",
        {"call_id": "1", "status": "due"},
        {"call_id": "2", "status": "due"},
        {"call_id": "3", "status": "overdue"},
        {"call_id": "4", "status": "done_late"},
    )
    facts = summarize(con, "release").facts
    assert [(fact.name_zh, fact.figures) for fact in facts] == [
        ("待回访来电：未到期、已逾期", "2 · 1"),
        ("已回访来电：按时、逾时", "0 · 1"),
        ("客户权益、有日期的", "1 · 0"),
    ]


def test_movement_is_up_where_the_rank_is_smaller(con, insert):
    insert("scheme_tiers", tier("card", "gold", 1), tier("card", "basic", 2))
    insert(
        "tier_migrations",
        moved(None, "gold", 1),
        moved("basic", "gold", 2),
        moved("gold", "basic", 4),
        moved("gold", "gold", 8),
        moved("gold", "unrated", 16),  # without a rank, there is no up or down
    )
    (found,) = movements(con, "release")
    assert found == Movement("card", 1, 2, 4, 16, 8)
    assert (found.n_moved, found.n_graded_before) == (22, 30)


def test_the_total_is_that_of_all_schemes():
    card, club = Movement("card", 1, 2, 3, 4, 5), Movement("club", 10, 20, 30, 40, 50)
    assert total([card, club]) == Movement("", 11, 22, 33, 44, 55)
    assert total([]) is None
