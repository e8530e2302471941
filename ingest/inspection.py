"""What files are, before there is a mapping: how they are written, which feed they fit.

Headers are matched with the canonical names and with those of `header_names.yaml`; a
feed fits best where most of its columns are found and fewest required ones are missing.
The result is a proposal for a person to review: nothing is loaded, and no value of a
file is kept.
"""

import datetime
import itertools
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from ingest import archives
from ingest.header_names import known_names, plain
from ingest.landing import EXCEL, JSON, PARQUET, LandingFile
from ingest.sniffing import Empty, Stated, read_head, records, sniff
from ingest.sql_text import Sql
from ingest.transcoding import decoded_head
from ingest.unpacking import Unreadable, system_words
from ingest.workbooks import WorkbookReader
from ingest.written import BLANKS, STYLES, plain_number
from project.errors import ConfigurationError
from project.places import Place
from project.settings import FeedMapping, Limits
from sql.contracts import Contract, feeds

SAMPLE_ROWS = 1000
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


@dataclass(frozen=True)
class _Sample:
    """The first rows of a file, as text."""

    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    encoding: str | None = None
    delimiter: str | None = None
    header_row: int | None = None


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
                return replace(_inspect(copy, feed), file=file)
        except FileNotFoundError:
            raise ConfigurationError("there is no such file", Place(file)) from None
        except OSError as err:
            told = f"cannot be read to its end: {system_words(err)}"
            raise ConfigurationError(told, Place(file)) from None
        except ConfigurationError as err:
            raise ConfigurationError(err.message, Place(file)) from None
    raise ConfigurationError("there is no such file", Place(file))


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


def _inspect(file: Path, feed: str | None) -> Inspected:
    """As `inspect`, of a file that lies in a folder."""
    if not file.is_file():
        raise ConfigurationError("there is no such file", Place(file))
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
    chosen = feeds()[feed] if feed else _best_feed(sample.header)
    found = _matched(sample.header, chosen) if chosen else {}
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
        file,
        sample.encoding,
        sample.delimiter,
        sample.header_row,
        len(sample.rows),
        chosen.table if chosen else None,
        columns,
        _missing(chosen, found) if chosen else (),
        formats,
        mixed,
        number_formats,
        mixed_numbers,
        tuple(sorted(nothing)),
    )


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
            return _Sample(tuple(first), rows)
    if file.extension in JSON:
        return _of_relation("read_json_auto", file.absolute)
    return _of_text(file)


def _of_relation(function: str, path: Path) -> _Sample:
    """The rows that a function of DuckDB reads."""
    with duckdb.connect() as con:
        query = f"from {function}($path) limit {SAMPLE_ROWS}"
        made = con.execute(query, {"path": str(path)})
        header = tuple(str(column[0]) for column in made.description)
        rows = [
            tuple("" if value is None else str(value) for value in row)
            for row in made.fetchall()
        ]
    return _Sample(header, rows)


def _of_text(file: LandingFile) -> _Sample:
    known = known_names()

    def judge(header: Sequence[str]) -> tuple[bool, int]:
        n_known = sum(plain(name) in known for name in header)
        return n_known > 0, n_known

    head = read_head(file.absolute, file.compression, whole_line=True)
    delimiter = "\t" if file.extension == "tsv" else None
    dialect = sniff(head, Stated(delimiter=delimiter), judge=judge)
    text = decoded_head(head, dialect.encoding)
    lines = text.splitlines(keepends=True)[dialect.header_row :]
    width = len(dialect.header)
    found = records("".join(lines), dialect.delimiter)
    rows = [
        tuple(row) for row in itertools.islice(found, SAMPLE_ROWS) if len(row) == width
    ]
    return _Sample(
        dialect.header, rows, dialect.encoding, dialect.delimiter, dialect.header_row
    )


# Matching headers.


def _matched(header: Sequence[str], contract: Contract) -> dict[str, str]:
    """Header → the column of the feed that it seems to be; each column once.

    A header that is the column's own name goes before one of the dictionary.
    """
    own = {plain(column.name): column.name for column in contract.columns}
    found: dict[str, str] = {}
    for name in header:
        column = own.get(plain(name))
        if column and column not in found.values():
            found[name] = column
    for name in header:
        may_be = known_names().get(plain(name), frozenset()) & {*own.values()}
        left = sorted(may_be - {*found.values()})
        if name not in found and left:
            found[name] = left[0]
    return found


def _missing(contract: Contract, found: Mapping[str, str]) -> tuple[str, ...]:
    have = {*found.values()}
    if {"quantity", "unit_price"} <= have:
        have.add("amount")  # their product
    return tuple(
        column.name
        for column in contract.columns
        if column.required and column.default is None and column.name not in have
    )


def _best_feed(header: Sequence[str]) -> Contract | None:
    """The feed that a header fits best; None: it fits none."""

    def fit(contract: Contract) -> tuple[int, int]:
        found = _matched(header, contract)
        missing = len(_missing(contract, found))
        return len(found) - missing, -missing

    candidates = [
        contract for contract in feeds().values() if _matched(header, contract)
    ]
    return max(candidates, key=fit, default=None)


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
