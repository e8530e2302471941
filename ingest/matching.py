"""Which header is which canonical column of a feed, and which feed a file fits.

For proposals, which a person reviews: headers are matched by the words that they are
made of and by `header_names.yaml`, names of files by `table_names.yaml`. How a run
binds the columns of a file is in `ingest.mapping`, and guesses nothing.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.header_names import (
    behind,
    known_names,
    known_words,
    plain,
    shared_prefix,
    word_key,
    words,
)
from project.documents import read_yaml
from sql.contracts import Contract, feeds

TABLES = Path(__file__).with_name("table_names.yaml")
_HINT = 3  # columns that the name of a file weighs as much as
_ID = word_key("id")


@dataclass(frozen=True)
class Hints:
    """What the name of a file, or of its folder, says of its rows."""

    feeds: frozenset[str] = frozenset()
    is_lines: bool = False  # of orders


def hints_of(file: Path) -> Hints:
    """What the name of a file says; that of its folder, where the file's says nothing.

    Args:
        file: the file; `OrderDetail/whole.parquet` is one of details of orders.
    """
    for name in (file.name.partition(".")[0], file.parent.name):
        said = [_singular(word) for word in words(name)]
        found = {
            feed
            for feed, names in _table_names().items()
            if any(_says(word, known) for word in said for known in names)
            or {*map(_singular, words(feed))} <= {*said}
        }
        if found:
            lines = _lines()
            is_lines = any(_says(word, known) for word in said for known in lines)
            return Hints(frozenset(found), is_lines)
    return Hints()


def _says(word: str, known: str) -> bool:
    """Whether a word is a known one; Chinese ones are not parted by blanks."""
    return word == known or (not known.isascii() and known in word)


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


@functools.cache
def _table_names() -> Mapping[str, frozenset[str]]:
    """Feed → the words by which other systems call it."""
    named = read_yaml(TABLES)["feeds"]
    return {feed: frozenset(named.get(feed, ())) for feed in feeds()}


@functools.cache
def _lines() -> frozenset[str]:
    return frozenset(read_yaml(TABLES)["lines"])


def matched(
    header: Sequence[str], contract: Contract, hints: Hints = Hints()
) -> dict[str, str]:
    """Header → the column of the feed that it seems to be; each column once.

    A header that is the column's own name goes before one of the dictionary, that one
    before one that is made of the same words; of each, the whole name before what is
    behind a prefix that the columns share.
    """
    prefix = shared_prefix(header)

    def rest(name: str) -> str:
        return behind(prefix, name)

    columns = {column.name for column in contract.columns}
    own = {plain(name): frozenset({name}) for name in columns}
    none = frozenset[str]()
    ways: list[Callable[[str], frozenset[str]]] = [
        lambda name: own.get(plain(name), none),
        lambda name: own.get(plain(rest(name)), none),
        lambda name: known_names().get(plain(name), none),
        lambda name: known_names().get(plain(rest(name)), none),
        lambda name: known_words().get(word_key(name), none),
        lambda name: known_words().get(word_key(rest(name)), none),
        lambda name: _by_table(name, rest(name), contract, hints),
    ]
    found: dict[str, str] = {}
    for way in ways:
        for name in header:
            left = sorted((way(name) & columns) - {*found.values()})
            if name not in found and left:
                found[name] = left[0]
    return found


def _by_table(name: str, rest: str, contract: Contract, hints: Hints) -> frozenset[str]:
    """What a column `Id` numbers, by the name of its table."""
    if contract.table not in hints.feeds or _ID not in {word_key(name), word_key(rest)}:
        return frozenset()
    if contract.numbered_by is not None and hints.is_lines:
        return frozenset({contract.numbered_by})
    return frozenset(contract.key[:1])


def missing(contract: Contract, found: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that a feed requires and that no header seems to be."""
    have = {*found.values()}
    if {"quantity", "unit_price"} <= have:
        have.add("amount")  # their product
    return tuple(
        column.name
        for column in contract.columns
        if column.required and column.default is None and column.name not in have
    )


def best_feed(header: Sequence[str], hints: Hints) -> Contract | None:
    """The feed that a header fits best; None: it fits none.

    Most of its columns are found, fewest required ones are missing; the name of the
    file weighs as much as some columns.
    """

    def fit(contract: Contract) -> tuple[int, int]:
        found = matched(header, contract, hints)
        n_missing = len(missing(contract, found))
        hint = _HINT if contract.table in hints.feeds else 0
        return len(found) - n_missing + hint, -n_missing

    candidates = [
        contract for contract in feeds().values() if matched(header, contract, hints)
    ]
    return max(candidates, key=fit, default=None)
