"""Selects: read from their files, given parameters, made into tables and views.

A `select` stands in `sql/<layer>/<table>.sql`, or a compiler writes it. This module
runs it; what it says is not decided here. Names are quoted here and nowhere else.
Values travel as parameters, or, where DuckDB takes none (views), as literals in their
place, which DuckDB's own reading of the select finds.
"""

import datetime
import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from project.errors import RunError
from sql.contracts import Contract

if TYPE_CHECKING:
    from sqlglot import exp

Value = str | int | Decimal | datetime.date | tuple[str, ...] | list[str] | None

Params = Mapping[str, Value]


def quoted(*parts: str) -> str:
    """An identifier such as `"core"."orders"`, safe whatever the name holds."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def text(value: str) -> str:
    """A text literal."""
    return "'" + value.replace("'", "''") + "'"


def select_of(contract: Contract) -> str:
    """The `select` of a table that has an SQL file."""
    return select_in(contract.sql_path)


def select_in(file: Path) -> str:
    """The `select` that an SQL file holds."""
    return file.read_text(encoding="utf-8").strip()


def used(params: Params, select: str) -> dict[str, Value]:
    """The parameters that a select names; DuckDB refuses any other."""
    names = _pieces(select)[1::2]
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in params.items()
        if name in names
    }


def create(
    con: duckdb.DuckDBPyConnection,
    name: tuple[str, str],
    select: str,
    params: Params,
    *,
    kind: str = "table",
) -> int | None:
    """Make a table or a view, such as ("core", "orders"), from a select.

    Returns:
        The rows of the table; None of a view.

    Raises:
        RunError: a number that is computed does not fit into its column.
    """
    try:
        return _create(con, name, select, params, kind)
    except duckdb.CatalogException:
        # A new warehouse has no schema yet, and one that another version of Fenji wrote
        # may have it as the other kind.
        is_new = _make_schema(con, name[0])
        if not is_new and not _drop_other_kind(con, name, kind):
            raise
        return _create(con, name, select, params, kind)
    except (duckdb.ConversionException, duckdb.OutOfRangeException) as err:
        said = str(err).splitlines()[0]
        raise RunError(
            f"{'.'.join(name)}: amounts are too large to add up: {said}"
        ) from err


def _create(
    con: duckdb.DuckDBPyConnection,
    name: tuple[str, str],
    select: str,
    params: Params,
    kind: str,
) -> int | None:
    if kind == "view":
        view = bound(select, params)
        con.execute(f"create or replace view {quoted(*name)} as {view}")
        return None
    with any_order(con):
        given = used(params, select)
        statement = f"create or replace table {quoted(*name)} as {select}"
        ((n_rows,),) = con.execute(statement, given).fetchall()
    return int(n_rows)


def _make_schema(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Make a schema of the database in use; false where it is there."""
    found = con.execute(
        "select 1 from duckdb_schemas() where database_name = current_database()"
        " and schema_name = $schema",
        {"schema": name},
    ).fetchone()
    if found is None:
        con.execute(f"create schema {quoted(name)}")
    return found is None


def _drop_other_kind(
    con: duckdb.DuckDBPyConnection, name: tuple[str, str], kind: str
) -> bool:
    """Drop a view where a table is to be, or the other way about, if there is one."""
    found = con.execute(
        "select table_type = 'VIEW' from information_schema.tables"
        " where table_catalog = current_database()"
        " and table_schema = $schema and table_name = $table",
        {"schema": name[0], "table": name[1]},
    ).fetchone()
    if found is None or found[0] == (kind == "view"):
        return False
    con.execute(f"drop {'view' if found[0] else 'table'} {quoted(*name)}")
    return True


