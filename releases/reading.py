"""Opening the databases of releases, and what is said where one is damaged.

Whoever reads a release opens or attaches it here, always read-only. Tables of earlier
versions of Fenji may stand in another schema: `place` knows where.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from project.errors import RunError
from sql import machine_faults
from sql.contracts import STORAGE
from sql.selects import quoted, text


@contextmanager
def opened(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database of a release, to be read.

    Raises:
        RunError: it is damaged or missing.
    """
    _refuse_unreadable(database)
    with in_words([database]):
        con = duckdb.connect(str(database), read_only=True)
        try:
            if _has_storage(con):
                con.execute(f"set search_path = 'main,{STORAGE}'")
            yield con
        finally:
            con.close()


def attach(con: duckdb.DuckDBPyConnection, database: Path, catalog: str) -> None:
    """Attach the database of a release under a name, to be read.

    Raises:
        RunError: it is damaged or missing.
    """
    _refuse_unreadable(database)
    with in_words([database]):
        con.execute(f"attach {text(str(database))} as {quoted(catalog)} (read_only)")


def place(con: duckdb.DuckDBPyConnection, catalog: str, table: str) -> str:
    """The quoted name of a table or view of an attached release.

    What people need not see stands in a schema of its own; in the releases of earlier
    versions it stands beside the rest.
    """
    return quoted(catalog, schema_of(con, catalog, table) or "main", table)


def schema_of(con: duckdb.DuckDBPyConnection, catalog: str, table: str) -> str | None:
    """The schema of an attached release that has a table; None: it has none."""
    return schemas(con, catalog).get(table)


def schemas(con: duckdb.DuckDBPyConnection, catalog: str) -> dict[str, str]:
    """The schema of each table and view of an attached release."""
    found = con.execute(
        "select table_name, table_schema from information_schema.tables"
        " where table_catalog = $1",
        [catalog],
    )
    return dict(found.fetchall())


@contextmanager
def in_words(databases: Sequence[Path]) -> Iterator[None]:
    """Say which of the databases is damaged, where DuckDB finds that one is.

    DuckDB names no file when it finds a damaged block: they are read whole to find out.
    """
    try:
        yield
    except duckdb.Error as err:
        if not machine_faults.is_damage(err):
            raise
        for database in databases:
            why = machine_faults.why_unreadable(database)
            if why is not None:
                raise damaged(database, why) from err
        raise


def damaged(database: Path, why: str) -> RunError:
    """That a release's database is damaged, and the way out."""
    return RunError(
        f"{database}: {why}; put the release back from a backup, or move its folder"
        " elsewhere: later runs then go on from the releases that are left"
    )


def _has_storage(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the release keeps its storage apart; earlier versions did not."""
    found = con.execute(
        "select 1 from duckdb_schemas()"
        " where database_name = current_database() and schema_name = $1",
        [STORAGE],
    ).fetchone()
    return found is not None


def _refuse_unreadable(database: Path) -> None:
    why = machine_faults.why_unopened(database)
    if why is not None:
        raise damaged(database, f"{why}; it should be a DuckDB database")
