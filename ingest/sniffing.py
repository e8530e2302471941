"""How a text file is written: encoding, delimiter, where the header stands.

Only the start of a file is looked at, unless its encoding proves wrong later.
"""

import codecs
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.mapping import folded
from ingest.quoting import USUAL, Quoting, joined_names
from ingest.unpacking import FAULTS, Unreadable, opened, system_words
from ingest.written import BLANKS

HEAD = 64 * 1024
LONGEST = 4 * 1024 * 1024  # line that may be a header, with what is blank before it
DELIMITERS = (",", ";", "\t", "|")
HEADER_LINES = 20  # in which a header is looked for
UTF8 = "utf-8"

_ONE_SIGN = "\x1e"  # stands for a delimiter of several

# What says nothing at the start of a file, in any encoding.
_NOTHING = b" \t\r\n\0"

# What is tried where a file is not UTF-8 and says nothing itself.
_ENCODINGS = ("gb18030", "big5", "euc_kr", "cp1252", "shift_jis", "cp1251", "cp1250")

# Where at least this share of the lines decodes, the encoding is taken, and the other
# lines become rejected rows.
_SOUND_SHARES = {UTF8: 0.5, "gb18030": 0.98, "big5": 0.98}

# One character in so many may be broken in a text of two or four bytes a character.
_WIDE_SOUND = 10
_WIDE = ("utf-16", "utf-32")

_MARKS = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# A header is judged by a function: can it be used, and how many names are known.
Judge = Callable[[Sequence[str]], tuple[bool, int]]


class Empty(Exception):  # noqa: N818 - a state of a file, no error
    """The file holds nothing but blanks."""


@dataclass(frozen=True)
class Dialect:
    """How a delimited text file is written."""

    encoding: str
    delimiter: str
    header_row: int  # the line on which the header begins, 0 where there is none
    header: tuple[str, ...]
    header_lines: tuple[tuple[str, ...], ...] = ()  # that the header is made of


@dataclass(frozen=True)
class Stated:
    """What is known of a delimited text file before it is looked at."""

    encoding: str | None = None  # None: it is found out; so for the next two
    delimiter: str | None = None
    header_row: int | None = None  # the line of the header, 0 where the file has none
    header_rows: int = 1  # how many lines the header has
    quoting: Quoting = USUAL
    skipped: re.Pattern[str] | None = None  # lines that are no header and no rows


def read_head(path: Path, compression: str | None, *, whole_line: bool) -> bytes:
    """The first bytes of the file, unpacked.

    Args:
        path: the file.
        compression: how it is packed.
        whole_line: read on until there is a line that is not blank, and its end.

    Raises:
        Unreadable: it cannot be opened or unpacked, or has no such line near its start.
    """
    try:
        with opened(path, compression) as stream:
            head = b""
            while len(head) < HEAD or (whole_line and not _has_line(head)):
                part = stream.read(HEAD)
                if not part:
                    break
                head += part
                if len(head) >= LONGEST and not _has_line(head):
                    which = "first line" if head.strip(_NOTHING) else "blank start"
                    most = f"{LONGEST // 1024 // 1024} MB"
                    raise Unreadable(f"has a {which} of more than {most}, no header")
            return head
    except PermissionError:
        raise Unreadable("may not be read: permission denied") from None
    except FAULTS as err:
        raise Unreadable(f"cannot be read: {system_words(err)}") from None


def _has_line(head: bytes) -> bool:
    """Whether there is a line end after something that is not blank."""
    text = head.lstrip(_NOTHING)
    return b"\n" in text or b"\r" in text


