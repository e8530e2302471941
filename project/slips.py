"""Typing mistakes (slips) in YAML files, and what to write instead.

Chinese keyboards write full-width punctuation, spreadsheets write `1,000`, and a comma
inside `{ }` ends a value. YAML accepts all of these as something else, and complains
about another line. Here they are recognised; `project.documents` raises the error.
"""

import re
from collections.abc import Sequence

# Full-width characters, and those of YAML or of expressions that they stand for.
_SIGNS = str.maketrans(
    "：，［］｛｝（）＞＜＝＋－＊／％‘’“”", ":,[]{}()><=+-*/%" + "''" + '""'
)
_SIGNS_OF_LISTS = frozenset("［］｛｝，")
_KEY = re.compile(r"^\s*(?:- +)?([A-Za-z_][\w.]*)：")
_NUMBER = re.compile(r"[+-]?\d{1,3}(?:[,，]\d{3})+(?:\.\d+)?")


def full_width_key(text: str) -> tuple[int, str] | None:
    """The first line (from 1) whose key has a full-width colon, and what to write."""
    for line, written in enumerate(text.splitlines(), 1):
        match = _KEY.match(written)
        if match:
            return line, (
                f"the colon of '{match[1]}：' is full-width; write '{match[1]}: '"
                " with the colon of an English keyboard and a blank"
            )
    return None


def comma_in_braces(key: str, value: str, rest: Sequence[str]) -> str:
    """What to write where a comma inside `{ }` has ended a value too early.

    Args:
        key: the field whose value was cut short.
        value: the part that YAML took as its value.
        rest: the parts after the comma.
    """
    number = ",".join((value, *rest))
    if _NUMBER.fullmatch(number):
        return f"'{number}' holds a comma; write {key}: {number.replace(',', '')}"
    return (
        "a comma inside { } ends the value; put the whole value in quotes:"
        f' {key}: "{", ".join((value, *rest))}"'
    )


def in_value(value: str, *, is_list: bool, is_number: bool) -> str | None:
    """What to write instead of a text where a list or a number was expected.

    None where no typing mistake is recognised.

    Args:
        value: the text as it was read.
        is_list: a list was expected.
        is_number: a number was expected.
    """
    if is_number and _NUMBER.fullmatch(value.strip()):
        plain = value.strip().replace(",", "").replace("，", "")
        return f"write the number without commas: {plain}"
    if is_list:
        plain = value.translate(_SIGNS) if _SIGNS_OF_LISTS & set(value) else value
        parts = [part.strip() for part in plain.strip("[] ").split(",")]
        written = f"[{', '.join(part for part in parts if part)}]"
        how = " with the brackets of an English keyboard" if plain != value else ""
        return f"write a list{how}: {written}"
    return None


def in_expression(text: str) -> str | None:
    """What to write instead of an expression that cannot be read.

    None where no typing mistake is recognised.
    """
    plain = text.translate(_SIGNS)
    if plain != text:
        return f"it has signs of a Chinese keyboard; write {plain}"
    number = re.search(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?![\d,])", text)
    if number:
        return f"write numbers without commas: {number[0].replace(',', '')}"
    return None
