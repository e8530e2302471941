"""Making the warehouse again: from the landing files, and from what can still be read.

What landing files hold is loaded anew. What they do not hold comes from the warehouse
as it was, as far as that can be read: rows of files that are gone, former versions of
files, since when each file is known. Where its ledger cannot be read, the manifests of
releases say which files there were, and since when.

All is made beside the old warehouse, which is then put aside and never deleted here.
"""

import datetime
import itertools
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import duckdb

from ingest import ledger, raw_tables, replaced_files, warehouse
from ingest.landing import LandingFile, find_files, shown_place
from ingest.load import load_feed
from ingest.sql_text import Sql, identifier, literal, select_named, sql, unnested
from project.errors import RunError
from project.folder import Project
from sql import machine_faults
from sql.contracts import feeds
from sql.selects import column_names
from sql.transactions import transaction

_OLD = "old"
_NAMED = 5  # lost files in the line of an error

Place = tuple[str, str, str]  # feed, path, digest of the content


@dataclass(frozen=True)
class Published:
    """A file as a release's manifest names it among its inputs."""

    feed: str
    path: str
    digest: str
    status: str
    n_read: int | None
    known_from: datetime.datetime

    @property
    def place(self) -> Place:
        """What tells it from all other files and versions."""
        return (self.feed, self.path, self.digest)


@dataclass(frozen=True)
class Statement:
    """The input of a release, which was known when it was published."""

    published_at: datetime.datetime
    files: tuple[Published, ...]


@dataclass
class Rebuilt:
    """What the new warehouse holds, and what of the old one it lacks."""

    n_files: int = 0
    n_rows: int = 0
    is_old_readable: bool = False  # its ledger is
    kept: list[str] = field(default_factory=list)  # gone files whose rows are there
    lost: list[str] = field(default_factory=list)  # gone files whose rows are not
    n_former: int = 0  # former versions whose rows are there
    n_former_lost: int = 0
    n_dated: int = 0  # files of which it is known since when they are
    differing: list[str] = field(default_factory=list)  # other rows than a release read
    put_aside: Path | None = None


class _NotWhole(Exception):  # noqa: N818 - no error, but a finding
    """Rows of a file cannot be read from the old warehouse."""


class _NewWarehouse(Project):
    """The same project, but for a data folder of its own while it is being rebuilt."""

    @property
    def data(self) -> Path:
        return super().data / warehouse.REBUILT


def rebuild(
    project: Project,
    statements: Sequence[Statement],
    at: datetime.datetime,
    *,
    accept: bool,
) -> Rebuilt:
    """Make the warehouse again; its lock is held.

    Args:
        project: the project.
        statements: what releases say of their inputs, the latest published last.
        at: since when files are known of which nothing says so.
        accept: go on without the rows of files that are gone, where they are lost.

    Raises:
        RunError: rows of files that are gone are lost, or a file cannot be written.
    """
    rebuilt = Rebuilt()
    new = _NewWarehouse(project.root, project.settings, project.change)
    shutil.rmtree(new.data, ignore_errors=True)
    new.data.mkdir(mode=0o700, parents=True)
    try:
        with warehouse.opened(new) as con:
            con.execute("set timezone = $zone", {"zone": project.settings.timezone})
            landed = find_files(project)
            known = _attach_old(con, project)
            rebuilt.is_old_readable = known is not None
            if known is None:
                _note_versions(con, statements, rebuilt)
                gone = _gone(statements[-1].files if statements else (), landed)
                rebuilt.lost = [
                    shown_place(project, file.feed, file.path) for file in gone
                ]
            else:
                _keep_former(con, rebuilt)
                _keep_files(con, project, new, known, landed, rebuilt)
            if rebuilt.lost and not accept:
                raise RunError(_lost(project, rebuilt))
            for feed in feeds().values():
                load_feed(con, new, feed, at)
            _date(con, _known_from(known, statements), rebuilt)
            if known is not None:
                _date_corrections(con)
            warehouse.settle_anew(con)
            _count(con, project, statements, rebuilt)
            if known is not None:
                con.execute(f"detach {_OLD}")
        rebuilt.put_aside = _swap(project, new, at)
    finally:
        shutil.rmtree(new.data, ignore_errors=True)
    return rebuilt


