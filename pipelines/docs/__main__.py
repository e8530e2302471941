"""Writes the generated pages under `docs/`, and the JSON Schemas for editors.

`make docs` runs it; a test compares the committed files with what it would write.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from assets.specs import published
from pipelines.docs import commands, practice
from pipelines.docs.settings import PAGE, SCHEMA, settings_page, settings_schema
from releases.building import released
from schemes.language.json_schema import (
    LIST_SCHEMA_FILE,
    SCHEMA_FILE,
    json_schema,
    list_json_schema,
)
from schemes.tools.catalog import library_page
from sql.contracts import Column, Contract, feeds

DOCS = Path(__file__).parents[2] / "docs"
DICTIONARY = DOCS / "data_dictionary.md"
LIBRARY = DOCS / "library.md"

_HEAD = """\
# Data dictionary

Generated from the table contracts below `sql/`; change those, then run `make docs`.

Amounts are decimals in the project's currency. Days are cut in the business zone; times
carry a zone. A column marked * is never empty.
"""


def data_dictionary() -> str:
    """The page of all feeds and all tables of a release."""
    parts = [_HEAD, "## Feeds: what goes in\n"]
    parts += [_section(feed, _feed_notes(feed)) for feed in feeds().values()]
    parts.append("## Tables of a release: what comes out\n")
    parts += [
        _section(released(table, shown=()), _table_notes(table))
        for table in sorted(published(), key=lambda table: table.table)
    ]
    return "\n".join(parts)


def _section(table: Contract, notes: Iterable[str]) -> str:
    lines = [
        f"### {table.table}\n",
        f"One row is {table.grain}. {table.description.strip()}\n",
        *(f"{note}\n" for note in notes),
        "| column | type | meaning |",
        "|---|---|---|",
        *(_row(column) for column in table.columns),
        "",
    ]
    return "\n".join(lines)


def _row(column: Column) -> str:
    mark = "*" if column.required else ""
    meaning = column.about.replace("|", "\\|")
    if column.unit:
        meaning += f" ({column.unit})"
    if column.values:
        meaning += ". One of: " + ", ".join(column.values)
    if column.default:
        meaning += f". Default: {column.default}"
    if column.personal:
        meaning += ". Personal"
    if column.masked:
        meaning += f". Masked as {column.masked}"
    return f"| {column.name}{mark} | {column.type} | {meaning} |"


def _feed_notes(feed: Contract) -> Iterable[str]:
    yield f"Files: `landing/{feed.table}/`. Key: {', '.join(feed.key)}."


def _table_notes(table: Contract) -> Iterable[str]:
    if table.made_by == "sql":
        yield f"Computed by `sql/{table.layer}/{table.table}.sql`."


def generated() -> Mapping[Path, str]:
    """All generated files, with what they should hold."""
    return {
        DICTIONARY: data_dictionary(),
        LIBRARY: library_page(),
        SCHEMA_FILE: json_schema(),
        LIST_SCHEMA_FILE: list_json_schema(),
        PAGE: settings_page(),
        commands.PAGE: commands.commands_page(),
        practice.PAGE: practice.practice_page(),
        SCHEMA: settings_schema(),
    }


def main() -> None:
    """Write all generated files."""
    for path, written in generated().items():
        path.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
