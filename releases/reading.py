"""Opening the databases of releases, and what is said where one is damaged."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from project.errors import RunError
from sql import machine_faults
from sql.statements import quoted, text


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


def _refuse_unreadable(database: Path) -> None:
    why = machine_faults.why_unopened(database)
    if why is not None:
        raise damaged(database, f"{why}; it should be a DuckDB database")
