"""The geometry of what a page draws: stacked bars, curves, tree maps, colours.

All of it is plain arithmetic, rounded, so that equal figures give an equal page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from releases.sections.blocks import Part

# Told apart by people who see colours differently (Okabe and Ito).
_KINDS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#b8a900",
    "#7f7f7f",
)
_NO_RANK = "#9a9a9a"
_DARKEST, _LIGHTEST = 28, 80  # per cent of lightness: the best tier is the darkest
CURVE = (100, 24)  # width and height that the points of a curve lie in


def colours(ranks: Sequence[int | None]) -> list[str]:
    """A colour for each tier of a scheme, given by rank, best first.

    Tiers with an order are shades of one colour, those without it are of their own.
    """
    ranked = [rank for rank in ranks if rank is not None]
    if not ranked and len(ranks) <= len(_KINDS):
        return list(_KINDS[: len(ranks)])
    levels = sorted(set(ranked)) if ranked else list(range(len(ranks)))
    steps = max(len(levels) - 1, 1)
    shade = {
        level: f"hsl(205 68% {_DARKEST + (_LIGHTEST - _DARKEST) * at // steps}%)"
        for at, level in enumerate(levels)
    }
    if not ranked:
        return [shade[level] for level in levels]
    return [_NO_RANK if rank is None else shade[rank] for rank in ranks]


def stacked(counts: Sequence[int], palette: Sequence[str]) -> tuple[Part, ...]:
    """The parts of a stacked bar; those of nothing are left out."""
    total = sum(counts)
    parts: list[Part] = []
    start = 0
    for number, colour in zip(counts, palette, strict=True):
        if number > 0:
            where, wide = 100 * start / total, 100 * number / total
            parts.append(Part(round(where, 2), round(wide, 2), colour))
        start += number
    return tuple(parts)


def curve(values: Sequence[int | Decimal | None]) -> str:
    """The SVG path of a small curve; where a value is unknown it is interrupted."""
    known = [float(value) for value in values if value is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line has two ends
        return ""
    low, high = min(0.0, *known), max(known)
    width, height = CURVE
    step = width / (len(values) - 1)
    span = (high - low) or 1.0
    path: list[str] = []
    pen_is_up = True
    for at, value in enumerate(values):
        if value is None:
            pen_is_up = True
            continue
        x = round(at * step, 1)
        y = round(height - 2 - (height - 4) * (float(value) - low) / span, 1)
        path.append(f"{'M' if pen_is_up else 'L'}{x} {y}")
        pen_is_up = False
    return "".join(path)


@dataclass(frozen=True)
class Box:
    """A rectangle in per cent of the whole."""

    left: float
    top: float
    width: float
    height: float


def tree_map(sizes: Sequence[int], wide: float = 2.0) -> list[Box]:
    """A rectangle for each size, as large as its share and as square as can be.

    Args:
        sizes: above zero, the largest first.
        wide: how many times as wide as high the whole is drawn.
    """
    total = sum(sizes)
    areas = [size * 100.0 * wide * 100.0 / total for size in sizes]
    boxes: list[Box] = []
    left, top, width, height = 0.0, 0.0, 100.0 * wide, 100.0
    while areas:
        row = _row(areas, min(width, height))
        areas = areas[len(row) :]
        if width >= height:  # a column at the left
            depth = sum(row) / height
            at = top
            for area in row:
                boxes.append(Box(left, at, depth, area / depth))
                at += area / depth
            left, width = left + depth, width - depth
        else:  # a row at the top
            depth = sum(row) / width
            at = left
            for area in row:
                boxes.append(Box(at, top, area / depth, depth))
                at += area / depth
            top, height = top + depth, height - depth
    return [
        Box(
            round(box.left / wide, 2),
            round(box.top, 2),
            round(box.width / wide, 2),
            round(box.height, 2),
        )
        for box in boxes
    ]


def _row(areas: Sequence[float], side: float) -> list[float]:
    """The next areas that lie side by side: as long as that makes them squarer."""
    row = [areas[0]]
    for area in areas[1:]:
        if _worst([*row, area], side) > _worst(row, side):
            break
        row.append(area)
    return row


def _worst(row: Sequence[float], side: float) -> float:
    """How far from square the least square of a row is."""
    whole = sum(row)
    return max(
        max(side * side * area / (whole * whole), whole * whole / (side * side * area))
        for area in row
    )