def _lost(project: Project, rebuilt: Rebuilt) -> str:
    named = ", ".join(rebuilt.lost[:_NAMED])
    more = len(rebuilt.lost) - _NAMED
    if more > 0:
        named += f" and {more:,} more"
    return (
        f"{project.warehouse}: cannot be made again in full: its rows of files that are"
        f" gone from their folders cannot be read: {named}; put these files back, or"
        " `fenji rebuild --accept` goes on without their rows"
    )


# What can be read of the old warehouse.


@dataclass(frozen=True)
class _Entry:
    """A file in the old ledger."""

    file_id: int
    feed: str
    path: str
    digest: str
    status: str
    n_read: int | None
    n_skipped: int
    loaded_at: datetime.datetime | None  # None: never noted, known all along
    corrects: str | None = None  # of a correction file: the path of the file it is for

    @property
    def place(self) -> Place:
        return (self.feed, self.path, self.digest)


def _attach_old(
    con: duckdb.DuckDBPyConnection, project: Project
) -> tuple[_Entry, ...] | None:
    """The ledger of the old warehouse, attached; None: it cannot be read."""
    if machine_faults.why_unopened(project.warehouse) is not None:
        return None
    try:
        warehouse.attach(con, project, _OLD)
    except duckdb.Error:
        return None
    # One of an earlier version noted fewer things.
    noted = column_names(con, "raw.files", _OLD)
    loaded_at = "loaded_at" if "loaded_at" in noted else "null::timestamptz"
    n_skipped = "coalesce(n_skipped, 0)" if "n_skipped" in noted else "0"
    corrects = "corrects" if "corrects" in noted else "null::varchar"
    try:
        rows = con.execute(
            "select file_id, feed, path, content_digest, status, n_read,"
            f" {n_skipped}, {loaded_at}, {corrects} from {_OLD}.raw.files"
            " order by file_id"
        ).fetchall()
    except duckdb.Error:
        con.execute(f"detach {_OLD}")
        return None
    return tuple(_Entry(*row) for row in rows)


def _keep_former(con: duckdb.DuckDBPyConnection, rebuilt: Rebuilt) -> None:
    """Copy the former versions of files, before new files get their numbers."""
    has = {
        name
        for (name,) in con.execute(
            "select table_name from duckdb_tables()"
            f" where database_name = '{_OLD}' and schema_name = 'raw'"
        ).fetchall()
    }
    for table in {raw_tables.FORMER_FILES, raw_tables.FORMER_PATHS} & has:
        with suppress(duckdb.Error):
            _copy(con, "raw", table, Sql("true"))
    con.execute(
        sql(
            "create schema if not exists {name}", name=identifier(replaced_files.SCHEMA)
        )
    )
    # A table that cannot be read takes its rows with it, and no other table's.
    for table in sorted(replaced_files.tables(con, _OLD)):
        replaced_files.make_table(con, table)
        try:
            _copy(con, replaced_files.SCHEMA, table, Sql("true"))
        except duckdb.Error:
            con.execute(
                "update raw.former_files set is_kept = false"
                " where feed = $table or list_contains($beside, $table)",
                {"table": table, "beside": list(replaced_files.BESIDE)},
            )
    rebuilt.n_former, rebuilt.n_former_lost = con.execute(
        "select count(*) filter (where is_kept),"
        " count(*) filter (where not is_kept) from raw.former_files"
    ).fetchall()[0]


