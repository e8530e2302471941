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
