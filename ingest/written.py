"""How a mapping says that values are written: dates, numbers, and words for nothing.

`fenji.yaml` states it for all files of a mapping (`date_format`, `number_format`,
`null_values`); nothing is guessed from row to row. What the SQL is, is in
`ingest.casts` and here for numbers; what `fenji inspect` proposes is in
`ingest.inspection`.
"""

import datetime
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from ingest.sql_text import Sql, literal, sql
from project.mappings import FeedMapping

# What counts as blank around words and names: also the blanks of Chinese text, and
# the mark that some programs put at the start of a file.
BLANKS = " \t\r\n\u00a0\u3000\ufeff"

# Not written with letters of strptime: what counts since a day.
EXCEL, EPOCH, EPOCH_MS = "excel", "epoch", "epoch_ms"
COUNTED = (EXCEL, EPOCH, EPOCH_MS)

# The signs between groups of digits and before the decimals, by an example. Texts have
# many blanks and quotes for one between groups.
_SIGNS = {
    "1,234.50": (",", "."),
    "1.234,50": (".", ","),
    "1 234,50": ("[ \u00a0\u2009\u202f]", ","),
    "1'234.50": ("['’]", "."),
}
STYLES = tuple(_SIGNS)
_FULL_WIDTH = "０１２３４５６７８９．，（）－＋％\u2212", "0123456789.,()-+%-"
_UNITS = {"千": 3, "万": 4, "萬": 4, "亿": 8, "億": 8, "%": -2, "‰": -3}
_MONEY = "(?:[$€£¥￥₩₹]|元|[A-Z]{3})?"
_PARTS = ("open", "sign", "inner", "number", "unit", "last", "close")


@dataclass(frozen=True)
class Written:
    """How values of one column are written in a file."""

    dates: tuple[str, ...] = ()  # tried in this order; none: ISO 8601
    iso_too: bool = False  # dates may be ISO 8601 beside that
    numbers: str | None = None  # one of the examples of `number_format`
    nothing: tuple[str, ...] = ()  # words that stand for no value
    words: tuple[tuple[str, str], ...] = ()  # of the file, and what they mean
    # By an expression: of a double the last two digits are what reckoning left over.
    is_reckoned: bool = False


def written_in(mapping: FeedMapping, column: str, *, iso_too: bool) -> Written:
    """How a mapping says that a canonical column is written."""
    return Written(
        dates=_of_column(mapping.date_format, column),
        iso_too=iso_too,
        numbers=mapping.number_format,
        nothing=_of_column(mapping.null_values, column),
        words=tuple(
            (word, constant_text(meant))
            for word, meant in mapping.words.get(column, {}).items()
        ),
    )


def constant_text(value: str | int | Decimal | bool) -> str:
    """A value that the settings give, as it would stand in a text file."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def date_formats(mapping: FeedMapping) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The formats that are tried one after the other, each list with its place."""
    given = mapping.date_format
    if isinstance(given, Mapping):
        return [
            (("date_format", column), _of_column(given, column)) for column in given
        ]
    return [(("date_format",), _of_column(given, ""))] if given else []


def two_readings(formats: Sequence[str]) -> tuple[str, str, str] | None:
    """Two formats that read one text as two days, and such a text.

    Which of them is meant can only be told by the whole column, never by a row.
    """
    for first, second in itertools.permutations(formats, 2):
        if {first, second} & {*COUNTED}:
            continue
        for day in (datetime.datetime(2003, 4, 5), datetime.datetime(2011, 10, 9)):  # noqa: DTZ001
            said = day.strftime(first)
            try:
                other = datetime.datetime.strptime(said, second)  # noqa: DTZ007
            except ValueError:
                continue
            if other.date() != day.date():
                return first, second, said
    return None


def decimal_sign(style: str) -> str:
    """What stands before the decimals: a point or a comma."""
    return _SIGNS[style][1]


def plain_number(x: Sql, style: str) -> Sql:
    """The number that a text states, as DuckDB reads it; null where it states none.

    Groups have three digits. Brackets and a minus before or behind mean below zero; a
    sign or code of a currency is left out; 万 and 亿 multiply, a percent sign divides.

    Args:
        x: the text.
        style: one of the examples of `number_format`.
    """
    group, point = _SIGNS[style]
    among = group if group.startswith("[") else f"[{group}]"
    decimals = f"[{point}]"
    blanks = f"[{BLANKS}]*"
    number = rf"(?:\d{{1,3}}(?:{among}\d{{3}})+|\d+)(?:{decimals}\d*)?|{decimals}\d+"
    pattern = blanks.join(
        (
            "^",
            r"(\()?",
            "([-+])?",
            _MONEY,
            "([-+])?",
            f"({number})",
            f"({'|'.join(_UNITS)})?",
            _MONEY,
            "(-)?",
            r"(\))?",
            "$",
        )
    )
    exponent = Sql(
        " ".join(
            f"when {literal(unit)} then {literal(f'e{power}')}"
            for unit, power in _UNITS.items()
        )
    )
    parts = sql(
        "regexp_extract(translate({x}, {wide}, {narrow}), {pattern}, [{names}])",
        x=x,
        wide=literal(_FULL_WIDTH[0]),
        narrow=literal(_FULL_WIDTH[1]),
        pattern=literal(pattern),
        names=Sql(", ".join(literal(name) for name in _PARTS)),
    )
    return sql(
        # A list of one, so that the parts are worked out once.
        "list_transform([{parts}], lambda p: case"
        " when p.number = '' or (p.open = '') != (p.close = '')"
        " or length(p.sign || p.inner || p.last) > 1"
        " or p.open != '' and p.sign || p.inner || p.last != '' then null"
        " else case when p.open != '' or '-' in (p.sign, p.inner, p.last)"
        " then '-' else '' end"
        " || replace(regexp_replace(p.number, {among}, '', 'g'), {point}, '.')"
        " || case p.unit {exponent} else '' end end)[1]",
        parts=parts,
        among=literal(among),
        point=literal(point),
        exponent=exponent,
    )


def _of_column(
    given: str | Iterable[str] | Mapping[str, str | Iterable[str]] | None, column: str
) -> tuple[str, ...]:
    """What is stated for a column: for all, or by its name."""
    if isinstance(given, Mapping):
        given = given.get(column)
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)
