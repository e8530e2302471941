"""SQL text put together without a way for a name or a value to become code.

Only what this module has quoted, and templates that stand in the source, have the
type `Sql`; mypy refuses plain text where `Sql` is asked for.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import NewType

from sql.selects import quoted, text

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
    """A template from the source code with quoted parts in its {places}."""
    return Sql(template.format(**parts))


def listed(parts: Iterable[Sql], separator: str = ", ") -> Sql:
    """Parts side by side."""
    return Sql(separator.join(parts))
