"""The geometry of what a page draws."""

from decimal import Decimal

import pytest

from releases.sections.blocks import Part
from releases.sections.drawing import colours, curve, stacked, tree_map


def test_parts_of_a_bar_lie_side_by_side_and_those_of_nothing_are_left_out():
    assert stacked([1, 0, 3], ["a", "b", "c"]) == (
        Part(0.0, 25.0, "a"),
        Part(25.0, 75.0, "c"),
    )
    assert stacked([0, 0], ["a", "b"]) == ()


def test_a_curve_begins_at_zero_and_breaks_where_nothing_is_known():
    assert curve([0, 10]) == "M0.0 22.0L100.0 2.0"
    assert curve([5, 10, None, 10, Decimal(0)]) == (
        "M0.0 12.0L25.0 2.0M75.0 2.0L100.0 22.0"
    )


@pytest.mark.parametrize("values", [[], [3], [None, None], [None, 4]])
def test_fewer_than_two_points_are_no_curve(values):
    assert curve(values) == ""


def test_a_curve_of_one_value_is_flat():
    assert curve([0, 0, 0]) == "M0.0 22.0L50.0 22.0L100.0 22.0"


@pytest.mark.parametrize(
    "sizes", [[7], [1, 1], [1505, 1096, 462, 355, 160, 64, 30, 22], [5] * 9]
)
def test_the_tiles_of_a_tree_map_are_as_large_as_their_shares(sizes):
    boxes = tree_map(sizes)
    assert len(boxes) == len(sizes)
    for size, box in zip(sizes, boxes, strict=True):
        share = 10_000 * size / sum(sizes)
        assert box.width * box.height == pytest.approx(share, abs=2)
        assert 0 <= box.left <= box.left + box.width <= 100.01
        assert 0 <= box.top <= box.top + box.height <= 100.01
    for at, placed in enumerate(boxes):
        for other in boxes[at + 1 :]:
            apart_x = min(placed.left + placed.width, other.left + other.width) - max(
                placed.left, other.left
            )
            apart_y = min(placed.top + placed.height, other.top + other.height) - max(
                placed.top, other.top
            )
            assert min(apart_x, apart_y) <= 0.02


def test_ordered_tiers_are_shades_and_the_best_is_the_darkest():
    best, worst, unrated = colours([1, 2, None])
    assert best == "hsl(205 68% 28%)"
    assert worst == "hsl(205 68% 80%)"
    assert unrated not in (best, worst)


@pytest.mark.parametrize("n_tiers", [1, 8, 9, 20])
def test_tiers_without_an_order_have_colours_of_their_own(n_tiers):
    assert len(set(colours([None] * n_tiers))) == n_tiers
