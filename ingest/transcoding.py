"""Copies of files that DuckDB cannot read as they are: other encodings, workbooks."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.mapping import BLANKS
from ingest.sniffing import (
    HEADER_LINES,
    Empty,
    Judge,
    Unreadable,
    opened,
    system_words,
)

if TYPE_CHECKING:
    import polars as pl

_CHUNK = 1 << 20
_SAMPLE = 1 << 18  # bytes from which an encoding is told


def copy_text(
    source: Path,
    compression: str | None,
    target: Path,
    *,
    encoding: str,
    aligned: bool = False,
    errors: str = "surrogateescape",
) -> None:
    """Write the text as UTF-8 with one kind of line end, without loading it whole.

    Args:
        source: the file.
        compression: how it is packed.
        target: the copy.
        encoding: the file's own.
        aligned: columns are parted by blanks, and become parted by tabs.
        errors: what becomes of bytes that are no text; unless told otherwise they stay
            what they are, so that the reader rejects their rows.

    Raises:
        Unreadable: the file cannot be unpacked to its end.
    """
    decoder = codecs.getincrementaldecoder(encoding)(errors=errors)
    try:
        with opened(source, compression) as stream, target.open("wb") as out:
            rest = ""
            while chunk := stream.read(_CHUNK):
                text = rest + decoder.decode(chunk)
                # A line end may be cut in two; an aligned line is changed whole.
                cut = text.rfind("\n") + 1 if aligned else len(text.rstrip("\r"))
                rest = text[cut:]
                out.write(_encoded(text[:cut], aligned=aligned))
            rest += decoder.decode(b"", final=True)
            out.write(_encoded(rest, aligned=aligned))
    except (EOFError, OSError) as err:
        raise Unreadable(f"cannot be read to its end: {system_words(err)}") from None


def _encoded(text: str, *, aligned: bool) -> bytes:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if aligned:
        plain = re.sub(r"(?m)^ +| +$", "", plain)
        plain = re.sub(r" +", "\t", plain)
    return plain.encode("utf-8", "surrogateescape")


def decoded_head(head: bytes, encoding: str) -> str:
    """The start of a text, whatever of it does not decode left out."""
    return head.decode(encoding, "ignore").lstrip("\ufeff")


def encoding_lines(source: Path, compression: str | None) -> tuple[int, int, bytes]:
    """Of the lines that are not ASCII: how many are UTF-8, how many not, a sample."""
    valid = invalid = 0
    sample: list[bytes] = []
    size = 0
    with opened(source, compression) as stream:
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


def read_workbook(
    source: Path, *, sheet: str | None, header_row: int | None, judge: Judge
) -> "tuple[pl.DataFrame, int]":
    """A sheet's cells as text, and the row of the header, 0 where there is none.

    Raises:
        Empty: the sheet has no cells.
        Unreadable: it is no workbook, or has no such sheet.
    """
    # Half a second to import, and few companies land workbooks.
    import fastexcel  # noqa: PLC0415

    try:
        book = fastexcel.read_excel(str(source))
        if sheet is not None and sheet not in book.sheet_names:
            n_sheets = len(book.sheet_names)
            it_has = "1 sheet" if n_sheets == 1 else f"{n_sheets} sheets"
            raise Unreadable(f"has no sheet '{sheet}'; it has {it_has}")
        loaded = book.load_sheet(sheet or 0, header_row=None, dtypes="string")
        cells = loaded.to_polars()
    except fastexcel.FastExcelError:
        # What it says may quote names and cells.
        raise Unreadable("is no workbook that can be read") from None
    if cells.height == 0 or cells.width == 0:
        raise Empty
    if header_row is not None:
        return cells, header_row
    best, found = (False, 0), 1
    for number, row in enumerate(cells.head(HEADER_LINES).rows(), start=1):
        rank = judge([value or "" for value in row])
        if rank > best:
            best, found = rank, number
        if rank[0]:
            break
    return cells, found


def write_rows(cells: "pl.DataFrame", header_row: int, target: Path) -> tuple[str, ...]:
    """Write the rows below the header, blank ones left out; the header.

    Raises:
        Empty: the sheet ends before the header.
    """
    import polars as pl  # noqa: PLC0415

    if header_row > cells.height:
        raise Empty
    if header_row:
        names = [value or "" for value in cells.row(header_row - 1)]
    else:
        names = [f"column{number}" for number in range(1, cells.width + 1)]
    body = cells.slice(header_row).filter(
        pl.any_horizontal(pl.all().str.strip_chars(BLANKS).str.len_bytes() > 0)
    )
    body = body.rename(
        dict(zip(body.columns, (f"c{n}" for n in range(body.width)), strict=True))
    )
    body.write_parquet(target)
    return tuple(names)
