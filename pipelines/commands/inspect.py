"""`fenji inspect`: propose a mapping for files as they are.

What is printed is the part `feeds:` of a `fenji.yaml`, with remarks as comments: review
it, take it over, and try it with `fenji check`. Nothing is loaded or written.
"""

import fnmatch
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import yaml

from pipelines.commands import terminal
from project.documents import nearest
from project.errors import ConfigurationError

if TYPE_CHECKING:
    from ingest.inspection import Inspected

_USUAL = {"encoding": ("utf-8", "ascii"), "delimiter": (",",), "header_row": (1,)}
_ROW_ID = "file_name() || ':' || row_number()"
_MOST_FORMS = 2  # of dates or numbers that are named


def inspect(files: Sequence[Path], *, feed: str | None, as_json: bool) -> None:
    """Look at files, and print what they seem to be; of folders, at all files in them.

    Raises:
        ConfigurationError: a file cannot be read, or there is no such feed. Of folders,
            files that cannot be read are told of beside the others.
    """
    from ingest.inspection import files_in  # noqa: PLC0415 - imports DuckDB
    from ingest.inspection import inspect as look  # noqa: PLC0415
    from sql.contracts import feeds  # noqa: PLC0415

    if feed is not None and feed not in feeds():
        hint = nearest(feed, set(feeds()))
        raise ConfigurationError(f"--feed: there is no feed '{feed}'{hint}")
    found: list[Inspected] = []
    unread: list[ConfigurationError] = []
    for place in files:
        if not place.is_dir():
            found.append(look(place, feed=feed))
            continue
        for file in files_in(place):
            try:
                found.append(look(file, feed=feed))
            except ConfigurationError as err:
                unread.append(err)
    if unread and not found:
        raise unread[0]
    text = "\n".join([*_lines(found), *(f"# {err}" for err in unread)])
    if as_json:
        seen = [{**asdict(file), "file": str(file.file)} for file in found]
        errors = [str(err) for err in unread]
        terminal.say_json({"files": seen, "errors": errors, "mapping": text})
    else:
        terminal.console().print(text, soft_wrap=True)


def _lines(found: Sequence["Inspected"]) -> Iterator[str]:
    yield "# Review this, put it into fenji.yaml, then: fenji check"
    named = [file for file in found if file.feed is not None]
    if named:
        yield "feeds:"
    for feed in sorted({file.feed for file in named if file.feed}):
        of_feed = [file for file in named if file.feed == feed]
        yield f"  {feed}:"
        groups = _groups(of_feed)
        for pattern, members in groups.items():
            yield from _mapping(pattern, members, is_listed=len(groups) > 1)
    for file in found:
        if file.feed is None:
            yield f"# {file.file.name}: no header is known; name the feed with --feed"


def _groups(files: Sequence["Inspected"]) -> dict[str, list["Inspected"]]:
    """The files of a feed by the pattern of a mapping: those alike have one."""
    patterns = _patterns(files)
    alike: dict[tuple[str, ...], list[tuple[str, Inspected]]] = {}
    for file, pattern in zip(files, patterns, strict=True):
        folder = str(PurePosixPath(pattern).parent)
        alike.setdefault((folder, *_parts(file)), []).append((pattern, file))
    groups: dict[str, list[Inspected]] = {}
    for members in alike.values():
        own = [pattern for pattern, _ in members]
        others = [pattern for pattern in patterns if pattern not in own]
        common = _common(own, others)
        for pattern, file in members:
            groups.setdefault(common or pattern, []).append(file)
    return groups


def _patterns(files: Sequence["Inspected"]) -> list[str]:
    """What tells each file from the others: its name, else with its folder, too."""
    patterns = [file.pattern for file in files]
    if len({*patterns}) == len({file.file for file in files}):
        return patterns
    places = [file.file.absolute() for file in files]
    above = Path(os.path.commonpath([place.parent for place in places]))
    return [
        pattern
        if "/" in pattern or patterns.count(pattern) == 1
        else place.relative_to(above).as_posix()
        for pattern, place in zip(patterns, places, strict=True)
    ]


