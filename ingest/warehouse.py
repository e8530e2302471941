"""Opening the warehouse: its version, and what is said where it is damaged.

Whoever opens it holds its lock. A damaged, missing or newer one is refused in one line,
an older one is brought up to date. What stands in it is the business of the ledger and
of those who load.
"""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from ingest.duplicates import Settlement
from ingest.raw_tables import feed_columns, is_prepared, prepare
from ingest.sql_text import identifier, listed, literal, sql
from project import modes
from project.errors import ConfigurationError, RunError
from project.folder import Project
from project.places import Place
from sql import machine_faults
from sql.contracts import feeds
from sql.transactions import transaction

# Raised when tables of the raw layer change otherwise than by columns that are added,
# or rows count by other rules than when they were loaded. A warehouse that notes none
# was made before versions were noted: its tables have gained columns since, and the
# first ever left it open which of equal rows count.
VERSION = 1

REBUILT = ".rebuild"  # the folder in which a new one is made

_NOTE = "main.warehouse_version"
_REBUILD = "`fenji rebuild` makes it again from the landing files"
_OWNER_ALONE = 0o600


def log(told: str) -> None:
    """Tell whoever reads Python's log: the daemon has nobody else."""
    logging.getLogger("fenji").warning(told)


@contextmanager
def opened(
    project: Project, *, tell: Callable[[str], None] = log
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, to be written; made where the project has none yet.

    Args:
        project: the project.
        tell: is told where a warehouse of an earlier version is brought up to date.

    Raises:
        RunError: it is damaged, missing, newer, or cannot be written.
        ConfigurationError: it holds files of a feed that is gone from the project.
    """
    _refuse_unreadable(project)
    project.data.mkdir(parents=True, exist_ok=True)
    # It holds names and telephone numbers, and so do its log and what does not fit into
    # memory, which DuckDB makes beside it; releases are for others to read.
    with modes.private():
        con = _connect(project, read_only=False)
        try:
            with _in_words(project):
                project.warehouse.chmod(_OWNER_ALONE)
                _bring_up_to_date(con, project, tell)
                # First, as it makes what is not there, such as a ledger that was lost.
                _refuse_rows_of_nobody(con, project)
                _refuse_files_of_no_feed(con, project)
                yield con
        finally:
            con.close()


@contextmanager
def reading(project: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, to be read alone.

    Raises:
        RunError: it is damaged, missing or newer.
    """
    _refuse_unreadable(project)
    con = _connect(project, read_only=True)
    try:
        with _in_words(project):
            _refuse_newer(project, _version(con))
            yield con
    finally:
        con.close()


def attach(con: duckdb.DuckDBPyConnection, project: Project, name: str) -> None:
    """Attach the warehouse to another database under a name, to be read alone.

    Raises:
        duckdb.Error: it cannot be read.
    """
    con.execute(
        sql(
            "attach {path} as {name} (read_only)",
            path=literal(str(project.warehouse)),
            name=identifier(name),
        )
    )


def upgrade(project: Project, *, tell: Callable[[str], None] = log) -> None:
    """Bring a warehouse up to date before it is only read.

    An earlier version made it, or the project has added feeds or columns since.

    Raises:
        RunError: as for `opened`.
    """
    with reading(project) as con:
        is_ready = _version(con) == VERSION and is_prepared(con)
    if not is_ready:
        with opened(project, tell=tell):
            pass


def is_there(project: Project) -> bool:
    """Whether there is a warehouse to read; false before the first run.

    Raises:
        RunError: there is none although releases were published from one.
    """
    if project.warehouse.exists():
        return True
    if any(project.releases.glob("[!.]*/manifest.json")):
        raise RunError(
            f"{project.warehouse}: is missing, though releases were published from it;"
            f" put it back from a backup, or {_REBUILD}"
        )
    return False


def remove_unfinished(project: Project) -> None:
    """Remove what killed runs left beside it; the lock is held.

    What did not fit into memory, and a new warehouse that was not made to the end.
    """
    shutil.rmtree(f"{project.warehouse}.tmp", ignore_errors=True)
    shutil.rmtree(project.data / REBUILT, ignore_errors=True)


def _refuse_unreadable(project: Project) -> None:
    if is_there(project):
        why = machine_faults.why_unopened(project.warehouse)
        if why is not None:
            raise _damaged(project, f"{why}; it should be a DuckDB database")


def _connect(project: Project, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(project.warehouse), read_only=read_only)
    except duckdb.Error as err:
        fault = machine_faults.in_words(err, project.warehouse)
        raise fault or _damaged(project, machine_faults.why_refused(err)) from err


@contextmanager
def _in_words(project: Project) -> Iterator[None]:
    """Say in one line where the warehouse turns out to be damaged."""
    try:
        yield
    except duckdb.Error as err:
        if not machine_faults.is_damage(err):
            raise
        why = machine_faults.why_unreadable(project.warehouse)
        if why is None:  # another file that is attached
            raise
        raise _damaged(project, why) from err


def _damaged(project: Project, why: str) -> RunError:
    return RunError(
        f"{project.warehouse}: {why}; put it back from a backup, or {_REBUILD}"
    )


def _bring_up_to_date(
    con: duckdb.DuckDBPyConnection, project: Project, tell: Callable[[str], None]
) -> None:
    version = _version(con)
    _refuse_newer(project, version)
    if version == VERSION:
        return
    prepare(con)
    if version is None:
        _note_version(con)
        return
    con.execute("set timezone = $zone", {"zone": project.settings.timezone})
    with transaction(con):
        settle_anew(con)
        _note_version(con)
    tell(
        f"{project.warehouse}: was made by an earlier version of Fenji; it is version"
        f" {VERSION} now: which rows count was worked out anew, and files that are"
        " still there are read again where they would be read otherwise today"
    )


def settle_anew(con: duckdb.DuckDBPyConnection) -> None:
    """Work out which rows count: those of files that are gone are not read again."""
    con.execute("delete from raw.row_status")
    con.execute("delete from raw.rejected_rows where is_late")
    n_files = dict(
        con.execute("select feed, count(*) from raw.files group by feed").fetchall()
    )
    for name, columns in feed_columns(con).items():
        settlement = Settlement(con, feeds()[name], columns)
        settlement.begin()
        settlement.settle(everything=True, n_files=n_files[name])


def _note_version(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(f"create or replace table {_NOTE} as select {VERSION} as version")


def _version(con: duckdb.DuckDBPyConnection) -> int | None:
    """The version of the warehouse: 0 where none was noted, None where it is new."""
    try:
        found = con.execute(f"select version from {_NOTE}").fetchone()
    except duckdb.CatalogException:
        found = None
    if found is not None:
        return int(found[0])
    is_used = con.execute(
        "select 1 from duckdb_tables() where schema_name = 'raw'"
        " and database_name = current_database() limit 1"
    ).fetchone()
    return 0 if is_used else None


def _refuse_newer(project: Project, version: int | None) -> None:
    if version is not None and version > VERSION:
        raise RunError(
            f"{project.warehouse}: was made by a newer version of Fenji (its version is"
            f" {version}, this one knows {VERSION}); install that version again"
        )


def _refuse_files_of_no_feed(con: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Refuse a project whose own feed is gone while its files are in the ledger."""
    rows = con.execute(
        "select feed, count(*) from raw.files group by feed order by feed"
    ).fetchall()
    for feed, n_files in rows:
        if feed not in feeds():
            files = f"{n_files} file{'' if n_files == 1 else 's'}"
            raise ConfigurationError(
                f"is gone, and the warehouse holds {files} of the feed {feed}; put it"
                " back, or, while it is there, take the files out by `fenji forget`",
                Place(project.own_feed(feed)),
            )


def _refuse_rows_of_nobody(con: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Refuse rows whose file the ledger lacks: they would count twice, or for ever."""
    prepare(con)
    parts = [
        sql(
            "select {name} as feed where exists (select 1 from {raw} as t"
            " anti join raw.files as f on t._file_id = f.file_id)",
            name=literal(name),
            raw=identifier("raw", name),
        )
        for name in feeds()
    ]
    found = con.execute(listed(parts, " union all ")).fetchall()
    if found:
        names = ", ".join(f"raw.{name}" for (name,) in found)
        raise _damaged(
            project, f"is damaged: its ledger lacks files whose rows are in {names}"
        )