def sniff(head: bytes, stated: Stated, *, judge: Judge) -> Dialect:
    """How the file is written, as far as it is not stated.

    Args:
        head: the first bytes of the file.
        stated: what the settings say.
        judge: tells a usable header from other lines.

    Raises:
        Empty: there is nothing in the file.
        Unreadable: it is no text, or no encoding fits.
    """
    if not head.strip():
        raise Empty
    best: tuple[tuple[bool, int], Dialect] | None = None
    for candidate in _encodings(head, stated.encoding):
        text = _decode(head, candidate, is_stated=stated.encoding is not None)
        if text is None:
            continue
        if not text.strip(BLANKS):
            raise Empty
        dialect, found = _sniff_text(text, candidate, judge, stated)
        # The first encoding that decodes holds, unless its header says nothing and
        # that of another is usable.
        if best is None or (found[0] and not best[0][0]):
            best = found, dialect
        if found[0]:
            break
    if best is None:
        given = stated.encoding
        told = f"is not {given} text" if given else "is no text that can be read"
        raise Unreadable(told)
    return best[1]


def _encodings(head: bytes, given: str | None) -> Iterator[str]:
    for mark, name in _MARKS:
        if head.startswith(mark):
            # A mark is a fact; the settings may be about the other files.
            yield name
            return
    if given is not None:
        name = codecs.lookup(given).name
        if name in _WIDE:
            # Without a mark nobody says which byte goes first.
            yield from (f"{name}-le", f"{name}-be")
        else:
            yield UTF8 if name in {"utf-8", "ascii"} else given
        return
    if b"\x00" in head:
        # Text in Latin letters has every other byte zero in UTF-16.
        odd, even = head[1::2].count(0), head[::2].count(0)
        if max(odd, even) > len(head) // 8 + 4 * min(odd, even):
            yield "utf-16-le" if odd > even else "utf-16-be"
        else:
            # Bytes that are no text among others, such as what a crash leaves behind.
            yield UTF8
        return
    yield UTF8
    if _decode(head, UTF8) is None:
        yield from likely_encodings(head)


def likely_encodings(sample: bytes) -> list[str]:
    """The legacy encodings in which the sample is text, the likeliest first."""
    # Takes 50 ms to import, and most files are UTF-8.
    from charset_normalizer import from_bytes  # noqa: PLC0415

    possible = [
        encoding for encoding in _ENCODINGS if _decode(sample, encoding) is not None
    ]
    lines = [line for line in sample.split(b"\n") if not line.isascii()]
    sound = [
        line for line in lines if all(_is_text(line, encoding) for encoding in possible)
    ]
    matches = from_bytes(
        b"\n".join(sound or lines), cp_isolation=possible, threshold=1.0
    )
    # Its measure of chaos says little of short texts: where it hardly differs, the
    # order of the list holds.
    chaos = {
        encoding: round(match.chaos, 1)
        for match in matches
        for encoding in match.could_be_from_charset
    }
    return sorted(possible, key=lambda encoding: chaos.get(encoding, 1.0))


def _decode(head: bytes, encoding: str, *, is_stated: bool = False) -> str | None:
    """The text, a cut last character left out; None where it does not decode.

    A few lines that do not decode do not rule an encoding out: text in another one is
    hardly ever valid UTF-8 by chance, and rarely valid GB18030 or Big5. Where it
    is stated, more than half of all lines have to be.
    """
    decoder = codecs.getincrementaldecoder(encoding)
    try:
        text = decoder().decode(head)
    except UnicodeError:
        if encoding.startswith(_WIDE):
            # Its lines cannot be told before it is decoded.
            text = decoder("replace").decode(head)
            is_sound = text.count("\ufffd") * _WIDE_SOUND <= len(text)
            return text.lstrip("\ufeff") if is_sound else None
        share = 0.5 if is_stated else _SOUND_SHARES.get(encoding)
        lines = head.split(b"\n")[:-1]
        if not is_stated:
            # Those in ASCII tell nothing.
            lines = [line for line in lines if not line.isascii()]
        sound = sum(_is_text(line, encoding) for line in lines)
        if share is None or sound <= share * len(lines):
            return None
        text = decoder("replace").decode(head)
    return text.lstrip("\ufeff")


