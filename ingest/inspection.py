"""What files are, before there is a mapping: how they are written, which feed they fit.

Headers are matched by `ingest.matching`, how a text is written found by
`ingest.sniffing`; here values are looked at: what they are, and where they end.
The result is a proposal for a person to review: nothing is loaded, and no value of a
file is kept.
"""

import datetime
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

import duckdb

from ingest import archives
from ingest.header_names import n_known
from ingest.landing import CORRECTION, EXCEL, HIDDEN, JSON, PARQUET, LandingFile
from ingest.matching import Hints, best_feed, hints_of, matched, missing
from ingest.sniffing import HEAD, Dialect, Empty, Stated, read_head, records, sniff
from ingest.sql_text import Sql
from ingest.transcoding import decoded_head
from ingest.unpacking import Unreadable, system_words
from ingest.workbooks import WorkbookReader
from ingest.written import BLANKS, STYLES, plain_number
from project.errors import ConfigurationError
from project.mappings import FeedMapping
from project.places import Place
from project.settings import SETTINGS_FILE, Limits
from sql.contracts import Contract, feeds

SAMPLE_ROWS = 1000
_TRANSACTION = "transaction_id"
LANDING = "landing"
_PULLED = re.compile(r"(?:whole|[0-9]+)\.parquet")
_SQLITE = b"SQLite format 3\0"
# A total below the rows: its first cell, and how near the end of the file it is.
_TOTAL = re.compile(
    r"(?:合计|总计|共计|小计|总和|(?:grand |sub)?totals?|sum)[ \t]*[:：]?",
    re.IGNORECASE,
)
_LAST_ROWS, _LAST_BYTES = 5, 16 * 1024
_DATES = ("date", "month", "timestamp")
_NUMBERS = ("amount", "quantity", "points", "ratio", "rate", "integer", "bigint")
# What is written where nothing is known, in columns of dates and numbers.
_NOTHING = frozenset(
    {"na", "n/a", "#n/a", "nan", "none", "null", "-", "--", "?", "\\n", "无", "空"}
)
# Forms of dates in the letters of strptime, each with and without a time.
_DAYS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%Y年%m月%d日",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%b-%Y",
    "%b %d, %Y",
)
_TIMES = ("", " %H:%M", " %H:%M:%S")


@dataclass(frozen=True)
class SeenColumn:
    """A column of a file."""

    header: str
    column: str | None  # the canonical one that it seems to be
    is_empty: bool  # in all rows that were looked at
    n_values: int  # different ones, in these rows


@dataclass(frozen=True)
class Inspected:
    """What a file seems to be."""

    file: Path
    pattern: str  # for `files`: below the feed's folder, where it lies there
    encoding: str | None  # None: it is no text
    delimiter: str | None
    header_row: int | None
    n_rows: int  # that were looked at
    feed: str | None  # None: it fits none
    columns: tuple[SeenColumn, ...]
    missing: tuple[str, ...]  # required columns that were not found
    # The form of its dates, where it is not ISO 8601; several: any of these.
    date_formats: tuple[str, ...]
    mixed_dates: tuple[str, ...]  # headers of dates that have no form in common
    # The form of its numbers, where it is not -1234.50; several: any of these.
    number_formats: tuple[str, ...] = ()
    mixed_numbers: tuple[str, ...] = ()
    null_values: tuple[str, ...] = ()  # words for nothing, among dates and numbers
    trailer_rows: int = 0  # at its end, from a total on
    shares: tuple[str, ...] = ()  # headers that would be amounts, and hold shares
    is_numbered: bool = False  # rows need their numbers as ids: no header is one
    unlisted: tuple[str, ...] = ()  # columns of closed lists with words of their own


@dataclass(frozen=True)
class _Sample:
    """The first rows of a file, as text."""

    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    encoding: str | None = None
    delimiter: str | None = None
    header_row: int | None = None
    trailer_rows: int = 0


def inspect(file: Path, *, feed: str | None = None) -> Inspected:
    """Look at the first rows of a file.

    Args:
        file: the file, anywhere, also within an archive, as in `orders.zip/may.csv`.
        feed: the feed that it is known to be of; None: the one that fits best.

    Raises:
        ConfigurationError: the file is not there, empty, an archive, or cannot be read.
    """
    if file.is_file() and archives.is_archive(file.name):
        raise _is_archive(file)
    if archives.inside(file) is None:
        return _inspect(file, feed)
    with tempfile.TemporaryDirectory() as folder:
        try:
            if archives.member_of(file) is not None:
                copy = Path(folder, file.name)
                archives.extract(file, (), lambda _: copy)
                return _inspect(copy, feed, file)
        except FileNotFoundError:
            raise ConfigurationError("there is no such file", Place(file)) from None
        except OSError as err:
            told = f"cannot be read to its end: {system_words(err)}"
            raise ConfigurationError(told, Place(file)) from None
        except ConfigurationError as err:
            raise ConfigurationError(err.message, Place(file)) from None
    raise ConfigurationError("there is no such file", Place(file))