def _keep_files(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    new: Project,
    known: Sequence[_Entry],
    landed: Sequence[LandingFile],
    rebuilt: Rebuilt,
) -> None:
    """Copy what came of the files that are not in their folders as they were read.

    Where they were only moved or changed, loading finds that out, as it always does.
    """
    # What stands in its folder as it was read is loaded anew, and need not be copied.
    standing = {(file.feed, file.path, ledger.content_digest(file)) for file in landed}
    gone = {entry.file_id for entry in _gone(known, landed)}
    # What a correction file came to is kept with the rows of the file that it is for.
    left = {(entry.feed, entry.path) for entry in known if entry.file_id in gone}
    for entry in known:
        is_standing = entry.place in standing and (
            (entry.feed, entry.corrects) not in left
        )
        if entry.status != "loaded" or is_standing:
            continue
        where = shown_place(project, entry.feed, entry.path)
        if _keep_file(con, entry):
            for name in (project.quarantine / entry.feed).glob(f"{entry.file_id}-*"):
                target = new.quarantine / entry.feed / name.name
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copy2(name, target)
            if entry.file_id in gone:
                rebuilt.kept.append(where)
        elif entry.file_id in gone:
            rebuilt.lost.append(where)
        else:
            rebuilt.n_former_lost += 1


def _keep_file(con: duckdb.DuckDBPyConnection, entry: _Entry) -> bool:
    """Copy a file's rows and its entry; whether all of them could be read."""
    try:
        with transaction(con):
            _copy_whole(con, entry)
    except _NotWhole:
        return False
    return True


def _copy_whole(con: duckdb.DuckDBPyConnection, entry: _Entry) -> None:
    """Copy a file's rows and its entry, within a transaction.

    Raises:
        _NotWhole: some of the rows cannot be read.
    """
    try:
        _copy(con, "raw", "files", _only("file_id", entry))
        n_rows = _copy(con, "raw", entry.feed, _only("_file_id", entry))
        early = sql("{only} and not is_late", only=_only("file_id", entry))
        n_rows += _copy(con, "raw", "rejected_rows", early)
        if column_names(con, "raw.corrected_records", _OLD):
            _copy(con, "raw", "corrected_records", _only("file_id", entry))
    except duckdb.Error as err:
        raise _NotWhole from err
    if n_rows < (entry.n_read or 0) - entry.n_skipped:
        raise _NotWhole


def _only(column: str, entry: _Entry) -> Sql:
    return sql("{column} = {id}", column=identifier(column), id=literal(entry.file_id))


def _copy(con: duckdb.DuckDBPyConnection, schema: str, table: str, rows: Sql) -> int:
    """Copy rows of a table of the old warehouse; how many."""
    found = con.execute(
        sql(
            "insert into {new} by name from {old} where {rows}",
            new=identifier(schema, table),
            old=identifier(_OLD, schema, table),
            rows=rows,
        )
    ).fetchone()
    return int(found[0]) if found else 0


_File = TypeVar("_File", _Entry, Published)


def _gone(files: Sequence[_File], landed: Sequence[LandingFile]) -> list[_File]:
    """The files with rows that lie nowhere, neither as they were nor changed."""
    paths = {(file.feed, file.path) for file in landed}
    digests = {ledger.content_digest(file) for file in landed}
    return [
        file
        for file in files
        if file.status == "loaded"
        and (file.feed, file.path) not in paths
        and file.digest not in digests
    ]


# What the manifests of releases say where the old ledger cannot be read.


def _note_versions(
    con: duckdb.DuckDBPyConnection, statements: Sequence[Statement], rebuilt: Rebuilt
) -> None:
    """Note the versions that releases read and later ones did not: their rows are gone.

    So a run for what was known at an earlier time names what it lacks.
    """
    rows = []
    for earlier, later in itertools.pairwise(statements):
        now = {(file.feed, file.path): file for file in later.files}
        for file in earlier.files:
            later_file = now.get((file.feed, file.path))
            if later_file is None or later_file.digest != file.digest:
                replaced_at = (
                    later_file.known_from if later_file else later.published_at
                )
                rows.append((file, replaced_at))
    rebuilt.n_former_lost = len(rows)
    if not rows:
        return
    con.execute(
        sql(
            "insert into raw.former_files by name select *, 0 as size, 0 as mtime_ns,"
            " '' as mapping_digest, false as is_kept from ({rows})",
            rows=unnested(
                file_id="integer",
                feed="varchar",
                path="varchar",
                content_digest="varchar",
                status="varchar",
                n_read="bigint",
                loaded_at="timestamptz",
                replaced_at="timestamptz",
            ),
        ),
        {
            "file_id": list(range(1, len(rows) + 1)),
            "feed": [file.feed for file, _ in rows],
            "path": [file.path for file, _ in rows],
            "content_digest": [file.digest for file, _ in rows],
            "status": [file.status for file, _ in rows],
            "n_read": [file.n_read for file, _ in rows],
            "loaded_at": [file.known_from for file, _ in rows],
            "replaced_at": [replaced_at for _, replaced_at in rows],
        },
    )


