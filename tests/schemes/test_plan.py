"""The first four schemes on one small company, from rows to the release's views."""

import contextlib
from decimal import Decimal
from types import SimpleNamespace

import pytest

from schemes.plan import COMPILED, METRICS, RESULTS, Execution
from schemes.tables.tag_rules import TAG_TABLES
from tests.schemes.conftest import AS_OF, params_of

ORDERS = [
    # customer, day, amount; as of 2026-05-31, 12 months begin after 2025-05-31
    ("gold", "2026-05-01", "5000.00"),
    ("near", "2026-04-01", "4999.99"),  # floor: 4999 points, one short of class D
    ("near", "2025-05-31", "10.00"),  # a day too early for 12 months
    ("back", "2024-01-31", "3.00"),
]


@pytest.fixture
def graded(grade, order):
    rows = [order(*values) for values in ORDERS]
    return grade(
        {"transactions": rows, "customers": [{"customer_id": "walk"}]},
        previous=[
            {"customer_id": "gold", "annual_points_tier": "C"},
            {"customer_id": "near", "annual_points_tier": "C"},
            {"customer_id": "back", "annual_points_tier": "B"},
            {"customer_id": "walk", "annual_points_tier": "gone"},
        ],
    )


def test_customer_metrics(graded):
    found = graded.by_key(
        "select customer_id, n_orders, n_orders_12m, spend_amount, spend_12m_amount,"
        " avg_order_amount, recency_days, tenure_months from customer_metrics"
    )
    assert found == {
        # 2505.00 = (4999.99 + 10.00) / 2 = 2504.995, rounded half up
        "near": (2, 1, Decimal("5009.99"), Decimal("4999.99"), Decimal(2505), 60, 12),
        "gold": (1, 1, 5000, 5000, 5000, 30, 0),
        # 31 Jan 2024 + 28 months = 31 May 2026
        "back": (1, 0, 3, 0, 3, 851, 28),
        "walk": (0, 0, 0, 0, None, None, None),
    }


def test_annual_points(graded):
    found = graded.by_key(
        "select customer_id, tier, tier_rank, score, gap_to_next, gap_to_keep,"
        " movement, previous_tier from customer_tiers where scheme = 'annual_points'"
    )
    assert found == {
        "gold": ("D", 1, 5000, None, 0, "up", "C"),
        "near": ("C", 2, 4999, 1, 1999, "same", "C"),
        "back": ("A", 4, 0, 1000, None, "down", "B"),
        "walk": ("A", 4, 0, 1000, None, "changed", "gone"),
    }


def test_value_pyramid_ranks_only_those_who_bought(graded):
    # n = 2: ceil(1 %) = ceil(5 %) = ceil(20 %) = 1
    assert graded.tiers("value_pyramid") == {"gold": "platinum", "near": "lead"}
    bounds = graded.by_key(
        "select tier, lower_bound, upper_bound from scheme_tiers"
        " where scheme = 'value_pyramid'"
    )
    assert bounds["platinum"] == (5000, None)
    assert bounds["lead"] == (None, 5000)


def test_ecommerce_ladder(graded):
    assert graded.tiers("ecommerce_ladder") == {
        "gold": "super",
        "near": "repeat",
        "back": "first_purchase",
        "walk": "new",
    }
    assert graded.reasons("ecommerce_ladder")["gold"] == "super_spend"


def test_rfm_8(graded):
    # means: recency 45 days, 1 order, spend 4999.995
    assert graded.tiers("rfm_8") == {
        "gold": "important_value",
        "near": "general_keep",
        "back": "unrated",
        "walk": "unrated",
    }
    assert graded.reasons("rfm_8")["walk"] == "no_orders"


def test_reasons_are_in_words(graded):
    found = graded.rows(
        "select step_no, rule_id, input_value, text_en, text_zh"
        " from customer_tier_reasons where scheme = 'annual_points'"
        " and customer_id = 'near'"
    )
    assert found == [
        (
            1,
            "C",
            "4999",
            "Points: 4999 (calendar year), from 3000",
            "本自然年积分4999，达到3000",
        )
    ]
    steps = graded.by_key(
        "select step_no, text_en from customer_tier_reasons"
        " where scheme = 'rfm_8' and customer_id = 'gold'"
    )
    assert steps == {
        1: "Days since the last order: 30, average 45: recent",
        2: "Orders: 1 (12 months), average 1: high",
        3: "Spend 5,000.00 (12 months), average 5,000.00: high",
        4: "Last order recent, frequency high, monetary value high",
    }


def test_profile_has_a_column_per_scheme(graded):
    found = graded.by_key(
        "select customer_id, rfm_segment, annual_points_tier, value_pyramid_tier"
        " from customer_profile"
    )
    assert found["gold"] == ("important_value", "D", "platinum")
    assert found["walk"] == (None, "A", None)


def test_without_transactions_nothing_fails(grade):
    graded = grade({"customers": [{"customer_id": "walk"}]})
    assert graded.tiers("annual_points") == {}
    assert graded.rows("from customer_rfm") == []
    reasons = graded.by_key(
        "select scheme, is_applicable, not_applicable_reason from schemes"
    )
    assert reasons["rfm_8"] == (False, "lacks feed transactions")


def test_an_execution_enters_a_step_for_each_table_and_counts_its_rows(graded):
    entered = []

    @contextlib.contextmanager
    def step(table):
        made = SimpleNamespace(rows=None)
        yield made
        entered.append((table, made.rows))

    execution = Execution(graded.plan, graded.con, params_of(AS_OF), step)
    assert execution.metrics() == {METRICS: 4}
    rows = execution.grades()
    assert set(rows) == {RESULTS, *COMPILED}
    assert rows[RESULTS] == 4
    assert rows["scheme_results_by_category"] == 0
    assert entered == [
        *((f"core.{table}", None) for table in graded.plan.facts),
        (f"core.{METRICS}", 4),
        ("marts.scheme_cuts", None),
        *((f"marts.{table}", n_rows) for table, n_rows in rows.items()),
    ]


def test_an_execution_makes_the_tables_that_are_asked_for(graded):
    graded.con.execute("drop table marts.schemes; drop table marts.scheme_tiers")
    execution = Execution(graded.plan, graded.con, params_of(AS_OF))
    assert set(execution.grades(only=("schemes",))) == {RESULTS, "schemes"}
    there = graded.rows(
        "select table_name from duckdb_tables() where schema_name = 'marts'"
    )
    assert ("schemes",) in there
    assert ("scheme_tiers",) not in there
    assert execution.metrics(only=()) == {}


def test_the_names_of_tables_stand_for_what_is_compiled(graded):
    assert tuple(graded.plan.tables) == COMPILED
    assert tuple(graded.plan.tags.tables) == TAG_TABLES