def files_in(folder: Path) -> tuple[Path, ...]:
    """The files in a folder, in any depth, by name; of archives, their members.

    Hidden and temporary files are left out, and files of corrections.

    Raises:
        ConfigurationError: there is none.
    """
    found: list[Path] = []
    for place in sorted(folder.rglob("*")):
        parts = place.relative_to(folder).parts
        is_left_out = any(HIDDEN.search(part) for part in parts)
        if is_left_out or place.name.endswith(CORRECTION) or not place.is_file():
            continue
        if not archives.is_archive(place.name):
            found.append(place)
            continue
        try:
            found += [place / member.name for member in archives.members(place)]
        except archives.BrokenArchive:
            found.append(place)  # told when it is looked at
    if not found:
        raise ConfigurationError("is a folder without files", Place(folder))
    return tuple(found)


def _is_archive(file: Path) -> ConfigurationError:
    """What to do with an archive."""
    try:
        names = [member.name for member in archives.members(file)]
    except archives.BrokenArchive as err:
        return ConfigurationError(str(err), Place(file))
    if not names:
        return ConfigurationError("holds nothing", Place(file))
    return ConfigurationError(
        f"is an archive; name a file in it, such as {file / names[0]}", Place(file)
    )


def _inspect(file: Path, feed: str | None, shown: Path | None = None) -> Inspected:
    """As `inspect`, of a file that lies in a folder.

    Args:
        file: the file.
        feed: its feed, where it is known.
        shown: where it came from, if it is a copy.
    """
    shown = shown or file
    if file.is_dir():
        raise ConfigurationError("is a folder; name a file in it", Place(file))
    if not file.is_file():
        raise ConfigurationError("there is no such file", Place(file))
    if _is_sqlite(file):
        raise ConfigurationError(
            "is a database of SQLite: name it under 'databases' in fenji.yaml, and"
            " `fenji pull` brings its tables (docs/databases.md)",
            Place(file),
        )
    size = file.stat()
    landed = LandingFile(
        "", file.name, file, size.st_size, size.st_mtime_ns, FeedMapping()
    )
    try:
        sample = _sample(landed)
    except Empty:
        raise ConfigurationError("holds nothing", Place(file)) from None
    except (Unreadable, duckdb.Error) as err:
        said = str(err) if isinstance(err, Unreadable) else "cannot be read as its kind"
        raise ConfigurationError(said, Place(file)) from None
    landing = _landing_place(shown)
    if feed is None and landing is not None:
        feed = landing[0]
    hints = hints_of(shown)
    chosen = feeds()[feed] if feed else best_feed(sample.header, hints)
    found = _found(sample, chosen, _for_feed(hints, feed)) if chosen else {}
    shares = _shares(sample, found)
    found = {name: found[name] for name in found if name not in shares}
    left = missing(chosen, found) if chosen else ()
    is_numbered = _TRANSACTION in left
    columns = tuple(
        _seen(header, found.get(header), [row[place] for row in sample.rows])
        for place, header in enumerate(sample.header)
    )
    dates = _values(sample, chosen, found, _DATES)
    numbers = _values(sample, chosen, found, _NUMBERS)
    nothing = {
        value
        for values in (*dates.values(), *numbers.values())
        for value in values
        if value.lower() in _NOTHING
    }
    for values in (*dates.values(), *numbers.values()):
        values.difference_update(nothing)
    formats, mixed = _date_formats(dates)
    number_formats, mixed_numbers = _number_formats(numbers)
    return Inspected(
        file=shown,
        pattern=shown.name if landing is None else landing[1],
        encoding=sample.encoding,
        delimiter=sample.delimiter,
        header_row=sample.header_row,
        n_rows=len(sample.rows),
        feed=chosen.table if chosen else None,
        columns=columns,
        missing=tuple(name for name in left if name != _TRANSACTION),
        date_formats=formats,
        mixed_dates=mixed,
        number_formats=number_formats,
        mixed_numbers=mixed_numbers,
        null_values=tuple(sorted(nothing)),
        trailer_rows=sample.trailer_rows,
        shares=shares,
        is_numbered=is_numbered,
        unlisted=_unlisted(sample, chosen, found) if chosen else (),
    )


