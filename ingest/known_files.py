"""What was known at an earlier time: the files that had been loaded by then.

A run that asks for it loads nothing. It works in a database of its own, which is gone
afterwards. The raw layer there shows the rows of those files in the warehouse; which of
them count is settled anew.
"""

import datetime
import hashlib
import shutil
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from ingest import masks, replaced_files, warehouse
from ingest.duplicates import Settlement
from ingest.raw_tables import feed_columns, prepare
from ingest.sql_text import Sql, identifier, listed, sql
from project.errors import RunError
from project.folder import Project
from sql.contracts import Contract, feeds

if TYPE_CHECKING:
    from ingest.load import FeedLoad

_CATALOG = "warehouse"

# Files of which some version counted at the time, by their catalog's ledger.
_COUNTED = "coalesce(loaded_at <= $at, true)"
_COUNTED_FORMERLY = f"{_COUNTED} and replaced_at > $at"

# Files with the paths that they had at the time, whatever they were moved to later.
_PATHS_THEN = (
    "select f.* replace (coalesce(p.path, f.path) as path) from {raw}.{files} as f"
    " left join (select file_id, min_by(path, moved_at) as path"
    " from {raw}.former_paths where moved_at > $at group by file_id) as p"
    " on f.file_id = p.file_id"
)


def digest(project: Project, at: datetime.datetime) -> str:
    """A digest of the files that were known at a time and whose rows are still there.

    Raises:
        RunError: none was known.
    """
    rows = []
    if warehouse.is_there(project):
        with warehouse.opened(project) as con:
            rows = con.execute(
                "select feed, path, content_digest, mapping_digest, true as is_kept"
                f" from ({_paths_then('files')})"
                f" where {_COUNTED} union all"
                " select feed, path, content_digest, mapping_digest, is_kept"
                f" from ({_paths_then('former_files')})"
                f" where {_COUNTED_FORMERLY} order by all",
                {"at": at},
            ).fetchall()
    if not rows:
        zone = zoneinfo.ZoneInfo(project.settings.timezone)
        raise RunError(
            f"--known-at: no file had been loaded by {at.astimezone(zone):%F %T};"
            " `fenji releases` says when each was published"
        )
    return hashlib.sha256(repr(rows).encode()).hexdigest()


@contextmanager
def opened(
    project: Project, at: datetime.datetime
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose raw layer is that of the time; the warehouse is only read.

    One of an earlier version is brought up to date first.

    Raises:
        RunError: the warehouse cannot be read.
    """
    remove_unfinished(project)
    warehouse.upgrade(project)
    place = _place(project)
    place.mkdir(mode=0o700)
    con = duckdb.connect(str(place / "known_at.duckdb"))
    try:
        warehouse.attach(con, project, _CATALOG)
        make_raw(con, _CATALOG, at)
        yield con
    finally:
        con.close()
        remove_unfinished(project)


def remove_unfinished(project: Project) -> None:
    """Remove what a killed run left; called under the lock of the warehouse."""
    shutil.rmtree(_place(project), ignore_errors=True)


def _place(project: Project) -> Path:
    return project.data / ".known_at"


def make_raw(
    con: duckdb.DuckDBPyConnection, catalog: str, at: datetime.datetime
) -> None:
    """Make the raw layer as it was known at a time, over that of an attached catalog.

    The ledger, the rejected rows and the corrections are copied, the feeds are views.
    """
    # A warehouse where no file was ever replaced has no tables of former rows.
    kept = replaced_files.tables(con, catalog)
    con.execute("create schema raw")
    con.execute("create schema staging")
    con.execute(
        sql(
            "create table raw.files as"
            f" select * from ({{files}}) where {_COUNTED} union all by name"
            " select * exclude (replaced_at, is_kept) from ({former_files})"
            f" where {_COUNTED_FORMERLY} and is_kept",
            files=_paths_then("files", catalog),
            former_files=_paths_then("former_files", catalog),
        ),
        {"at": at},
    )
    con.execute(
        sql(
            "create table raw.former_files as from ({former_files})"
            f" where {_COUNTED_FORMERLY} and not is_kept",
            former_files=_paths_then("former_files", catalog),
        ),
        {"at": at},
    )
    for name, only in replaced_files.BESIDE.items():
        con.execute(
            sql(
                "create table {table} as {rows}",
                table=identifier("raw", name),
                rows=_rows(catalog, name, "file_id", kept, only),
            )
        )
    for name in feeds():
        con.execute(
            sql(
                "create view {view} as {rows}",
                view=identifier("raw", name),
                rows=_rows(catalog, name, "_file_id", kept, Sql("true")),
            )
        )
    prepare(con)


def _paths_then(files: str, catalog: str | None = None) -> Sql:
    raw = identifier("raw") if catalog is None else identifier(catalog, "raw")
    return sql(_PATHS_THEN, raw=raw, files=identifier(files))


def _rows(
    catalog: str, table: str, file_id: str, kept: frozenset[str], only: Sql
) -> Sql:
    """The rows of the files that were known, wherever they lie now."""
    places = [identifier(catalog, "raw", table)]
    if table in kept:
        places.append(identifier(catalog, replaced_files.SCHEMA, table))
    return listed(
        (
            sql(
                "select t.* from {place} as t semi join raw.files as f"
                " on t.{file_id} = f.file_id where {only}",
                place=place,
                file_id=identifier(file_id),
                only=only,
            )
            for place in places
        ),
        " union all by name ",
    )


def settle(con: duckdb.DuckDBPyConnection, feed: Contract) -> "FeedLoad":
    """Work out which rows of a feed counted; called once a feed, after `make_raw`."""
    from ingest.load import FeedLoad  # noqa: PLC0415 - not for a run's key

    ((n_files,),) = con.execute(
        "select count(*) from raw.files where feed = $feed", {"feed": feed.table}
    ).fetchall()
    columns = feed_columns(con).get(feed.table, frozenset())
    settlement = Settlement(con, feed, columns)
    settlement.begin()
    settlement.settle(everything=True, n_files=n_files)
    return FeedLoad(feed.table, n_files, 0, 0, 0, 0, 0)


def missing(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """The files that were known then and whose rows are gone, after `make_raw`."""
    rows = con.execute(
        sql(
            "select distinct feed || '/' || {name} as file from raw.former_files"
            " where not is_kept order by file",
            name=masks.shown_path(Sql("path")),
        )
    ).fetchall()
    return tuple(file for (file,) in rows)
