"""Which column of a file is which canonical column of its feed.

Checks the `feeds:` of `fenji.yaml` and matches headers against them. Reads no file
and no database; expressions are only carried here, `ingest.expressions` reads them.
"""

import codecs
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import partial

from ingest import header_names
from ingest.written import (
    BLANKS,
    COUNTED,
    constant_text,
    date_formats,
    two_readings,
)
from project.documents import nearest
from project.errors import ConfigurationError
from project.folder import Project
from project.mappings import Expression, FeedMapping, FileForm
from project.places import Place
from sql.contracts import Column, Contract, feeds

# Add one when the same file and mapping are read differently than before: a new
# version of Fenji then reads the files again.
READER_VERSION = 3

TRUE_WORDS = ("true", "1", "yes", "y", "是")
FALSE_WORDS = ("false", "0", "no", "n", "否")


@dataclass(frozen=True)
class Bound:
    """Where a canonical column comes from: exactly one of the three is given."""

    column: Column
    index: int | None = None  # of the column of the file
    expression: str | None = None
    constant: str | None = None


class UnusableHeader(Exception):  # noqa: N818 - the file is refused, it is no error
    """The header does not give what the feed needs; the message says what."""

    def __init__(self, message: str, *, unknown_field: str | None = None) -> None:
        super().__init__(message)
        # The canonical column whose name in fenji.yaml is not in the header.
        self.unknown_field = unknown_field


def place_in_mapping(project: Project, feed: str, position: int, *names: str) -> Place:
    """The place of a part of a mapping, for messages about it.

    Args:
        project: its settings hold the mapping.
        feed: the feed that the mapping is for.
        position: which of the feed's mappings it is, from 0; the line tells it in a
            message.
        names: the way to the part, as in `"columns", "amount"`.
    """
    return project.place_of_setting(
        "feeds", feed, position, *names, shown=("feeds", feed, *names)
    )


def position_of(project: Project, feed: str, mapping: FeedMapping) -> int:
    """Which of the feed's mappings it is."""
    return project.settings.mappings_of(feed).index(mapping)


def check_feeds(project: Project) -> None:
    """Refuse what is wrong in `feeds:` of the settings.

    Raises:
        ConfigurationError: an unknown feed or canonical column, a constant that is no
            value of its column, an unknown encoding.
    """
    for feed, mappings in project.settings.feeds.items():
        if feed not in feeds():
            hint = nearest(feed, list(feeds())) or f"; feeds: {', '.join(feeds())}"
            raise ConfigurationError(
                f"is not a feed{hint}", project.place_of_setting("feeds", feed)
            )
        for position, mapping in enumerate(mappings):
            _check_mapping(project, feeds()[feed], position, mapping)
        _check_merge(project, feeds()[feed], mappings)
        _check_amount(project, feeds()[feed], mappings)


def _check_mapping(
    project: Project, contract: Contract, position: int, mapping: FeedMapping
) -> None:
    """Refuse what is wrong in one mapping; as `check_feeds`."""
    place_of = partial(place_in_mapping, project, contract.table, position)
    _check_columns(contract, mapping, place_of)
    _check_joins(mapping, place_of)
    _check_row_ids(contract, mapping, place_of)
    _check_formats(mapping, place_of)
    _check_form(mapping, place_of)


def _check_merge(
    project: Project, contract: Contract, mappings: Sequence[FeedMapping]
) -> None:
    """Refuse to merge columns where that has no meaning, or of some files only."""
    merged = [mapping.merge is not None for mapping in mappings]
    if not any(merged):
        return
    name = contract.table
    first = place_in_mapping(project, name, merged.index(True), "merge")
    if (why := _why_unmerged(contract)) is not None:
        raise ConfigurationError(
            f"columns are not merged here: the feed {name} {why}; join the files by"
            " 'join' instead",
            first,
        )
    if not all(merged):
        raise ConfigurationError(
            "is missing, and another mapping of the feed has it: a whole row would take"
            " the place of what other files say; write 'merge: columns' in each",
            place_in_mapping(project, name, merged.index(False), "merge"),
        )


