"""SQL text put together without a way for a name or a value to become code.

Only what this module has quoted, templates that stand in the code, and the files below
`ingest/sql/` have the type `Sql`; mypy refuses plain text where `Sql` is asked for.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NewType

from sql.selects import quoted, select_in, text

_SELECTS = Path(__file__).parent / "sql"

Sql = NewType("Sql", str)


def identifier(*parts: str) -> Sql:
    """A name such as `"raw"."transactions"`, whatever characters it holds."""
    return Sql(quoted(*parts))


def literal(value: str | int | bool | Decimal | date | None) -> Sql:
    """A value as a literal."""
    if value is None:
        return Sql("null")
    if isinstance(value, bool):
        return Sql("true" if value else "false")
    if isinstance(value, int | Decimal):
        return Sql(str(value))
    if isinstance(value, date):
        return Sql(f"date '{value.isoformat()}'")
    return Sql(text(value))


def sql(template: str, **parts: Sql) -> Sql:
    """A template from the code with quoted parts in its {places}."""
    return Sql(template.format(**parts))


@cache
def select_named(name: str) -> Sql:
    """The select of a file below `ingest/sql/`.

    Args:
        name: the module that uses it and the file, such as "numbering/unread".
    """
    return Sql(select_in(_SELECTS / f"{name}.sql"))


def unnested(**types: str) -> Sql:
    """A select that makes rows of lists, which are parameters of its columns' names.

    Args:
        types: the type of each column, as DuckDB writes it.
    """
    columns = [
        sql(
            "unnest(${name}::{kind}[]) as {column}",
            name=Sql(name),
            kind=Sql(kind),
            column=identifier(name),
        )
        for name, kind in types.items()
    ]
    return sql("select {columns}", columns=listed(columns))


def listed(parts: Iterable[Sql], separator: str = ", ") -> Sql:
    """Parts side by side."""
    return Sql(separator.join(parts))
