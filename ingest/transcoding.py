"""Copies of text files that DuckDB cannot read as they are, in UTF-8."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from ingest.skipping import LineMarks
from ingest.unpacking import FAULTS, Unreadable, opened, system_words

_CHUNK = 1 << 20
_SAMPLE = 1 << 18  # bytes from which an encoding is told
_LONGEST = 1 << 22  # of a line that is held as a whole, to be changed

# What stands in a copy for bytes that are no text, so that their row is rejected: a
# byte that is no UTF-8; in JSON, and where lines are read, a sign that no text has.
BAD_BYTE, BAD_SIGN = "fenji_bad_byte", "fenji_bad_sign"
NO_TEXT = "\x01"
_NOT_UTF8 = "\udcff"
_HIGH = 0x80


def _bad_byte(err: UnicodeError) -> tuple[str, int]:
    if not isinstance(err, UnicodeDecodeError):
        raise err
    high = [byte for byte in err.object[err.start : err.end] if byte >= _HIGH]
    return "".join(chr(0xDC00 + byte) for byte in high) or _NOT_UTF8, err.end


def _bad_sign(err: UnicodeError) -> tuple[str, int]:
    if not isinstance(err, UnicodeDecodeError):
        raise err
    return NO_TEXT, err.end


codecs.register_error(BAD_BYTE, _bad_byte)
codecs.register_error(BAD_SIGN, _bad_sign)


def copy_text(
    file: Path,
    compression: str | None,
    target: Path,
    *,
    encoding: str,
    aligned: bool = False,
    errors: str = BAD_BYTE,
    marks: LineMarks | None = None,
) -> None:
    """Write the text as UTF-8 with one kind of line end, without loading it whole.

    Args:
        file: the file.
        compression: how it is packed.
        target: the copy.
        encoding: the file's own.
        aligned: columns are parted by blanks, and become parted by tabs.
        errors: what becomes of bytes that are no text; unless told otherwise they stay
            what they are, so that the reader rejects their rows.
        marks: replaces lines that are skipped.

    Raises:
        Unreadable: the file cannot be unpacked to its end, or not be decoded at all.
    """
    # No text has a zero byte, though most encodings have one.
    no_text = {BAD_BYTE: _NOT_UTF8, BAD_SIGN: NO_TEXT}.get(errors, "\ufffd")
    decoder = codecs.getincrementaldecoder(encoding)(errors=errors)
    try:
        with opened(file, compression) as stream, target.open("wb") as out:
            rest = ""
            while chunk := stream.read(_CHUNK):
                text = rest + decoder.decode(chunk).replace("\0", no_text)
                # A line end may be cut in two; some lines are changed whole.
                cut = len(text.rstrip("\r"))
                if (aligned or marks) and len(text) < _LONGEST:
                    cut = max(text.rfind("\n"), text.rfind("\r", 0, cut)) + 1
                rest = text[cut:]
                out.write(_encoded(text[:cut], aligned=aligned, marks=marks))
            rest += decoder.decode(b"", final=True)
            out.write(_encoded(rest, aligned=aligned, marks=marks))
    except UnicodeError:
        raise Unreadable(f"is not {encoding} text") from None
    except FAULTS as err:
        raise Unreadable(f"cannot be read to its end: {system_words(err)}") from None


def _encoded(text: str, *, aligned: bool, marks: LineMarks | None) -> bytes:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if marks:
        plain = marks.marked(plain)
    if aligned:
        plain = re.sub(r"(?m)^ +| +$", "", plain)
        plain = re.sub(r" +", "\t", plain)
    return plain.encode("utf-8", "surrogateescape")


def holds(file: Path, compression: str | None, sign: bytes) -> bool:
    """Whether the sign, one byte, stands anywhere in the file.

    Raises:
        Unreadable: the file cannot be read.
    """
    try:
        with opened(file, compression) as stream:
            while chunk := stream.read(_CHUNK):
                if sign in chunk:
                    return True
    except FAULTS as err:
        raise Unreadable(f"cannot be read to its end: {system_words(err)}") from None
    return False


def decoded_head(head: bytes, encoding: str) -> str:
    """The start of a text, whatever of it does not decode left out."""
    return head.decode(encoding, "ignore").lstrip("\ufeff")


def encoding_lines(file: Path, compression: str | None) -> tuple[int, int, bytes]:
    """Of the lines that are not ASCII: how many are UTF-8, how many not, a sample."""
    valid = invalid = 0
    sample: list[bytes] = []
    size = 0
    with opened(file, compression) as stream:
        for line in _lines(stream.read):
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                invalid += 1
            else:
                valid += 1
            if size < _SAMPLE:
                sample.append(line)
                size += len(line)
    return valid, invalid, b"\n".join(sample)


def _lines(read: "object") -> Iterator[bytes]:
    rest = b""
    while chunk := read(_CHUNK):  # type: ignore[operator]
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        yield from lines
    yield rest