def _check_amount(
    project: Project, contract: Contract, mappings: Sequence[FeedMapping]
) -> None:
    """Refuse to leave amounts out where they are needed, or of some files only."""
    name = contract.table
    without = [mapping.amount is not None for mapping in mappings]
    if not any(without):
        return
    place_of = partial(place_in_mapping, project, name)
    if not any(column.waivable for column in contract.columns):
        raise ConfigurationError(
            "is for the feed transactions alone",
            place_of(without.index(True), "amount"),
        )
    if not all(without):
        raise ConfigurationError(
            "is missing, and another mapping of the feed has it: figures would count"
            " the money of some orders only; write 'amount: none' in each, or map the"
            " amount in each",
            place_of(without.index(False), "amount"),
        )
    for position, mapping in enumerate(mappings):
        for part, names in (
            ("columns", mapping.columns),
            ("constants", mapping.constants),
        ):
            if "amount" in names:
                raise ConfigurationError(
                    "is given, and 'amount: none' says that there is none",
                    place_of(position, part, "amount"),
                )


def _why_unmerged(contract: Contract) -> str | None:
    """Why rows of a feed cannot be merged by column; None: they can."""
    if contract.numbered_by is not None or contract.agree:
        return "has several rows of one id"
    if any(column.type == "currency" for column in contract.columns):
        return "has amounts that are converted row by row"
    if contract.table == "assessments":
        return "has rows that are judged one by one"
    if all(
        column.required or column.name in contract.key for column in contract.columns
    ):
        return "has no column that a file may leave to another"
    return None


def _check_columns(
    contract: Contract, mapping: FeedMapping, place_of: Callable[..., Place]
) -> None:
    """Refuse columns that the feed does not have, and constants that do not fit."""
    known = [column.name for column in contract.columns]
    by_column: Mapping[str, object] = {
        "columns": mapping.columns,
        "constants": mapping.constants,
        "date_format": mapping.date_format,
        "null_values": mapping.null_values,
        "words": mapping.words,
    }
    for part, names in by_column.items():
        for name in names if isinstance(names, dict) else ():
            if name not in known:
                hint = nearest(name, known) or f"; columns: {', '.join(known)}"
                problem = f"is not a column of the feed {contract.table}{hint}"
                raise ConfigurationError(problem, place_of(part, name))
    for name, value in mapping.constants.items():
        wrong = _constant_problem(contract.column(name), constant_text(value))
        if name in mapping.columns:
            wrong = "is given under 'columns' as well"
        elif wrong is not None:
            wrong = f"{wrong} (given: {value})"
        if wrong is not None:
            raise ConfigurationError(wrong, place_of("constants", name))
    _check_words(contract, mapping, place_of)


def _check_words(
    contract: Contract, mapping: FeedMapping, place_of: Callable[..., Place]
) -> None:
    """Refuse meanings of words that are no values of their column."""
    for name, words in mapping.words.items():
        for word, meant in words.items():
            wrong = _constant_problem(contract.column(name), constant_text(meant))
            if wrong is not None:
                problem = f"{wrong} (given: {meant})"
                raise ConfigurationError(problem, place_of("words", name, word))


def _check_joins(mapping: FeedMapping, place_of: Callable[..., Place]) -> None:
    """Refuse a join without a key, and names of joins that there are not."""
    for name, join in mapping.join.items():
        if not join.keys:
            raise ConfigurationError(
                "names no column; write the column that both files have, such as"
                " order_id",
                place_of("join", name, "on"),
            )
        _check_form(join, partial(place_of, "join", name))


def _check_formats(mapping: FeedMapping, place_of: Callable[..., Place]) -> None:
    """Refuse a format of dates, or an encoding, that nothing can be read by."""
    for place, formats in date_formats(mapping):
        for given in formats:
            if "%" not in given and given not in COUNTED:
                raise ConfigurationError(
                    "is written in the letters of strptime, each after a %:"
                    f" {_in_letters_of_strptime(given)} (given: {given})",
                    place_of(*place),
                )
        if (found := two_readings(formats)) is not None:
            first, second, said = found
            raise ConfigurationError(
                f"'{first}' and '{second}' read '{said}' as two days; state the one"
                " that the file is written in, or a mapping for each kind of file",
                place_of(*place),
            )


def _check_encoding(encoding: str | None, place_of: Callable[..., Place]) -> None:
    if encoding is not None:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise ConfigurationError(
                "is not an encoding that Python knows; write for example 'utf-8' or"
                f" 'gb18030' (given: {encoding})",
                place_of("encoding"),
            ) from None


