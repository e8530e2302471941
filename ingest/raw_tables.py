"""The tables of the raw layer: made where they are missing, and what they hold.

One table a feed, and beside them those of the ledger, which say what became of each
landing file. Whoever opens a warehouse calls `prepare` first; `ingest/ledger.py` and
`ingest/load.py` fill the tables.
"""

from collections.abc import Mapping

import duckdb

from ingest import masks
from ingest.sql_text import Sql, identifier, listed, literal, sql
from sql.contracts import Column, Contract, contract, feeds

# What came of the files; those of them that no longer count; where they lay before.
TABLES = ("files", "row_status", "rejected_rows", "corrected_records")
FORMER_FILES = "former_files"
FORMER_PATHS = "former_paths"
JOINED_FILES = "joined_files"
LOADED_ROWS = "loaded_rows"
FILE_NAMES = "file_names"

# The place of a row `t` in the order of all rows of its feed; `files.place` is that of
# its file. A file has fewer than 2^40 lines, a feed fewer than 2^23 files.
ROW_PLACE = Sql("files.place * 1099511627776 + t._line_no")


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Make the schemas and the tables of the raw layer where they are missing.

    A column that a newer version of Fenji, or the project, adds to a feed is added to
    its table. Where the project gives a column another type, the values of files that
    are gone are kept as far as they can be read so; other files are read again.
    """
    present = _present(con)
    if not present:
        con.execute("create schema if not exists raw")
        con.execute("create schema if not exists staging")
    for name in (*TABLES, FORMER_FILES, FORMER_PATHS, JOINED_FILES):
        table = contract("raw", name)
        _make_table(con, table.table, _columns(table), present.get(name))
    for name, feed in feeds().items():
        columns = _columns(feed)
        columns += [(day, "DATE") for _, day in feed.days]
        columns += [("_file_id", "INTEGER"), ("_line_no", "BIGINT")]
        columns += [("_reject", "UTINYINT")]
        _make_table(con, name, columns, present.get(name))
    if FILE_NAMES not in present:
        con.execute(
            sql(
                "create view {view} as select file_id, feed, {name} as shown_path"
                " from raw.files",
                view=identifier("raw", FILE_NAMES),
                name=masks.shown_path(Sql("path")),
            )
        )
    if LOADED_ROWS not in present or not feeds().keys() <= present.keys():
        counts = [
            sql(
                "select _file_id as file_id, count(*) as n_rows from {raw}"
                " group by _file_id",
                raw=identifier("raw", name),
            )
            for name in feeds()
        ]
        con.execute(
            sql(
                "create or replace view {view} as {counts}",
                view=identifier("raw", LOADED_ROWS),
                counts=listed(counts, " union all "),
            )
        )


def is_prepared(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the tables of the ledger are there, and those of feeds as feeds are."""
    present = _present(con)
    tables = {**feeds(), **{name: contract("raw", name) for name in TABLES}}
    return all(
        present.get(name, {}).get(column) == kind
        for name, table in tables.items()
        for column, kind in _columns(table)
    )


def _present(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """The tables of the raw layer: name → column → type."""
    present: dict[str, dict[str, str]] = {}
    for table, column, kind in con.execute(
        "select table_name, column_name, data_type from duckdb_columns()"
        " where schema_name = 'raw' and database_name = current_database()"
    ).fetchall():
        present.setdefault(table, {})[column] = kind
    return present


def _columns(table: Contract) -> list[tuple[str, str]]:
    return [(column.name, column.duckdb_type) for column in table.columns]


def _make_table(
    con: duckdb.DuckDBPyConnection,
    table: str,
    columns: list[tuple[str, str]],
    present: Mapping[str, str] | None,
) -> None:
    name = identifier("raw", table)
    made = [
        sql("{column} {kind}", column=identifier(column), kind=Sql(kind))
        for column, kind in columns
        if present is None or column not in present
    ]
    if present is None:
        con.execute(sql("create table {name} ({made})", name=name, made=listed(made)))
        return
    for column in made:
        con.execute(
            sql("alter table {name} add column {column}", name=name, column=column)
        )
    for column_name, kind in columns:
        if present.get(column_name, kind) != kind:
            retype(con, name, column_name, kind)


def retype(con: duckdb.DuckDBPyConnection, table: Sql, column: str, kind: str) -> None:
    """Give a column another type; what cannot be read so becomes null."""
    con.execute(
        sql(
            "alter table {table} alter column {column} set data type {kind}"
            " using try_cast({column} as {kind})",
            table=table,
            column=identifier(column),
            kind=Sql(kind),
        )
    )


def row_day(feed: Contract) -> Sql:
    """The earliest of the days that date a row of a feed, `t`; null where none does."""
    days = [sql("t.{day}", day=identifier(name)) for name in feed.day_columns]
    if not days:
        return Sql("null::date")
    return days[0] if len(days) == 1 else sql("least({days})", days=listed(days))


def with_default(column: Column) -> Sql:
    """The value of a column in a row of a feed, `t`, with its default."""
    name = sql("t.{name}", name=identifier(column.name))
    if column.default is None:
        return name
    return sql(
        "coalesce({name}, {default})", name=name, default=literal(column.default)
    )


def feed_columns(con: duckdb.DuckDBPyConnection) -> dict[str, frozenset[str]]:
    """The canonical columns of each feed that is present, which any file of it gives.

    A feed is present when a file of it has a usable header, rows or not.
    """
    rows = con.execute(
        "select feed, list(distinct name order by name) from (select feed,"
        " unnest(columns) as name from raw.files where columns is not null)"
        " group by feed order by feed"
    ).fetchall()
    return {feed: frozenset(names) for feed, names in rows}


def usable_columns(con: duckdb.DuckDBPyConnection) -> dict[str, frozenset[str]]:
    """The columns of each feed that is present, as far as figures may follow from them.

    A column that a mapping may say there is none of is there where every file has it:
    figures of the rows of some files would be taken for those of all.
    """
    rows = con.execute(
        "select feed, columns from raw.files where columns is not null"
    ).fetchall()
    unknown = {
        (feed, column.name)
        for feed, columns in rows
        if feed in feeds()
        for column in feeds()[feed].columns
        if column.waivable and column.name not in columns
    }
    return {
        feed: frozenset(name for name in names if (feed, name) not in unknown)
        for feed, names in feed_columns(con).items()
    }
