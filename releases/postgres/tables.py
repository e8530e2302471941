"""The tables of a release as PostgreSQL gets them: names, types, keys, words.

They are read from the database of the release, so that an older one is shown as it was
published. Views of the release become plain tables.
"""

from dataclasses import dataclass
from functools import cache

import duckdb

from project.errors import ConfigurationError
from sql.access import access
from sql.contracts import LAYERS, STORAGE, Contract, contracts
from sql.selects import quoted

_TYPES = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "TINYINT": "smallint",
    "UTINYINT": "smallint",
    "SMALLINT": "smallint",
    "USMALLINT": "integer",
    "INTEGER": "integer",
    "UINTEGER": "bigint",
    "BIGINT": "bigint",
    "UBIGINT": "numeric(20)",
    "HUGEINT": "numeric(39)",
    "FLOAT": "real",
    "DOUBLE": "double precision",
}
# PostgreSQL takes no NUL in a text, and before version 18 a line that is `\.` ends what
# is copied, even within quotes.
_NUL = "chr(0)"
_END = "chr(10) || '\\.'"
_NO_END = "chr(10) || '\\ .'"


@dataclass(frozen=True)
class Column:
    """A column of a table of a release."""

    name: str
    kind: str  # as DuckDB writes it
    about: str | None

    @property
    def type(self) -> str:
        """The type as PostgreSQL writes it."""
        return _type_of(self.kind)

    @property
    def is_text(self) -> bool:
        """Whether CSV must say where it is empty and where it is null."""
        return self.kind == "VARCHAR" or self.kind.startswith("ENUM(")

    @property
    def as_csv(self) -> str:
        """The expression of DuckDB that writes it so that PostgreSQL reads it."""
        name = quoted(self.name)
        if self.kind.endswith("[]"):
            return _list_as_text(name, self.kind.removesuffix("[]"))
        return _sound(name) if self.kind == "VARCHAR" else name


@dataclass(frozen=True)
class Table:
    """A table or view of a release."""

    schema: str  # of the release
    name: str
    about: str | None
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(column.name for column in self.columns)

    @property
    def words(self) -> dict[str, str | None]:
        """What each column is; under no name, what a row of the table is."""
        return {"": self.about} | {column.name: column.about for column in self.columns}

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of its primary key; none where one of them may be null."""
        known = _contracts().get(self.name)
        if known is None:
            return ()
        required = {column.name for column in known.columns if column.required}
        here = required.intersection(self.names)
        return known.key if here.issuperset(known.key) else ()


def tables_of(con: duckdb.DuckDBPyConnection, left_out: tuple[str, ...]) -> list[Table]:
    """The tables of a release that go to PostgreSQL.

    Those for people, and of its storage those that a role names.

    Args:
        con: a connection to the release.
        left_out: tables that stay out.
    """
    named = {name for role in access().roles for name in role.tables}
    comments = con.execute(
        "select schema_name, table_name, comment from duckdb_tables()"
        " where database_name = current_database()"
        " union all select schema_name, view_name, comment from duckdb_views()"
        " where database_name = current_database() and not internal"
        " order by 2"
    ).fetchall()
    columns: dict[tuple[str, str], list[Column]] = {}
    for schema, table, *column in con.execute(
        "select schema_name, table_name, column_name, data_type, comment"
        " from duckdb_columns()"
        " where database_name = current_database() and not internal"
        " order by column_index"
    ).fetchall():
        columns.setdefault((schema, table), []).append(Column(*column))
    return [
        Table(schema, name, about, tuple(columns[schema, name]))
        for schema, name, about in comments
        if name not in left_out and (schema != STORAGE or name in named)
    ]


def copied(table: Table) -> str:
    """The select of DuckDB whose rows, as CSV, PostgreSQL reads."""
    listed = ", ".join(
        f"{column.as_csv} as {quoted(column.name)}" for column in table.columns
    )
    return f"select {listed} from {quoted(table.schema, table.name)}"


@cache
def _contracts() -> dict[str, Contract]:
    return {
        table.table: table
        for layer in LAYERS
        for table in contracts(layer)
        if table.published
    }


def _type_of(kind: str) -> str:
    if kind.endswith("[]"):
        return f"{_type_of(kind.removesuffix('[]'))}[]"
    if kind.startswith("ENUM("):
        return "text"
    if kind.startswith("DECIMAL("):
        return kind.replace("DECIMAL", "numeric")
    if kind not in _TYPES:
        raise ConfigurationError(f"publish.postgres: there is no type for {kind}")
    return _TYPES[kind]


def _sound(value: str) -> str:
    """A text as PostgreSQL takes it."""
    return f"replace(replace({value}, {_NUL}, ''), {_END}, {_NO_END})"


def _list_as_text(name: str, kind: str) -> str:
    """A list as PostgreSQL writes an array."""
    value = "x::varchar"
    if kind == "VARCHAR":
        escaped = f"replace({_sound('x')}, '\\', '\\\\')"
        escaped = f"replace({escaped}, '\"', '\\\"')"
        value = f"'\"' || {escaped} || '\"'"
    values = f"list_transform({name}, lambda x: coalesce({value}, 'NULL'))"
    return (
        f"case when {name} is not null"
        f" then '{{' || coalesce(array_to_string({values}, ','), '') || '}}' end"
    )