def _known_from(
    known: Sequence[_Entry] | None, statements: Sequence[Statement]
) -> dict[Place, datetime.datetime | None]:
    """Since when each version of a file is known, as the ledger or releases say."""
    found: dict[Place, datetime.datetime | None] = {}
    for statement in statements:
        for file in statement.files:
            found[file.place] = min(
                file.known_from, found.get(file.place) or file.known_from
            )
    found |= {entry.place: entry.loaded_at for entry in known or ()}
    return found


def _date(
    con: duckdb.DuckDBPyConnection,
    known_from: Mapping[Place, datetime.datetime | None],
    rebuilt: Rebuilt,
) -> None:
    """Set since when files are known; a moved file is known since it was first."""
    con.execute(
        sql(
            "create or replace temporary table _known_from as {rows}",
            rows=unnested(
                feed="varchar", path="varchar", digest="varchar", since="timestamptz"
            ),
        ),
        {
            "feed": [feed for feed, _, _ in known_from],
            "path": [path for _, path, _ in known_from],
            "digest": [digest for _, _, digest in known_from],
            "since": list(known_from.values()),
        },
    )
    dated = con.execute(
        sql(
            "update raw.files set loaded_at = known.since from ({known}) as known"
            " where files.file_id = known.file_id",
            known=select_named("rebuild/known_since"),
        )
    ).fetchone()
    rebuilt.n_dated = int(dated[0]) if dated else 0
    con.execute("drop table _known_from")


def _date_corrections(con: duckdb.DuckDBPyConnection) -> None:
    """Set since when corrections are known; those that say the same are the same."""
    if not column_names(con, "raw.corrected_records", _OLD):
        return
    with suppress(duckdb.Error):  # what cannot be read of the old one says nothing
        con.execute(
            "update raw.corrected_records as c set known_from = o.known_from from"
            " (select line_no, content_digest, min(known_from) as known_from"
            f" from {_OLD}.raw.corrected_records group by line_no, content_digest) as o"
            " where c.line_no = o.line_no and c.content_digest = o.content_digest"
        )


def _count(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    statements: Sequence[Statement],
    rebuilt: Rebuilt,
) -> None:
    """Count what is there, and hold it against what the last release read."""
    rebuilt.n_files = len(ledger.entries(con))
    ((rebuilt.n_rows,),) = con.execute(
        "select coalesce(sum(n_rows), 0)::bigint from raw.loaded_rows"
    ).fetchall()
    read = {
        (feed, path, digest): n_read
        for feed, path, digest, n_read in con.execute(
            "select feed, path, content_digest, n_read from raw.files"
        ).fetchall()
    }
    rebuilt.differing = [
        shown_place(project, file.feed, file.path)
        for file in (statements[-1].files if statements else ())
        if file.place in read and read[file.place] != file.n_read
    ]


# Putting the new one in place.


def _swap(project: Project, new: Project, at: datetime.datetime) -> Path | None:
    """Put the old warehouse and quarantine aside, and the new ones in their place."""
    aside = project.data / "damaged" / f"{at:%Y%m%dT%H%M%S%f}"
    old = [
        path
        for path in (
            Path(f"{project.warehouse}.wal"),
            project.warehouse,
            project.quarantine,
        )
        if path.exists()
    ]
    if old:
        aside.mkdir(mode=0o700, parents=True)
    for path in old:
        if path == project.warehouse and path.is_file():
            # There is one under its name at every moment, where links can be made.
            with suppress(OSError):
                os.link(path, aside / path.name)
                continue
        path.rename(aside / path.name)
    new.warehouse.replace(project.warehouse)
    if new.quarantine.exists():
        new.quarantine.rename(project.quarantine)
    return aside if old else None