@contextmanager
def any_order(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let DuckDB store rows as they come: faster, and smaller on disk.

    No table's meaning lies in the order of its rows; `order by` is still kept.
    """
    con.execute("set preserve_insertion_order = false")
    try:
        yield
    finally:
        con.execute("set preserve_insertion_order = true")


def create_with_rows(
    con: duckdb.DuckDBPyConnection,
    name: tuple[str, ...],
    contract: Contract,
    rows: Iterable[Mapping[str, object]],
) -> None:
    """Make a table of a contract's columns and fill it with rows that Python holds."""
    kept = list(rows)
    columns = ", ".join(
        f"unnest(?::{column.duckdb_type}[]) as {quoted(column.name)}"
        for column in contract.columns
    )
    values = [[row[column.name] for row in kept] for column in contract.columns]
    con.execute(f"create or replace table {quoted(*name)} as select {columns}", values)


def without_rows(select: str) -> str:
    """The select with its columns alone; DuckDB reads nothing for it."""
    return f"select * from ({select}) where false"


def bound(select: str, params: Params) -> str:
    """The select with its parameters written in as literals."""
    pieces = list(_pieces(select))
    pieces[1::2] = [_literal(params[name]) for name in pieces[1::2]]
    return "".join(pieces)


@functools.lru_cache(maxsize=256)
def _pieces(select: str) -> tuple[str, ...]:
    """The select taken apart: text, name of a parameter, text, name, …, text."""
    if "$" not in select:
        return (select,)
    read = select.encode()  # DuckDB counts bytes
    tokens = duckdb.tokenize(select)
    ends = [*(place for place, _ in tokens[1:]), len(read)]
    pieces, done = [], 0
    for (place, kind), (name_at, name_end) in zip(
        tokens, itertools.pairwise(ends), strict=False
    ):
        if kind == duckdb.token_type.operator and read[place : place + 1] == b"$":
            name = read[name_at:name_end].rstrip()
            pieces += [read[done:place].decode(), name.decode()]
            done = place + 1 + len(name)
    return (*pieces, read[done:].decode())


def _literal(value: Value) -> str:
    match value:
        case None:
            return "null"
        case datetime.date():
            return f"date {text(value.isoformat())}"
        case int() | Decimal():
            return f"({value})"  # after a minus, too
        case str():
            return text(value)
        case tuple() | list():
            return f"[{', '.join(map(text, value))}]::varchar[]"


def reading(select: str, others: Mapping[str, str]) -> str:
    """The select, reading other tables in place of some, with the same columns.

    Args:
        select: its text.
        others: a table as layer.table → the temporary table that is read instead.
    """
    # It takes 0.1 s to import: not for those who only look a release up.
    import sqlglot  # noqa: PLC0415
    from sqlglot import exp  # noqa: PLC0415

    def replace(node: "exp.Expr") -> "exp.Expr":
        if isinstance(node, exp.Table) and f"{node.db}.{node.name}" in others:
            other = exp.table_(
                others[f"{node.db}.{node.name}"], db="main", catalog="temp"
            )
            return exp.alias_(other, node.alias_or_name, table=True)
        return node

    return sqlglot.parse_one(select, dialect="duckdb").transform(replace).sql("duckdb")


def row_count(con: duckdb.DuckDBPyConnection, *name: str) -> int:
    """The number of rows of a table."""
    found = con.execute(f"select count(*) from {quoted(*name)}").fetchone()
    return int(found[0]) if found else 0


def column_names(
    con: duckdb.DuckDBPyConnection, name: str, catalog: str | None = None
) -> frozenset[str]:
    """The columns that a table or view has; none where there is no such table.

    Args:
        con: the database.
        name: the table, as schema.table.
        catalog: an attached database; by default, the connection's own.
    """
    schema, _, table = name.partition(".")
    rows = con.execute(
        "select column_name from duckdb_columns()"
        " where database_name = coalesce($catalog, current_database())"
        " and schema_name = $schema and table_name = $table",
        {"catalog": catalog, "schema": schema, "table": table},
    ).fetchall()
    return frozenset(column for (column,) in rows)


def packaged_files(*folders: Path) -> list[Path]:
    """All files of code and definitions below the folders, in a fixed order."""
    kinds = {".py", ".sql", ".yaml", ".html", ".css"}
    return sorted(
        file
        for folder in folders
        for file in folder.rglob("*")
        if file.suffix in kinds and "__pycache__" not in file.parts
    )
