"""What a page of a release is laid out of: texts, cells, tables, cards.

A section is a heading and its blocks; the template draws each kind of block in one way.
Every text is in both languages. Shares are from 0 to 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

Tone = Literal["", "bad", "up", "down"]
Amount = int | Decimal


@dataclass(frozen=True)
class Text:
    """A text in English and Chinese."""

    en: str
    zh: str

    def __bool__(self) -> bool:
        return bool(self.en or self.zh)


def plain(value: object) -> Text:
    """A text that is the same in both languages, such as a code or a date."""
    return Text(str(value), str(value))


NOTHING = plain("")
UNKNOWN = plain("–")


@dataclass(frozen=True)
class Part:
    """A part of a stacked bar: where it begins, how wide it is, its colour."""

    start: float
    share: float
    colour: str


@dataclass(frozen=True)
class Cell:
    """A cell of a table: a text, and what is drawn in it.

    Attributes:
        text: what it says.
        number: it is set to the right.
        share: the length of a bar beside the text; None: no bar.
        to_left: the bar grows to the left.
        heat: how strongly the cell is coloured; None: not at all.
        line: the points of a small curve, as an SVG path takes them.
        parts: of a stacked bar.
        colour: of a patch before the text.
        tone: whether it is a bad figure, or one that went up or down.
        code: a smaller second text, such as an id.
    """

    text: Text = NOTHING
    number: bool = False
    share: float | None = None
    to_left: bool = False
    heat: float | None = None
    line: str = ""
    parts: tuple[Part, ...] = ()
    colour: str = ""
    tone: Tone = ""
    code: str = ""


@dataclass(frozen=True)
class Table:
    """A table with a caption; the first cell of a row is its heading."""

    kind: ClassVar[str] = "table"
    caption: Text
    columns: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: Text = NOTHING
    is_grid: bool = False  # a heat map: narrow cells of one width


@dataclass(frozen=True)
class Card:
    """A headline figure, and the lines below it."""

    name: Text
    figure: str
    lines: tuple[Cell, ...] = ()
    tone: Tone = ""


@dataclass(frozen=True)
class Cards:
    """Headline figures side by side."""

    kind: ClassVar[str] = "cards"
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Note:
    """A paragraph."""

    kind: ClassVar[str] = "note"
    text: Text
    link: str = ""  # a page of the release, which follows the text
    is_soft: bool = False


@dataclass(frozen=True)
class Tile:
    """A tile of a tree map: place and size in per cent of the whole."""

    text: Text
    figure: Text
    left: float
    top: float
    width: float
    height: float
    heat: float
    is_small: bool = False  # too small for its text, which only screen readers get


@dataclass(frozen=True)
class Tiles:
    """A tree map: areas are shares."""

    kind: ClassVar[str] = "tiles"
    caption: Text
    tiles: tuple[Tile, ...]
    note: Text = NOTHING


@dataclass(frozen=True)
class Points:
    """Points of a list below a heading, such as those of a playbook."""

    kind: ClassVar[str] = "points"
    groups: tuple[tuple[Text, tuple[Text, ...]], ...]


@dataclass(frozen=True)
class Terms:
    """Words and what they mean."""

    kind: ClassVar[str] = "terms"
    terms: tuple[tuple[Text, Text], ...]


@dataclass(frozen=True)
class Side:
    """Blocks beside each other, where there is room."""

    kind: ClassVar[str] = "side"
    blocks: tuple["Block", ...]


@dataclass(frozen=True)
class Fold:
    """Blocks that are shown once they are asked for."""

    kind: ClassVar[str] = "fold"
    title: Text
    blocks: tuple["Block", ...]
    figure: Text = NOTHING
    parts: tuple[Part, ...] = ()


Block = Table | Cards | Note | Tiles | Points | Terms | Side | Fold


@dataclass(frozen=True)
class Section:
    """A section of the page; `anchor` is its id."""

    anchor: str
    title: Text
    blocks: tuple[Block, ...]


def head(en: str, zh: str, *, number: bool = False) -> Cell:
    """The heading of a column."""
    return Cell(Text(en, zh), number=number)


def count(value: Amount | None, *, tone: Tone = "") -> Cell:
    """A whole number."""
    return Cell(plain(whole(value)), number=True, tone=tone)


def whole(value: Amount | None) -> str:
    """A number without its fraction, in groups of three; a dash where it is unknown."""
    return UNKNOWN.en if value is None else f"{value:,.0f}"


def amount(value: Amount | None) -> Cell:
    """A sum of money: whole units, with cents where it is small."""
    return Cell(plain(money(value)), number=True)


def money(value: Amount | None) -> str:
    """As `amount`, as a text."""
    if value is None:
        return UNKNOWN.en
    return f"{value:,.2f}" if size(value) < _SMALL else f"{value:,.0f}"


_SMALL = 1000


def decimals(value: Amount | None, digits: int = 2) -> Cell:
    """A number with a fraction."""
    text = UNKNOWN.en if value is None else f"{value:,.{digits}f}"
    return Cell(plain(text), number=True)


def per_cent(share: float | Decimal | None, digits: int = 1) -> str:
    """A share as a percentage."""
    return UNKNOWN.en if share is None else f"{share * 100:.{digits}f} %"


def share(value: float | Decimal | None, *, bar: bool = False) -> Cell:
    """A share as a percentage, with a bar where it is asked for."""
    drawn = float(min(max(value or 0, 0), 1)) if bar else None
    return Cell(plain(per_cent(value)), number=True, share=drawn)


def ratio(part: Amount, total: Amount) -> float:
    """A part of a whole, 0 where the whole is nothing."""
    return float(part) / float(total) if total else 0.0


def size(value: Amount) -> Amount:
    """A number without its sign."""
    return -value if value < 0 else value


def signed(value: Amount) -> str:
    """A change, with its sign."""
    return "±0" if not value else f"{'+' if value > 0 else '−'}{size(value):,.0f}"


def present(*blocks: Block | None) -> tuple[Block, ...]:
    """The blocks that there are."""
    return tuple(block for block in blocks if block is not None)


def table(
    caption: Text,
    columns: Sequence[Cell],
    rows: Sequence[Sequence[Cell]],
    note: Text = NOTHING,
    *,
    is_grid: bool = False,
) -> Table | None:
    """A table, or None where it has no rows."""
    if not rows:
        return None
    return Table(
        caption, tuple(columns), tuple(tuple(row) for row in rows), note, is_grid
    )
