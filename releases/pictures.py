"""Pictures of a release for whoever looks at its run: tiers, and RFM as a heat map.

They are drawings in SVG of a few counts, without any customer, as a text in Markdown
that Dagster's UI shows. The report has more: see `releases.report`.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import duckdb

from project.shown import markdown
from releases.sections.drawing import colours, stacked
from sql.selects import select_in

_SELECTS = Path(__file__).parent / "sql" / "pictures"
_MOST_SCHEMES = 20  # the widest; the report has all
_FONT = 'font-family="sans-serif" font-size="12"'
# In pixels.
_ROW, _BAR, _LABEL, _WIDTH = 24, 16, 400, 460
_CELL, _AXIS = 56, 90
_SCORES = (1, 2, 3, 4, 5)
_DARK = 55  # per cent of lightness below which text is white


@dataclass(frozen=True)
class _Tier:
    """A tier of a scheme that customers have."""

    scheme: str
    scheme_en: str
    scheme_zh: str
    tier: str
    tier_en: str
    tier_zh: str
    tier_rank: int | None
    n_customers: int


def tier_bars(con: duckdb.DuckDBPyConnection) -> str | None:
    """A bar a scheme, parted by tiers; None where no scheme tells customers apart.

    Args:
        con: has the release attached as `release`.
    """
    rows = con.execute(select_in(_SELECTS / "tiers.sql")).fetchall()
    schemes = [
        [*tiers]
        for _, tiers in groupby((_Tier(*row) for row in rows), lambda tier: tier.scheme)
    ][:_MOST_SCHEMES]
    if not schemes:
        return None
    drawn = [_bar(tiers, place * _ROW) for place, tiers in enumerate(schemes)]
    picture = _svg(_LABEL + _WIDTH, len(schemes) * _ROW, drawn)
    return f"{_image('Customers by tier 各等级客户', picture)}\n\n{_in_words(schemes)}"


def rfm_heat_map(con: duckdb.DuckDBPyConnection) -> str | None:
    """Customers by recency and frequency score; None where nobody has ordered.

    Args:
        con: has the release attached as `release`.
    """
    rows = con.execute(select_in(_SELECTS / "rfm_grid.sql")).fetchall()
    counts = {(recency, frequency): number for recency, frequency, number in rows}
    if not counts:
        return None
    most = max(counts.values())
    cells = [
        _cell(recency, frequency, counts.get((recency, frequency), 0), most)
        for recency in _SCORES
        for frequency in _SCORES
    ]
    side = _AXIS + len(_SCORES) * _CELL
    axes = [
        _text(side / 2 + _AXIS / 2, 14, "Frequency 频度 →", anchor="middle"),
        _text(4, _AXIS / 2 - 8, "Recency 近度 ↓"),
    ]
    picture = _svg(side, side - _AXIS // 2, [*axes, *cells])
    return _image("Customers by recency and frequency 近度与频度", picture)


def _bar(tiers: Sequence[_Tier], top: int) -> str:
    """The bar of a scheme with its name."""
    counts = [tier.n_customers for tier in tiers]
    palette = colours([tier.tier_rank for tier in tiers])
    parts = [
        f'<rect x="{_LABEL + _WIDTH * part.start / 100:.1f}" y="{top + 2}"'
        f' width="{_WIDTH * part.share / 100:.1f}" height="{_BAR}"'
        f" fill={quoteattr(part.colour)}/>"
        for part in stacked(counts, palette)
    ]
    name = f"{tiers[0].scheme_en} {tiers[0].scheme_zh}"
    # The bar lies over the end of a name that is too long.
    ground = f'<rect x="{_LABEL}" y="{top}" width="100%" height="{_ROW}" fill="#fff"/>'
    return _text(4, top + 14, name) + ground + "".join(parts)


def _in_words(schemes: Sequence[Sequence[_Tier]]) -> str:
    """The same in figures, for those who do not see the picture."""
    lines = ["| Scheme 方案 | Customers by tier 各等级客户 |", "|---|---|"]
    for tiers in schemes:
        counts = [
            f"{tier.tier_en} {tier.tier_zh}: {tier.n_customers:,}" for tier in tiers
        ]
        name = f"{tiers[0].scheme_en} {tiers[0].scheme_zh}"
        lines.append(f"| {markdown(name)} | {markdown(' · '.join(counts))} |")
    return "\n".join(lines)


def _cell(recency: int, frequency: int, number: int, most: int) -> str:
    """A square: the more customers, the darker."""
    left = _AXIS + (frequency - 1) * _CELL
    top = _AXIS // 2 + (len(_SCORES) - recency) * _CELL
    lightness = 96 - 66 * number // most
    colour = "#fff" if lightness < _DARK else "#222"
    square = (
        f'<rect x="{left}" y="{top}" width="{_CELL - 2}" height="{_CELL - 2}"'
        f' fill="hsl(205 68% {lightness}%)"/>'
    )
    middle = (left + _CELL / 2 - 1, top + _CELL / 2 + 3)
    drawn = square + _text(*middle, f"{number:,}", anchor="middle", colour=colour)
    if frequency == 1:
        drawn += _text(_AXIS - 10, middle[1], f"R{recency}", anchor="end")
    if recency == len(_SCORES):
        drawn += _text(middle[0], top - 6, f"F{frequency}", anchor="middle")
    return drawn


def _text(
    left: float, base: float, words: str, *, anchor: str = "start", colour: str = "#222"
) -> str:
    return (
        f'<text x="{left:g}" y="{base:g}" {_FONT} text-anchor="{anchor}"'
        f' fill="{colour}">{escape(words)}</text>'
    )


def _svg(width: int, height: int, drawn: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}"><rect width="100%" height="100%"'
        f' fill="#fff"/>{"".join(drawn)}</svg>'
    )


def _image(words: str, picture: str) -> str:
    """The picture in Markdown; its text is there for those who do not see it."""
    data = base64.b64encode(picture.encode()).decode()
    return f"![{words}](data:image/svg+xml;base64,{data})"