def _check_form(mapping: FileForm, place_of: Callable[..., Place]) -> None:
    """Refuse what says of the form of files what cannot be."""
    _check_encoding(mapping.encoding, place_of)
    for part, sign in (("quote", mapping.quote), ("escape", mapping.escape)):
        if sign and not (sign.isascii() and sign.isprintable() and sign != " "):
            raise ConfigurationError("is one ASCII sign, such as '", place_of(part))
        if sign and sign in (mapping.delimiter or ","):
            # Without a stated delimiter a comma may be one.
            raise ConfigurationError(
                f"is '{sign}', which parts columns; state another 'delimiter'",
                place_of(part),
            )
    if mapping.escape and mapping.quote == "":
        raise ConfigurationError("says nothing without a quote", place_of("escape"))
    for name, (first, last) in mapping.fixed_width.items():
        if not 1 <= first <= last:
            raise ConfigurationError(
                "is the first and the last character of the column, counted from 1"
                f" (given: {first}, {last})",
                place_of("fixed_width", name),
            )
    if mapping.fixed_width and mapping.delimiter is not None:
        raise ConfigurationError(
            "says nothing beside 'fixed_width'", place_of("delimiter")
        )
    if mapping.header_rows > 1 and mapping.header_row == 0:
        raise ConfigurationError(
            "says nothing beside 'header_row: 0'", place_of("header_rows")
        )


# How other programs write the parts of a date; minutes stand after hours.
_DATE_WORDS = (
    ("y{4}", "%Y"),
    ("y{2}", "%y"),
    ("d{1,2}", "%d"),
    ("h{1,2}", "%H"),
    ("(?<=%H[^a-z])m{1,2}", "%M"),
    ("m{1,2}", "%m"),
    ("s{1,2}", "%S"),
)


def _in_letters_of_strptime(date_format: str) -> str:
    """What to write for a format such as yyyy/MM/dd HH:mm, else an example."""
    made = date_format
    for word, letter in _DATE_WORDS:
        # Not the letters that stand there already.
        made = re.sub(f"(?<!%){word}", letter, made, flags=re.IGNORECASE)
    if re.search(r"(?<!%)[^\W\d_]", made) or not {"%d", "%m"} <= {*_letters(made)}:
        return "such as '%Y/%m/%d' for 2026/05/31"
    return f"write '{made}'"


def _letters(date_format: str) -> list[str]:
    return re.findall("%[a-zA-Z]", date_format)


def _constant_problem(column: Column, text: str) -> str | None:
    """Why the text is no value of the column; None where it is one."""
    word = text.strip(BLANKS).lower()
    if not word:
        return "is blank"
    if column.values and word not in column.values:
        return f"is none of {', '.join(column.values)}"
    check = _CONSTANTS.get(column.type)
    return None if check is None or check(word) else f"is no {column.type}"


def _is_number(word: str) -> bool:
    try:
        return Decimal(word).is_finite()
    except InvalidOperation:
        return False


def _is_whole(word: str) -> bool:
    return _is_number(word) and Decimal(word) == int(Decimal(word))


def _is_date(word: str) -> bool:
    try:
        datetime.fromisoformat(word)
    except ValueError:
        return False
    return True


_CONSTANTS: Mapping[str, Callable[[str], bool]] = {
    "boolean": lambda word: word in TRUE_WORDS + FALSE_WORDS,
    "date": _is_date,
    "timestamp": _is_date,
    "month": lambda word: _is_date(word) or _is_date(f"{word}-01"),
    "integer": _is_whole,
    "bigint": _is_whole,
    **dict.fromkeys(("amount", "quantity", "points", "ratio", "rate"), _is_number),
}