def _is_text(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _sniff_text(
    text: str, encoding: str, judge: Judge, stated: Stated
) -> tuple[Dialect, tuple[bool, int]]:
    delimiters = (stated.delimiter,) if stated.delimiter else DELIMITERS
    header_row = stated.header_row
    if header_row == 0:
        made = [
            _headerless(text, candidate, encoding, stated) for candidate in delimiters
        ]
        chosen = max(made, key=lambda dialect: len(dialect.header))
        return chosen, judge(chosen.header)
    lines = list(itertools.islice(_lines(text, stated), header_row or HEADER_LINES))
    best: tuple[tuple[bool, int, int], Dialect] | None = None
    for row, start in lines[-1:] if header_row else lines:
        for candidate in delimiters:
            names = _names(text[start:], candidate, stated)
            header = joined_names(names, BLANKS) if len(names) > 1 else names[0]
            if not any(name.strip(BLANKS) for name in header):
                continue
            usable, known = judge(header)
            rank = (usable, known, len(header))
            # The first line wins among equals, unless it is a title of one cell.
            if best is None or rank[:2] > best[0][:2] or _is_title(best, row, rank):
                lines_of_it = tuple(map(tuple, names))
                made_of = Dialect(encoding, candidate, row, tuple(header), lines_of_it)
                best = rank, made_of
        if best and best[0][0]:
            break
    if best is None:
        return Dialect(encoding, delimiters[0], 1, ()), (False, 0)
    return best[1], best[0][:2]


def _names(text: str, delimiter: str, stated: Stated) -> list[list[str]]:
    """The header that begins with a text, as the cells of each of its lines."""
    found = records(text, delimiter, stated.quoting)
    names = list(itertools.islice(found, stated.header_rows)) or [[]]
    first = next((row for row in found if any(v.strip(BLANKS) for v in row)), None)
    last = names[-1]
    n_named = max(
        (place for place, name in enumerate(last, start=1) if name.strip(BLANKS)),
        default=0,
    )
    if first is not None and len(first) == n_named < len(last):
        # Delimiters that the header has behind its last name, and the rows have not.
        names = [row[:n_named] for row in names]
    return names


def _is_title(
    best: tuple[tuple[bool, int, int], Dialect], row: int, rank: tuple[bool, int, int]
) -> bool:
    return (
        best[1].header_row == row and rank[:2] == best[0][:2] and rank[2] > best[0][2]
    )


def _headerless(text: str, delimiter: str, encoding: str, stated: Stated) -> Dialect:
    if stated.skipped is not None:
        text = stated.skipped.sub("", text)
    rows = records(text, delimiter, stated.quoting)
    first = next((row for row in rows if any(v.strip(BLANKS) for v in row)), [])
    names = tuple(f"column{number}" for number in range(1, len(first) + 1))
    return Dialect(encoding, delimiter, 0, names)


def _lines(text: str, stated: Stated) -> Iterator[tuple[int, int]]:
    """The number and the start of each line; of those that may be a header."""
    for row, start in enumerate(_line_starts(text), start=1):
        is_skipped = stated.skipped is not None and stated.skipped.match(
            text[start : start + HEAD]
        )
        if not is_skipped or row == stated.header_row:
            yield row, start


def _line_starts(text: str) -> Iterator[int]:
    yield 0
    for end in re.finditer(r"\r\n|\n|\r", text):
        if end.end() < len(text):
            yield end.end()


def records(text: str, delimiter: str, quoting: Quoting = USUAL) -> Iterator[list[str]]:
    """The records of a text."""
    if delimiter == " ":
        # Columns that are parted by any number of blanks, such as aligned ones.
        yield from (line.split() for line in text.splitlines())
    elif len(delimiter) > 1:
        # Python's reader knows delimiters of one sign only.
        for row in quoting.records(text.replace(delimiter, _ONE_SIGN), _ONE_SIGN):
            yield [cell.replace(_ONE_SIGN, delimiter) for cell in row]
    else:
        yield from quoting.records(text, delimiter)


def known_judge(
    wanted: frozenset[str], usable: Callable[[Sequence[str]], bool]
) -> Judge:
    """A judge that counts the names it knows."""

    def judge(header: Sequence[str]) -> tuple[bool, int]:
        known = len({folded(name) for name in header} & wanted)
        return known > 0 and usable(header), known

    return judge
