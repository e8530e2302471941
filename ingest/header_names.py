"""What headers of other systems call canonical columns, and which of a header is near.

The dictionary is `header_names.yaml`, in English and Chinese. What of a header may be
told is decided here as well: a row of data may stand where the header should be.
"""

import difflib
import functools
import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from project.documents import read_yaml
from sql.contracts import feeds

NAMES = Path(__file__).with_name("header_names.yaml")
_SIGNS = re.compile(r"[^0-9a-z\u4e00-\u9fff]+")
_Key = TypeVar("_Key", bound=Hashable)
# A word begins at a capital letter, at a digit, or where another script does.
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_A-Za-z]+")
_SAME = {
    **dict.fromkeys(("sk", "key", "identifier"), "id"),
    **dict.fromkeys(("number", "num", "nr", "nbr"), "no"),
    "qty": "quantity",
    "amt": "amount",
}
_NOISE = frozenset(
    ("ordered", "each", "sold", "purchased", "rmb", "cny", "usd", "eur", "元")
)
# A prefix is none of few columns, nor where one column in five has another.
_LEAST_PREFIXED, _PREFIXED = 3, 0.8
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]*[_. -](?=.)")
# A line with as many names that are known is a header, and no row of data.
_SURE = 2
# How much of a header is looked at, and how many names of it are told.
_MANY_NAMES, _LONG_NAME, _TOLD = 1000, 100, 3
_MOST_NOTED = 200
_NEAR = 0.6  # as difflib has it
_SAME_END = 0.15  # so much nearer
_NUMBERS = frozenset(("id", "no", "code"))
_NEXT = 0.2  # further away than the nearest, a name is not told
# A mail address, a telephone number: no name of a column.
_PERSONAL = re.compile(r"@|(?:[0-9][^0-9]{0,2}){7}")


def plain(name: str) -> str:
    """A name without case, blanks and signs."""
    return _SIGNS.sub("", name.lower())


def words(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case: `orderLineNumber`, `Client_id`, `金额RMB`."""
    return tuple(word.lower() for word in _WORDS.findall(name))


def word_key(name: str) -> tuple[str, ...]:
    """What two names have in common that say the same: their words in any order.

    Some words stand for one, such as `sk` and `id`; some say nothing of the column.
    """
    said = tuple(sorted(_SAME.get(word, word) for word in words(name)))
    telling = tuple(word for word in said if word not in _NOISE)
    return telling or said


@functools.cache
def known_names() -> Mapping[str, frozenset[str]]:
    """Each known name, plain → the canonical columns that it may be."""
    return _by(plain)


@functools.cache
def known_words() -> Mapping[tuple[str, ...], frozenset[str]]:
    """As `known_names`, by the words of the names."""
    return _by(word_key)


def _by(key: Callable[[str], _Key]) -> Mapping[_Key, frozenset[str]]:
    """The known names, by a key of each → the canonical columns that it may be."""
    named: dict[_Key, set[str]] = {}
    for column, names in (read_yaml(NAMES) or {}).items():
        for name in names:
            named.setdefault(key(name), set()).add(column)
    for contract in feeds().values():
        for column in contract.columns:
            named.setdefault(key(column.name), set()).add(column.name)
    return {name: frozenset(columns) for name, columns in named.items()}


def shared_prefix(header: Iterable[str]) -> str:
    """What (nearly) all names of a header begin with, such as `ss_`; else nothing."""
    names = [name.strip() for name in header if name.strip()]
    found = (_PREFIX.match(name) for name in names)
    counts = Counter(match[0].lower() for match in found if match)
    if not counts:
        return ""
    prefix, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
    enough = count >= max(_LEAST_PREFIXED, _PREFIXED * len(names))
    return prefix if enough else ""


def n_known(header: Sequence[str]) -> int:
    """How many names of a header may be columns of some feed."""
    prefix = shared_prefix(header)
    return sum(
        any(
            plain(part) in known_names() or word_key(part) in known_words()
            for part in (name, behind(prefix, name))
        )
        for name in header
    )


def behind(prefix: str, name: str) -> str:
    """What of a name stands behind a prefix; nothing where it has none."""
    name = name.strip()
    has = bool(prefix) and name.lower().startswith(prefix)
    return name[len(prefix) :] if has else ""


def near(header: Sequence[str], names: Iterable[str], column: str) -> list[int]:
    """The places of the cells of a header that may be a canonical column, best first.

    Args:
        header: its cells.
        names: what the column was called before.
        column: the canonical column; what the dictionary calls it is compared, too.
            Or, where none is meant, the name again.

    Of two that are as near the one with the same last word goes first: a number of
    customers is their id, and their name is not. What the dictionary knows as another
    column is none of them: an amount is no account.
    """
    known = known_names()
    wanted = {plain(name) or name.casefold() for name in (*names, column)}
    own = {name for name, columns in known.items() if column in columns}
    wanted |= own
    ends = {_last_word(name) for name in (*names, column)}
    scores = []
    for place, cell in enumerate(header[:_MANY_NAMES]):
        name = plain(cell[:_LONG_NAME]) or cell[:_LONG_NAME].casefold()
        if own and name in known and name not in own:
            continue
        score = max(
            difflib.SequenceMatcher(None, name, other).ratio() for other in wanted
        )
        if score >= _NEAR:
            more = _SAME_END if _last_word(cell[:_LONG_NAME]) in ends else 0
            scores.append((min(score + more, 1), place))
    best = max((score for score, _ in scores), default=0)
    close = [(-score, place) for score, place in scores if score >= best - _NEXT]
    return [place for _, place in sorted(close)[:_TOLD]]


def _last_word(name: str) -> str:
    """What kind of thing a name ends with; numbers, codes and ids are of one kind."""
    said = [_SAME.get(word, word) for word in words(name)]
    last = said[-1] if said else ""
    if last in _NUMBERS or last.endswith("号"):
        return "no"
    return last if last.isascii() else last[-1:]


def may_be_told(name: str) -> bool:
    """Whether a cell of a header can be the name of a column."""
    return 0 < len(name) <= _LONG_NAME and not _PERSONAL.search(name)


def is_sure(n_known: int) -> bool:
    """Whether a line of which so many names are known is a header."""
    return n_known >= _SURE


def looks_like_header(header: Sequence[str]) -> bool:
    """Whether so many names of a line are known to all that it is no row of data."""
    filled = sum(bool(cell.strip()) for cell in header)
    return n_known(header) >= max(_SURE + 1, filled / 4)


def unused(
    header: Sequence[str], used: Collection[int], n_known: int
) -> tuple[str, ...] | None:
    """The names of the columns of a file that nothing is read of, to be remembered.

    None where the line may be a row of data.

    Args:
        header: its cells, without blanks around them.
        used: the places of those that something is read of.
        n_known: how many of its names the feed or the mapping knows.
    """
    if not is_sure(n_known):
        return None
    names = [
        name
        for place, name in enumerate(header)
        if place not in used and may_be_told(name)
    ]
    return tuple(dict.fromkeys(names))[:_MOST_NOTED]
