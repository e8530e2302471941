"""Loading the tables of a release into a schema of PostgreSQL.

DuckDB writes CSV into a pipe and PostgreSQL reads from it: nothing is kept in between,
neither in memory nor on a disk.
"""

import os
import threading
from collections.abc import Iterable

import duckdb

from releases.postgres.connection import Connection, execute, in_words
from releases.postgres.tables import Table, copied
from sql.selects import quoted, text

_CHUNK = 1 << 18  # bytes
CUSTOMER = "customer_id"
MANAGER = "account_manager_id"


def load(
    con: Connection,
    release: duckdb.DuckDBPyConnection,
    schema: str,
    tables: Iterable[Table],
) -> int:
    """Make tables in a schema and fill them; returns the number of rows.

    In one transaction of the caller's: rows are written as visible to all, which is
    allowed where nobody can see the table yet.

    Args:
        con: the connection to the server, in a transaction.
        release: a connection to the release.
        schema: the schema, which is there.
        tables: the tables to make.
    """
    n_rows = 0
    for table in tables:
        with in_words(f"the table {table.name}"):
            n_rows += _load_table(con, release, schema, table)
    return n_rows


def _load_table(
    con: Connection, release: duckdb.DuckDBPyConnection, schema: str, table: Table
) -> int:
    place = quoted(schema, table.name)
    listed = ", ".join(f"{quoted(c.name)} {c.type}" for c in table.columns)
    execute(con, f"create table {place} ({listed})")
    n_rows = _copy(con, release, table, place)
    words = [comment("table", place, *said) for said in table.words.items()]
    execute(con, ";".join([*_indexes(place, table), *words]))
    execute(con, f"analyze {place}")
    return n_rows


def comment(kind: str, place: str, column: str, words: str | None) -> str:
    """The statement that says what a table or view is, or a column of it.

    Args:
        kind: table or view.
        place: its quoted name.
        column: the column; empty: the table.
        words: what it is; None: nothing is known of it.
    """
    said = "null" if words is None else text(words)
    if not column:
        return f"comment on {kind} {place} is {said}"
    return f"comment on column {place}.{quoted(column)} is {said}"


def _indexes(place: str, table: Table) -> list[str]:
    """The primary key, and what a role is shown its customers by."""
    made = []
    if table.key:
        made.append(
            f"alter table {place} add primary key"
            f" ({', '.join(quoted(name) for name in table.key)})"
        )
    is_first = table.key[:1] == (CUSTOMER,)
    if CUSTOMER in table.names and not is_first:
        made.append(f"create index on {place} ({CUSTOMER})")
    if MANAGER in table.names:
        made.append(f"create index on {place} ({MANAGER})")
    return made


def _copy(
    con: Connection, release: duckdb.DuckDBPyConnection, table: Table, place: str
) -> int:
    """Copy the rows of a table; returns their number.

    Raises:
        duckdb.Error: the release cannot be read.
    """
    readable, writable = os.pipe()
    failures: list[Exception] = []

    def write() -> None:
        quotes = [quoted(column.name) for column in table.columns if column.is_text]
        forced = f", force_quote ({', '.join(quotes)})" if quotes else ""
        try:
            with release.cursor() as cursor:
                # A cursor begins in the zone and the schemas of the connection's start.
                cursor.execute("set TimeZone = 'UTC'")
                cursor.execute(
                    f"copy ({copied(table)}) to '/dev/fd/{writable}'"
                    f" (format csv, header false{forced})"
                )
        except Exception as err:  # noqa: BLE001 - raised again by the thread that reads
            failures.append(err)
        finally:
            os.close(writable)

    writer = threading.Thread(target=write)
    names = ", ".join(quoted(name) for name in table.names)
    copying = f"copy {place} ({names}) from stdin (format csv, freeze)"
    with con.cursor() as cursor:
        try:
            with cursor.copy(copying.encode()) as copy:
                writer.start()
                while chunk := os.read(readable, _CHUNK):
                    copy.write(chunk)
                writer.join()
                if failures:
                    raise failures[0]
        finally:
            # Whoever writes is told that nobody reads any more.
            os.close(readable)
            if writer.ident is not None:
                writer.join()
            else:
                os.close(writable)
        return max(cursor.rowcount, 0)
