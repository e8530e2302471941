"""Who moved between tiers."""

import pytest

from releases.sections.movement import heat_map, leading, movement, movers


@pytest.fixture
def moved(graded, insert):  # noqa: ARG001 - those who move
    for start, end, n_customers in (
        ("gold", "gold", 1),
        ("gold", "basic", 3),
        ("basic", "basic", 5),
        ("gone", "basic", 2),
        (None, "gold", 4),
    ):
        insert(
            "tier_migrations",
            {
                "scheme": "card",
                "from_tier": start,
                "to_tier": end,
                "n_customers": n_customers,
                "spend_12m_amount": 10 * n_customers,
            },
        )


def texts(rows):
    return [[cell.text.en for cell in row] for row in rows]


@pytest.mark.usefixtures("moved")
def test_a_heat_map_goes_from_the_former_tier_to_the_present_one(figures):
    drawn = heat_map(figures, figures.schemes["card"])
    assert [cell.text.en for cell in drawn.columns] == [
        "From ↓ to →", "Tier gold", "Tier basic", "gone",
    ]  # fmt: skip
    assert texts(drawn.rows) == [
        ["Tier gold", "1", "3", "·"],
        ["Tier basic", "·", "5", "·"],
        ["gone", "·", "2", "·"],
        ["(new)", "4", "·", "·"],
    ]
    assert [cell.heat for cell in drawn.rows[0][1:]] == [0.25, 0.75, 0]


@pytest.mark.usefixtures("moved")
def test_those_who_stayed_and_the_new_are_no_way(figures):
    tables = [block for block in movement(figures).blocks if block.kind == "table"]
    assert texts(tables[0].rows) == [["Scheme card", "45.5 %", "0", "3", "2", "4", "6"]]
    assert texts(tables[-1].rows) == [
        ["Scheme card: Tier gold → Tier basic", "3", "30.00"],
        ["Scheme card: gone → Tier basic", "2", "20.00"],
    ]


@pytest.mark.usefixtures("moved")
def test_the_customers_who_moved_down_come_by_spend(figures, insert):
    for name in "ABC":
        insert(
            "customer_tiers",
            {
                "customer_id": name,
                "scheme": "card",
                "tier": "basic",
                "previous_tier": "gold",
                "movement": "same" if name == "C" else "down",
            },
        )
    found = movers(figures, figures.schemes["card"])
    assert texts(found.rows) == [
        ["A", "Tier gold → Tier basic", "300.00"],
        ["B", "Tier gold → Tier basic", "100.00"],
    ]


@pytest.mark.usefixtures("graded")
def test_without_a_release_before_nobody_moved(figures):
    (note,) = movement(figures).blocks
    assert "no earlier release" in note.text.en
    assert movers(figures, figures.schemes["card"]) is None


@pytest.mark.usefixtures("graded")
def test_the_pyramid_leads_where_it_tells_something(figures, insert):
    assert leading(figures).scheme == "card"
    insert(
        "schemes",
        {
            "scheme": "value_pyramid",
            "name_en": "P",
            "name_zh": "塔",
            "is_applicable": True,
        },
    )
    for tier in ("gold", "lead"):
        insert(
            "tier_economics",
            {"scheme": "value_pyramid", "tier": tier, "n_customers": 1},
        )
    del figures.__dict__["schemes"]
    assert leading(figures).scheme == "value_pyramid"


def test_without_schemes_none_leads(figures):
    assert leading(figures) is None