def mapping_digest(
    project: Project,
    contract: Contract,
    mapping: FeedMapping,
    joined: Mapping[str, Sequence[str]] | None = None,
    path: str = "",
) -> str:
    """A digest of all that decides how a file with this mapping is read.

    Args:
        project: the project.
        contract: the feed.
        mapping: how the file maps to it.
        joined: the digests of the contents of the files of each join.
        path: of the file, which may be part of its rows' ids.
    """
    masked = {
        column.name: column.masked for column in contract.columns if column.masked
    }
    content = {
        "reader": READER_VERSION,
        "timezone": project.settings.timezone,
        "mapping": mapping.model_dump(
            mode="json",
            exclude={
                "folder": True,
                "files": True,
                # What a join does not have stays out of it.
                "join": {
                    name: _unset_form(join) for name, join in mapping.join.items()
                },
                **dict.fromkeys(_unset(mapping), True),
            },
        ),
        # A file of an unknown kind is read where a pattern takes it.
        "is_taken": mapping.files is not None,
        "columns": [
            (column.name, column.type, column.values, column.required)
            for column in contract.columns
        ],
        # Files that were read before a column was masked are read again.
        **({"masked": masked} if masked else {}),
        **({"path": path} if names_files(mapping) else {}),
        # Their order and their names say nothing of the rows.
        **({"joined": {k: sorted({*v}) for k, v in joined.items()}} if joined else {}),
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _unset(mapping: FeedMapping) -> set[str]:
    """Later parts that a mapping does not have: its files need not be read again."""
    later = {
        "number_format": mapping.number_format,
        "null_values": mapping.null_values,
        "words": mapping.words,
        "where": mapping.where,
        "merge": mapping.merge,
        "amount": mapping.amount,
        "join": mapping.join,
        "explode": mapping.explode,
        "part": mapping.part,
    }
    return {name for name, given in later.items() if not given} | _unset_form(mapping)


def _unset_form(form: FileForm) -> set[str]:
    """Later parts of a form that are not given, as for `_unset`."""
    later = {
        "header_rows": form.header_rows > 1,
        "skip_rows": form.skip_rows,
        "trailer_rows": form.trailer_rows,
        "skip_lines": form.skip_lines,
        "repeated_header": form.repeated_header,
        "quote": form.quote is not None,
        "escape": form.escape,
        "fixed_width": form.fixed_width,
    }
    return {name for name, given in later.items() if not given}


def wanted_names(
    contract: Contract, mapping: FeedMapping, expression_columns: Sequence[str]
) -> frozenset[str]:
    """The names, folded, by which a header can be told from other lines.

    Args:
        contract: the feed.
        mapping: how the file maps to it.
        expression_columns: the columns of the file that expressions of it read.
    """
    canonical = [column.name for column in contract.columns]
    mapped = mapped_names(mapping)
    names = (*canonical, *mapped, *expression_columns)
    return frozenset(folded(name) for name in names)


def expressions_of(mapping: FeedMapping) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each expression of a mapping, with its place in it."""
    for column, given in mapping.columns.items():
        if isinstance(given, Expression):
            yield ("columns", column), given.expr
    if mapping.where is not None:
        yield ("where",), mapping.where
    for name, join in mapping.join.items():
        for there, here in join.keys.items():
            if isinstance(here, Expression):
                yield ("join", name, "on", there), here.expr
    explode = mapping.explode
    if explode is not None and explode.from_ is not None and explode.to is not None:
        yield ("explode", "from"), explode.from_
        yield ("explode", "to"), explode.to


# Functions that stand for where a row lies: of a file, and in it.
_ROW_NUMBER = re.compile(r"\brow_number\s*\(", re.IGNORECASE)
_FILE_NAME = re.compile(r"\bfile_name\s*\(", re.IGNORECASE)


def numbers_rows(mapping: FeedMapping) -> bool:
    """Whether an expression of the mapping may ask for the number of the record."""
    return any(_ROW_NUMBER.search(text) for _, text in expressions_of(mapping))


def names_files(mapping: FeedMapping) -> bool:
    """Whether an expression of the mapping may ask for the file's name."""
    return any(_FILE_NAME.search(text) for _, text in expressions_of(mapping))


def _check_row_ids(
    contract: Contract, mapping: FeedMapping, place_of: Callable[..., Place]
) -> None:
    """Refuse an id that the first rows of all files would share."""
    for name in contract.key:
        given = mapping.columns.get(name)
        if name == contract.numbered_by or not isinstance(given, Expression):
            continue
        if _ROW_NUMBER.search(given.expr) and not _FILE_NAME.search(given.expr):
            raise ConfigurationError(
                "rows of several files would have one id; write for example"
                " file_name() || ':' || row_number()",
                place_of("columns", name),
            )


def mapped_names(mapping: FeedMapping) -> list[str]:
    """The columns of the file that a mapping names, without those of expressions."""
    return [given for given in mapping.columns.values() if isinstance(given, str)]


def folded(name: str) -> str:
    """A header name without surrounding blanks and case."""
    return name.strip(BLANKS).casefold()


def find_column(header: Sequence[str], name: str) -> int | None:
    """The index of the column of a name; None where there is none.

    A name that is written exactly so wins over one that differs in blanks or case.
    """
    if name in header:
        return header.index(name)
    folded_header = [folded(column) for column in header]
    wanted = folded(name)
    return folded_header.index(wanted) if wanted in folded_header else None


def near_column(header: Sequence[str], name: str, *, numbered: bool = True) -> str:
    """A hint such as "; column 3 is almost 'amount'", or nothing.

    Where the line is a header for sure, the name that stands there is told. Else it may
    be a row of data, of which nothing is to be read in a message: the place is told.

    Args:
        header: the cells of the header.
        name: the name that was looked for, by the feed or by `fenji.yaml`.
        numbered: whether the columns of the file have places; keys of JSON have none.
    """
    near = header_names.near(header, (name,), name)
    if not near:
        return ""
    place = near[0]
    which = f"column {place + 1}"
    cell = header[place].strip(BLANKS)
    if header_names.may_be_told(cell) and header_names.looks_like_header(header):
        return f"; did you mean '{cell}'{f' ({which})' if numbered else ''}?"
    return f"; {which if numbered else 'another key'} is almost '{name}'"


def bind(
    contract: Contract,
    mapping: FeedMapping,
    header: Sequence[str],
    *,
    numbered: bool = True,
) -> tuple[Bound, ...]:
    """Where each canonical column that the file has comes from, in contract order.

    A canonical name that stands in the header is taken by name, unless the mapping
    gives the column, or uses that column of the file for another.

    Args:
        contract: the feed.
        mapping: how the file maps to it.
        header: the names of the file's columns.
        numbered: whether columns have a place, as for `near_column`; keys of JSON have
            none.

    Raises:
        UnusableHeader: a column that the mapping names is not there, or a required
            column comes from nowhere. No text of the file is in the message.
    """
    used = {find_column(header, name) for name in mapped_names(mapping)}
    bounds = []
    missing = []
    for column in contract.columns:
        given = mapping.columns.get(column.name)
        if column.waivable and mapping.amount is not None:
            continue
        if isinstance(given, Expression):
            bounds.append(Bound(column, expression=given.expr))
        elif given is not None:
            index = find_column(header, given)
            if index is None:
                raise UnusableHeader(
                    f"no column '{given}', which fenji.yaml names for {column.name}"
                    + _near(contract, mapping, header, column, numbered=numbered)
                    + _known_of(contract, mapping, header),
                    unknown_field=column.name,
                )
            bounds.append(Bound(column, index=index))
        elif column.name in mapping.constants:
            text = constant_text(mapping.constants[column.name])
            bounds.append(Bound(column, constant=text))
        else:
            index = find_column(header, column.name)
            if index is not None and index not in used:
                bounds.append(Bound(column, index=index))
            elif column.required:
                missing.append(column.name)
    if missing:
        hints = (
            _near(contract, mapping, header, contract.column(name), numbered=numbered)
            for name in missing
        )
        raise UnusableHeader(
            f"no column for {', '.join(missing)}"
            + "".join(hints)
            + _known_of(contract, mapping, header)
            + "; rename the columns or map them in fenji.yaml"
        )
    return tuple(bounds)


def _near(
    contract: Contract,
    mapping: FeedMapping,
    header: Sequence[str],
    column: Column,
    *,
    numbered: bool,
) -> str:
    """A hint at the names of the header that may be a column, or nothing.

    They are told where so many other names of the line are known that it is a header;
    else only the place of one that is almost right.
    """
    given = mapping.columns.get(column.name)
    name = given if isinstance(given, str) else column.name
    known = _known_places(contract, mapping, header)
    places = [
        place
        for place in header_names.near(header, (name,), column.name)
        if place not in known and header_names.may_be_told(header[place].strip(BLANKS))
    ]
    if not places or not header_names.is_sure(len(known)):
        return near_column(header, name, numbered=numbered)
    told = [
        f"'{header[place].strip(BLANKS)}'"
        + (f" (column {place + 1})" if numbered else "")
        for place in places
    ]
    return f"; {name}: renamed to {' or '.join(told)}?"


def _known_places(
    contract: Contract, mapping: FeedMapping, header: Sequence[str]
) -> dict[int, str]:
    """The columns that the feed or the mapping knows, and how they name them."""
    canonical = [column.name for column in contract.columns]
    names = dict.fromkeys((*mapped_names(mapping), *canonical))
    return {
        index: name
        for name in reversed(names)
        if (index := find_column(header, name)) is not None
    }


def _known_of(contract: Contract, mapping: FeedMapping, header: Sequence[str]) -> str:
    """What is known of a header: names by the feed and the mapping, the rest by number.

    What neither knows may be a row of data. The names are those of the feed and of
    `fenji.yaml`, never as the file writes them.
    """
    found = _known_places(contract, mapping, header)
    known = [found[index] for index in sorted(found)]
    n_others = sum(bool(name.strip(BLANKS)) for name in header) - len(known)
    others = f"{n_others} other column{'' if n_others == 1 else 's'}"
    if known:
        few = 8
        shown = ", ".join(known[:few]) + (", …" if len(known) > few else "")
        return f"; the file has {shown}" + (f" and {others}" if n_others > 0 else "")
    if n_others <= 0:
        return ""
    return (
        f"; the file has {others} of names that neither the feed nor fenji.yaml knows,"
        " or no header at all"
    )
