"""Pyramid, RFM, lifecycle, trend and economics."""

import pytest

from releases.sections.value import (
    brought_by,
    economics,
    lifecycle,
    over_time,
    pyramid,
    rfm,
    trend,
)


def texts(rows):
    return [[cell.text.en for cell in row] for row in rows]


@pytest.mark.usefixtures("graded")
def test_the_longest_bar_of_the_pyramid_is_whole(figures):
    (drawn,) = pyramid(figures).blocks
    assert texts(drawn.rows) == [
        ["Tier gold", "25.0 %", "25.0 %", "1", "1,000"],
        ["Tier basic", "75.0 %", "75.0 %", "3", "3,000"],
    ]
    assert [row[1].share for row in drawn.rows] == [pytest.approx(1 / 3), 1]
    assert [row[1].to_left for row in drawn.rows] == [True, True]


def test_without_rows_there_is_no_section(figures):
    sections = [
        make(figures) for make in (pyramid, rfm, lifecycle, over_time, economics)
    ]
    assert sections == [None] * 5


@pytest.fixture
def bought(insert):
    """Customers by recency and frequency score, segment and spend."""
    for at, (r, f, segment, spend) in enumerate(
        [(5, 5, "best", 900), (5, 5, "best", 100), (1, 2, "worst", 7)]
    ):
        insert(
            "customer_rfm",
            {
                "customer_id": str(at),
                "r_score": r,
                "f_score": f,
                "segment": segment,
                "monetary_amount": spend,
                "recency_days": 3,
                "frequency": 2,
            },
        )


@pytest.mark.usefixtures("bought")
def test_the_best_of_rfm_stand_at_the_top_right(figures):
    side, segments = rfm(figures).blocks
    grid, tiles = side.blocks
    assert [cell.text.en for cell in grid.columns] == [
        "Score", "F 1", "F 2", "F 3", "F 4", "F 5",
    ]  # fmt: skip
    assert [row[0].text.en for row in grid.rows] == ["R 5", "R 4", "R 3", "R 2", "R 1"]
    best, worse = grid.rows[0][5], grid.rows[4][2]
    assert (best.text.en, best.code, best.heat) == ("2", "500.00", 1)
    assert (worse.text.en, worse.code, worse.heat) == ("1", "7.00", 0.5)
    assert grid.rows[2][3].code == "–"
    assert [(tile.text.en, tile.figure.en) for tile in tiles.tiles] == [
        ("best", "2 · 66.7 %"), ("worst", "1 · 33.3 %"),
    ]  # fmt: skip
    assert len(segments.rows) == 2


@pytest.mark.usefixtures("graded")
def test_a_trend_has_the_change_since_the_first_date(figures, insert):
    insert(
        "tier_trend",
        {
            "as_of_date": "2026-05-31",
            "scheme": "card",
            "tier": "gold",
            "n_customers": 1,
        },
    )
    found = trend(figures, figures.schemes["card"])
    assert texts(found.rows)[1:] == [
        ["Tier gold", "0", "1", "+1"],
        ["Tier basic", "2", "3", "+1"],
    ]
    bars = found.rows[0]
    assert [part.share for part in bars[1].parts] == [100]
    assert [part.share for part in bars[2].parts] == [25, 75]
    assert bars[2].parts[0].colour == found.rows[1][0].colour


@pytest.mark.usefixtures("graded")
def test_a_long_trend_is_a_curve_and_the_latest_dates(figures, insert):
    basic = {"scheme": "card", "tier": "basic", "n_customers": 1}
    for month in ("2026-01-31", "2026-02-28", "2026-03-31"):
        insert("tier_trend", basic | {"as_of_date": month})
    found = trend(figures, figures.schemes["card"])
    assert [cell.text.en for cell in found.columns] == [
        "Tier", "Since 2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30",
        "2026-05-31", "Change",
    ]  # fmt: skip
    assert texts(found.rows)[1] == ["Tier basic", "", "1", "1", "2", "3", "+2"]
    assert found.rows[1][1].line.count("L") == 4
    assert {len(row) for row in found.rows} == {7}


def test_what_is_known_of_no_tier_is_no_column(figures, insert):
    for tier, spend in (("gold", 10), ("basic", None)):
        insert(
            "tier_economics",
            {
                "scheme": "card",
                "tier": tier,
                "n_customers": 1,
                "spend_per_customer_amount": spend,
            },
        )
    insert("schemes", {"scheme": "card", "name_en": "Card", "name_zh": "卡"})
    found = brought_by(figures.schemes["card"])
    assert [cell.text.en for cell in found.columns] == [
        "Tier", "Spend per customer", "Cost of service", "Tickets per customer",
    ]  # fmt: skip
    assert texts(found.rows)[0][:2] == ["basic", "–"]


def test_sales_of_a_year_are_held_against_those_of_the_year_before(figures, insert):
    for at in range(24):
        for category, spend in (("shoes", 2), (None, 1)):
            insert(
                "sales_month",
                {
                    "month": f"{2024 + (5 + at) // 12}-{(5 + at) % 12 + 1:02}-01",
                    "category": category,
                    "spend_amount": spend if at < 12 else spend * 3,
                },
            )
    (sales,) = economics(figures).blocks
    assert sales.caption.en == "Sales by month and category, 2024-06 to 2026-05"
    assert texts(sales.rows) == [
        ["All", "", "9.00", "108.00", "+200.0 %"],
        ["shoes", "", "6.00", "72.00", "+200.0 %"],
        ["–", "", "3.00", "36.00", "+200.0 %"],
    ]
    assert sales.rows[0][1].line.count("L") == 23


def test_a_year_that_is_not_known_is_not_compared(figures, insert):
    insert("sales_month", {"month": "2026-05-01", "category": "a", "spend_amount": 1})
    (sales,) = economics(figures).blocks
    assert texts(sales.rows)[0] == ["All", "", "1.00", "1.00", "–"]


@pytest.mark.usefixtures("graded")
def test_that_a_margin_is_left_out_is_said(figures, con):
    assert "known of too little" in brought_by(figures.schemes["card"]).note.en
    con.execute("update release.main.tier_economics set margin_12m_amount = 1")
    del figures.__dict__["schemes"]
    assert not brought_by(figures.schemes["card"]).note


def test_a_stage_is_shown_where_two_are_filled(figures, insert):
    insert(
        "schemes",
        {
            "scheme": "customer_status",
            "name_en": "Status",
            "name_zh": "状态",
            "is_applicable": True,
        },
    )
    insert(
        "tier_economics", {"scheme": "customer_status", "tier": "a", "n_customers": 1}
    )
    assert lifecycle(figures) is None
    insert(
        "tier_economics", {"scheme": "customer_status", "tier": "b", "n_customers": 1}
    )
    del figures.__dict__["schemes"]
    (side,) = lifecycle(figures).blocks
    assert [table.caption.en for table in side.blocks] == ["Status"]