def _found(sample: _Sample, contract: Contract, hints: Hints) -> dict[str, str]:
    """Header → the column that it seems to be.

    What is called `Id` numbers the rows of its table only where no number comes twice.
    """
    found = matched(sample.header, contract, hints)
    sure = matched(sample.header, contract)
    for place, header in enumerate(sample.header):
        if header in found and header not in sure:
            values = [row[place] for row in sample.rows]
            if len({*values}) < len(values):
                del found[header]
    return found


def _unlisted(
    sample: _Sample, contract: Contract, found: Mapping[str, str]
) -> tuple[str, ...]:
    """The canonical columns of closed lists of which other words are there."""
    unlisted = []
    for place, header in enumerate(sample.header):
        known = contract.column(found[header]).values if header in found else ()
        words = {row[place].strip(BLANKS).lower() for row in sample.rows} - {""}
        if known and words - {*known}:
            unlisted.append(found[header])
    return tuple(unlisted)


def _for_feed(hints: Hints, feed: str | None) -> Hints:
    """Hints about a file of which the feed is known."""
    return hints if feed is None else replace(hints, feeds=hints.feeds | {feed})


def _landing_place(file: Path) -> tuple[str, str] | None:
    """The feed in whose folder a file lies, and a pattern below it; None: elsewhere.

    What is pulled from a table may come in further files: the pattern takes all.
    """
    place = file.absolute()
    for folder in place.parents:
        if folder.name == LANDING and (folder.parent / SETTINGS_FILE).is_file():
            feed, *rest = place.relative_to(folder).parts
            if feed not in feeds() or not rest:
                return None
            if len(rest) > 1 and _PULLED.fullmatch(rest[-1]):
                rest[-1] = "*"
            return feed, "/".join(rest)
    return None


def _shares(sample: _Sample, found: Mapping[str, str]) -> tuple[str, ...]:
    """The headers of discounts that are shares of a price, such as 0.25, no amounts."""
    shares = []
    for place, header in enumerate(sample.header):
        if found.get(header) != "discount_amount":
            continue
        values = {row[place].strip(BLANKS) for row in sample.rows} - {"", *_NOTHING}
        numbers = [_number(value) for value in values]
        if all(number is not None and 0 <= number <= 1 for number in numbers) and any(
            number is not None and 0 < number < 1 for number in numbers
        ):
            shares.append(header)
    return tuple(shares)


def _number(value: str) -> Decimal | None:
    """A number as it is written; of a percentage, the share."""
    try:
        number = Decimal(value.removesuffix("%"))
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    return number / 100 if value.endswith("%") else number


def _seen(header: str, column: str | None, values: Sequence[str]) -> SeenColumn:
    filled = {value for value in values if value.strip()}
    return SeenColumn(header.strip(), column, not filled, len(filled))


# Reading the first rows.


def _sample(file: LandingFile) -> _Sample:
    if file.extension in PARQUET:
        return _of_relation("read_parquet", file.absolute)
    if file.extension in EXCEL:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder, "sheet.parquet")
            reader = WorkbookReader(Limits())
            try:
                reader.read(file.absolute, target, sheet=None)
            finally:
                reader.close()
            first, *rows = _of_relation("read_parquet", target).rows or [()]
            trailer = _trailer_rows(rows) if len(rows) + 1 < SAMPLE_ROWS else 0
            return _Sample(
                tuple(first), rows[: len(rows) - trailer], trailer_rows=trailer
            )
    if file.extension in JSON:
        return _of_relation("read_json_auto", file.absolute)
    return _of_text(file)


def _of_relation(function: str, path: Path) -> _Sample:
    """The rows that a function of DuckDB reads."""
    with duckdb.connect() as con:
        query = f"from {function}($path) limit {SAMPLE_ROWS}"
        made = con.execute(query, {"path": str(path)})
        names = [str(column[0]) for column in made.description]
        found = made.fetchall()
    columns = {
        inside: values
        for place, name in enumerate(names)
        for inside, values in _inside(name, [row[place] for row in found])
    }
    texts = [
        ["" if value is None else str(value) for value in values]
        for values in columns.values()
    ]
    return _Sample(tuple(columns), [*zip(*texts, strict=True)])


def _inside(name: str, values: Sequence[object]) -> Iterator[tuple[str, list[object]]]:
    """A column, or where it holds objects those that lie in them: name and values.

    They are named as mappings name them: by the keys on the way, joined by points.
    """
    objects = [value for value in values if isinstance(value, dict)]
    if not objects:
        yield name, [*values]
    for key in dict.fromkeys(key for value in objects for key in value):
        inner = [
            value.get(key) if isinstance(value, dict) else None for value in values
        ]
        yield from _inside(f"{name}.{key}", inner)


