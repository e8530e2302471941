"""Whether service works."""

from decimal import Decimal

import pytest

from releases.sections.service import service


@pytest.fixture
def served(insert):
    """Five months of one level: tickets rise, nobody answered calls in the first."""
    for month, n_tickets in enumerate([0, 3, 6, 30, 60], start=1):
        insert(
            "service_effect",
            {
                "month": f"2026-0{month}-01",
                "service_level": "high",
                "n_customers": 10,
                "n_tickets": n_tickets,
                "n_complaints": 0,
                "in_time_ratio": None if month == 1 else Decimal("0.5"),
                "n_lost": 0,
            },
        )


@pytest.mark.usefixtures("served")
def test_a_curve_stands_beside_the_mean_of_its_ends(figures):
    tables = [block for block in service(figures).blocks if block.kind == "table"]
    (months,) = [table for table in tables if "get better" in table.caption.en]
    assert months.caption.en == "Did service get better? 2026-01 to 2026-05"
    rows = {row[0].text.en: row[1] for row in months.rows}
    assert rows["Tickets"].text.en == "3.0 → 32.0"
    assert rows["Tickets"].line.startswith("M0.0 22.0")
    assert rows["Calls answered in time"].text.en == "50.0 % → 50.0 %"
    assert rows["Calls answered in time"].line.startswith("M25.0")
    assert rows["Hours to resolution"].text.en == "–"


@pytest.mark.usefixtures("served")
def test_every_month_is_in_the_fold(figures):
    (fold,) = [block for block in service(figures).blocks if block.kind == "fold"]
    (full,) = fold.blocks
    assert full.rows[0][0].text.zh == "2026-01 高级"
    assert len(full.rows) == 5


def test_a_level_without_calls_has_no_share(figures, insert):
    insert(
        "service_queue",
        {"customer_id": "A", "service_level": "high"},
        {"customer_id": "B", "service_level": "general"},
    )
    for day, is_met in (("2026-05-30", True), ("2026-05-31", False)):
        insert(
            "sla_attainment",
            {
                "call_date": day,
                "service_level": "high",
                "n_offered": 4,
                "n_in_time": 3,
                "goal_ratio": Decimal("0.8"),
                "is_met": is_met,
            },
        )
    levels = service(figures).blocks[0]
    assert [[cell.text.en for cell in row] for row in levels.rows] == [
        ["High", "1", "8", "75.0 %", "80 %", "1 of 2"],
        ["General", "1", "0", "–", "–", "0 of 0"],
    ]


def test_the_figures_of_a_fact_are_in_both_languages(figures, insert):
    insert(
        "sla_attainment",
        {"service_level": "high", "n_offered": 4, "n_in_time": 3, "is_met": True},
    )
    (side,) = [block for block in service(figures).blocks if block.kind == "side"]
    ((_, answer),) = side.blocks[0].rows
    assert (answer.text.en, answer.text.zh) == ("75.0 %; 1 of 1", "75.0 %；1 / 1")


def test_without_service_there_is_no_section(figures):
    assert service(figures) is None
