"""`fenji inspect`: propose a mapping for files as they are.

What is printed is the part `feeds:` of a `fenji.yaml`, with remarks as comments: review
it, take it over, and try it with `fenji check`. Nothing is loaded or written.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from pipelines.commands import terminal
from project.documents import nearest
from project.errors import ConfigurationError

if TYPE_CHECKING:
    from ingest.inspection import Inspected

_USUAL = {"encoding": ("utf-8", "ascii"), "delimiter": (",",), "header_row": (1,)}
_MOST_FORMS = 2  # of dates or numbers that are named


def inspect(files: Sequence[Path], *, feed: str | None, as_json: bool) -> None:
    """Look at files, and print what they seem to be.

    Raises:
        ConfigurationError: a file cannot be read, or there is no such feed.
    """
    from ingest.inspection import inspect as look  # noqa: PLC0415 - imports DuckDB
    from sql.contracts import feeds  # noqa: PLC0415

    if feed is not None and feed not in feeds():
        hint = nearest(feed, set(feeds()))
        raise ConfigurationError(f"--feed: there is no feed '{feed}'{hint}")
    found = [look(file, feed=feed) for file in files]
    text = "\n".join(_lines(found))
    if as_json:
        seen = [{**asdict(file), "file": str(file.file)} for file in found]
        terminal.say_json({"files": seen, "mapping": text})
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
        for file in of_feed:
            yield from _mapping(file, is_listed=len(of_feed) > 1)
    for file in found:
        if file.feed is None:
            yield f"# {file.file.name}: no header is known; name the feed with --feed"


def _mapping(file: "Inspected", *, is_listed: bool) -> Iterator[str]:
    """A mapping; in a list where the feed has several."""
    first, rest = ("    - ", "      ") if is_listed else ("    ", "    ")
    yield f"{first}files: {_plain(file.file.name)}  # {file.n_rows} rows looked at"
    for setting, usual in _USUAL.items():
        value = getattr(file, setting)
        if value is not None and value not in usual:
            yield f"{rest}{setting}: {_plain(value)}"
    yield from (f"{rest}{line}" for line in _written(file))
    columns = [*_columns(file)]
    if columns:
        yield f"{rest}columns:"
        yield from (f"{rest}  {line}" for line in columns)
    for column in file.missing:
        yield f"{rest}# {column} is required, and no header is known for it"
    unknown = [seen.header for seen in file.columns if seen.column is None]
    if unknown:
        yield f"{rest}# not used: {', '.join(unknown)}"
    empty = [seen.header for seen in file.columns if seen.column and seen.is_empty]
    if empty:
        yield f"{rest}# empty in these rows: {', '.join(empty)}"


def _columns(file: "Inspected") -> Iterator[str]:
    """A line for each column whose header is another than its name."""
    mapped = {seen.column: seen.header for seen in file.columns if seen.column}
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