def _of_text(file: LandingFile) -> _Sample:

    def judge(header: Sequence[str]) -> tuple[bool, int]:
        known = n_known(header)
        return known > 0, known

    head = read_head(file.absolute, file.compression, whole_line=True)
    delimiter = "\t" if file.extension == "tsv" else None
    dialect = sniff(head, Stated(delimiter=delimiter), judge=judge)
    text = decoded_head(head, dialect.encoding)
    lines = text.splitlines(keepends=True)[dialect.header_row :]
    width = len(dialect.header)
    found: list[Sequence[str]] = [*records("".join(lines), dialect.delimiter)]
    is_whole = len(head) < HEAD if file.compression else len(head) >= file.size
    last = found if is_whole else _last_records(file, dialect)
    trailer = _trailer_rows(last)
    if is_whole and trailer:
        found = _filled(found)[:-trailer]
    rows = [tuple(row) for row in found[:SAMPLE_ROWS] if len(row) == width]
    return _Sample(
        dialect.header,
        rows,
        dialect.encoding,
        dialect.delimiter,
        dialect.header_row,
        trailer,
    )


def _last_records(file: LandingFile, dialect: Dialect) -> list[Sequence[str]]:
    """The last records of a large file; none where they are not to be had quickly."""
    if file.compression or dialect.encoding.startswith(("utf-16", "utf-32")):
        return []
    with file.absolute.open("rb") as stream:
        stream.seek(max(file.size - _LAST_BYTES, 0))
        end = stream.read()
    # The first line is a part of one. A head of ASCII says nothing of what follows.
    end = end.partition(b"\n")[2]
    for encoding in (dialect.encoding, "utf-8", "gb18030"):
        try:
            text = end.decode(encoding)
        except UnicodeDecodeError:
            continue
        return [*records(text, dialect.delimiter)]
    return []


def _filled(rows: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    """The rows that are not blank."""
    return [row for row in rows if any(cell.strip(BLANKS) for cell in row)]


def _trailer_rows(rows: Iterable[Sequence[str]]) -> int:
    """How many rows at the end of a file are no rows: a total, and what is below it."""
    last = _filled(rows)[-_LAST_ROWS:]
    for place, row in enumerate(last):
        first = next(cell for cell in row if cell.strip(BLANKS))
        if _TOTAL.fullmatch(first.strip(BLANKS)):
            return len(last) - place
    return 0


def _is_sqlite(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


# Dates and numbers.


def _values(
    sample: _Sample,
    contract: Contract | None,
    found: Mapping[str, str],
    types: Sequence[str],
) -> dict[str, set[str]]:
    """The values of the columns that are of some types, by their headers."""
    if contract is None:
        return {}
    return {
        header: {row[place].strip(BLANKS) for row in sample.rows} - {""}
        for place, header in enumerate(sample.header)
        if header in found and contract.column(found[header]).type in types
    }


def _number_formats(
    numbers: Mapping[str, set[str]],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The forms that all numbers of the file have, and else the headers that differ.

    None where they are written as in -1234.50, which needs no setting.
    """
    with duckdb.connect() as con:

        def read(values: set[str], how: Sql) -> bool:
            select = f"select count(*) from unnest(?::varchar[]) as t (x) where {how}"
            row = con.execute(f"{select} is null", [sorted(values)]).fetchone()
            return row is not None and row[0] == 0

        plain = Sql("try_cast(x as decimal(38, 9))")
        other = {
            name: every for name, every in numbers.items() if not read(every, plain)
        }
        if not other:
            return (), ()
        values = set[str]().union(*numbers.values())
        forms = tuple(
            style for style in STYLES if read(values, plain_number(Sql("x"), style))
        )
    return forms, () if forms else tuple(other)


def _date_formats(
    dates: Mapping[str, set[str]],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The forms that all dates of the file have, and else the headers that differ.

    None where they are ISO 8601, which needs no setting.
    """
    other = {
        header: values
        for header, values in dates.items()
        if values and not all(map(_is_iso, values))
    }
    if not other:
        return (), ()
    values = set[str]().union(*other.values())
    forms = tuple(form for form in _forms() if _all_have(values, form))
    return forms, () if forms else tuple(other)


def _is_iso(value: str) -> bool:
    try:
        datetime.datetime.fromisoformat(value)
    except ValueError:
        return bool(re.fullmatch(r"\d{4}-\d\d", value))
    return "-" in value


def _forms() -> Iterator[str]:
    for day in _DAYS:
        for time in _TIMES:
            yield day + time


def _all_have(values: set[str], form: str) -> bool:
    try:
        for value in values:
            datetime.datetime.strptime(value, form)  # noqa: DTZ007 - only its form
    except ValueError:
        return False
    return True