def _common(own: Sequence[str], others: Sequence[str]) -> str | None:
    """A pattern that takes all of some paths of a folder, and no other; None: none."""
    if len({*own}) == 1:
        return own[0]
    begins = os.path.commonprefix(own)  # noqa: RUF071 - a part of a name, too
    folder = begins[: begins.rfind("/") + 1]
    left = [path[len(begins) :][::-1] for path in own]
    ends = os.path.commonprefix(left)[::-1]  # noqa: RUF071
    # Of a date the next one may begin otherwise.
    for start in (folder + begins[len(folder) :].rstrip("0123456789-_. "), begins):
        pattern = f"{start}*{ends}"
        if not any(fnmatch.fnmatchcase(other, pattern) for other in others):
            return pattern
    return None


def _mapping(
    pattern: str, files: Sequence["Inspected"], *, is_listed: bool
) -> Iterator[str]:
    """A mapping of files that are alike; in a list where the feed has several."""
    first, rest = ("    - ", "      ") if is_listed else ("    ", "    ")
    n_rows = sum(file.n_rows for file in files)
    of_files = f" of {len(files)} files" if len(files) > 1 else ""
    yield f"{first}files: {_plain(pattern)}  # {n_rows} rows{of_files} looked at"
    yield from (f"{rest}{line}" for line in _parts(files[0]))


def _parts(file: "Inspected") -> Iterator[str]:
    """What a mapping says but for its files."""
    for setting, usual in _USUAL.items():
        value = getattr(file, setting)
        if value is not None and value not in usual:
            yield f"{setting}: {_plain(value)}"
    if file.trailer_rows:
        yield f"trailer_rows: {file.trailer_rows}  # a total at the end"
    yield from _written(file)
    columns = [*_columns(file)]
    if columns:
        yield "columns:"
        yield from (f"  {line}" for line in columns)
    for column in file.missing:
        yield f"# {column} is required, and no header is known for it"
    for header in file.shares:
        yield f"# {header} holds shares between 0 and 1, no amounts: not used"
    for column in file.unlisted:
        words = _words_of(file.feed, column)
        yield f"# {column} takes {words} only: name others under words"
    shares = {*file.shares}
    unknown = [
        seen.header
        for seen in file.columns
        if seen.column is None and seen.header not in shares
    ]
    if unknown:
        yield f"# not used: {', '.join(unknown)}"
    empty = [seen.header for seen in file.columns if seen.column and seen.is_empty]
    if empty:
        yield f"# empty in these rows: {', '.join(empty)}"


def _words_of(feed: str | None, column: str) -> str:
    """The words that a column of a feed takes."""
    from sql.contracts import feeds  # noqa: PLC0415

    return ", ".join(feeds()[feed].column(column).values) if feed else ""


def _columns(file: "Inspected") -> Iterator[str]:
    """A line for each column whose header is another than its name."""
    mapped = {seen.column: seen.header for seen in file.columns if seen.column}
    if file.is_numbered:
        yield "# No header is known for an id: each row is a transaction of its own"
        yield f"transaction_id: {{expr: {_plain(_ROW_ID)}}}"
    if "amount" not in mapped and {"quantity", "unit_price"} <= mapped.keys():
        yield "# No column is the total of a line: quantity × price"
        yield f"amount: {{expr: '{_product(mapped)}'}}"
    for column, header in mapped.items():
        if column != header:
            yield f"{column}: {_plain(header)}"


def _written(file: "Inspected") -> Iterator[str]:
    """How dates, numbers and nothing are written."""
    for what, setting, forms, mixed in (
        ("dates", "date_format", file.date_formats, file.mixed_dates),
        ("numbers", "number_format", file.number_formats, file.mixed_numbers),
    ):
        if forms:
            form, *others = forms
            if others:
                names = " or ".join(others[: _MOST_FORMS - 1])
                yield f"# All {what} fit these forms, too, choose one: {names}"
            yield f"{setting}: {_plain(form)}"
        if mixed:
            yield f"# {what} without one form in common: {', '.join(mixed)}"
    if file.null_values:
        words = ", ".join(_plain(word) for word in file.null_values)
        yield f"null_values: [{words}]"


def _product(mapped: dict[str, str]) -> str:
    """The expression that multiplies quantity and price."""
    casts = (
        'cast("{}" as decimal(18,4))'.format(
            mapped[column].replace('"', '""').replace("'", "''")
        )
        for column in ("quantity", "unit_price")
    )
    return " * ".join(casts)


def _plain(value: object) -> str:
    """A value as YAML in one line; quoted where it would be read as something else."""
    if isinstance(value, str) and ("%" in value or "\t" in value):
        return json.dumps(value)
    line = yaml.safe_dump(value, allow_unicode=True, width=10_000)
    return line.removesuffix("\n").removesuffix("\n...")
