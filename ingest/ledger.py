"""The ledger of files: what was loaded, what is new, what the whole input is.

Opens no file but to hash it, and imports neither Dagster nor anything heavy: it is
asked before a run whether there is anything to do.
"""

import datetime
import functools
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from ingest import masks
from ingest.landing import LandingFile
from ingest.mapping import mapping_digest
from ingest.sql_text import Sql, identifier, listed, sql
from project.folder import Project
from sql.contracts import Contract, contract, feeds
from sql.selects import select_of

# What came of the files; those of them that no longer count; where they lay before.
TABLES = ("files", "row_status", "rejected_rows")
FORMER_FILES = "former_files"
FORMER_PATHS = "former_paths"
LOADED_ROWS = "loaded_rows"
FILE_NAMES = "file_names"


@dataclass(frozen=True)
class Entry:
    """A file as the ledger knows it."""

    file_id: int
    feed: str
    path: str
    size: int
    mtime_ns: int
    content_digest: str
    mapping_digest: str
    status: str


@dataclass(frozen=True)
class Change:
    """A file that must be read: a new one, or one that is not as it was."""

    file: LandingFile
    digest: str
    mapping_digest: str
    former: Entry | None


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Make the schemas and the tables of the raw layer where they are missing.

    A column that a newer version of Fenji adds to a feed is added to its table.
    """
    present: dict[str, set[str]] = {}
    for table, column in con.execute(
        "select table_name, column_name from duckdb_columns()"
        " where schema_name = 'raw' and database_name = current_database()"
    ).fetchall():
        present.setdefault(table, set()).add(column)
    if not present:
        con.execute("create schema if not exists raw")
        con.execute("create schema if not exists staging")
    for name in (*TABLES, FORMER_FILES, FORMER_PATHS):
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
    if LOADED_ROWS not in present:
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
                "create view {view} as {counts}",
                view=identifier("raw", LOADED_ROWS),
                counts=listed(counts, " union all "),
            )
        )


def _columns(table: Contract) -> list[tuple[str, str]]:
    return [(column.name, column.duckdb_type) for column in table.columns]


def _make_table(
    con: duckdb.DuckDBPyConnection,
    table: str,
    columns: list[tuple[str, str]],
    present: set[str] | None,
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


def entries(
    con: duckdb.DuckDBPyConnection, feed: str | None = None
) -> tuple[Entry, ...]:
    """The files that the ledger knows, of one feed or of all, by feed and path."""
    rows = con.execute(
        "select file_id, feed, path, size, mtime_ns, content_digest, mapping_digest,"
        " status from raw.files where $feed is null or feed = $feed"
        " order by feed, path",
        {"feed": feed},
    ).fetchall()
    return tuple(Entry(*row) for row in rows)


@dataclass(frozen=True)
class Departures:
    """Files that the ledger knows and that are gone from where they lay."""

    # Equal ones stand elsewhere. Those that are new to the ledger take over the entry.
    moved: tuple[tuple[Entry, LandingFile], ...] = ()
    # The others are in the ledger themselves, or will be: of another feed, or changed.
    merged: tuple[tuple[Entry, LandingFile], ...] = ()
    # Refused and empty files have no rows that could be kept.
    unused: tuple[Entry, ...] = ()
    vanished: tuple[Entry, ...] = ()  # their rows are kept

    def of(self, feed: str) -> "Departures":
        """Those of the files of one feed."""
        return Departures(
            tuple(pair for pair in self.moved if pair[0].feed == feed),
            tuple(pair for pair in self.merged if pair[0].feed == feed),
            tuple(entry for entry in self.unused if entry.feed == feed),
            tuple(entry for entry in self.vanished if entry.feed == feed),
        )

    @property
    def removed(self) -> tuple[Entry, ...]:
        """The entries that go out of the ledger."""
        return (*(entry for entry, _ in self.merged), *self.unused)

    def followed(self, known: Iterable[Entry]) -> tuple[Entry, ...]:
        """What the ledger holds once the files have been followed to where they are."""
        paths = {entry.file_id: file for entry, file in self.moved}
        removed = {entry.file_id for entry in self.removed}
        return tuple(
            replace(
                entry,
                path=paths[entry.file_id].path,
                size=paths[entry.file_id].size,
                mtime_ns=paths[entry.file_id].mtime_ns,
            )
            if entry.file_id in paths
            else entry
            for entry in known
            if entry.file_id not in removed
        )


def departures(known: Sequence[Entry], files: Sequence[LandingFile]) -> Departures:
    """What became of the known files that are gone from where they lay.

    A file is the same as another one where their bytes are. Only files that are new or
    changed, and as large as one that is gone, are opened.

    Args:
        known: the whole ledger.
        files: all files of all feeds.
    """
    places = {(file.feed, file.path) for file in files}
    gone = [entry for entry in known if (entry.feed, entry.path) not in places]
    kept = [entry for entry in gone if entry.status == "loaded"]
    by_place = {(entry.feed, entry.path): entry for entry in known}
    sizes = {entry.size for entry in kept}
    standing: dict[str, list[LandingFile]] = {}
    for file in files:
        if file.size in sizes:
            digest = _digest_of(file, by_place.get((file.feed, file.path)))
            standing.setdefault(digest, []).append(file)
    moved, merged, vanished = [], [], []
    taken: set[tuple[str, str]] = set()
    for entry in kept:
        equal = standing.get(entry.content_digest, [])
        heir = next(
            (
                file
                for file in equal
                if file.feed == entry.feed
                and (file.feed, file.path) not in by_place
                and (file.feed, file.path) not in taken
            ),
            None,
        )
        if heir is not None:
            taken.add((heir.feed, heir.path))
            moved.append((entry, heir))
        elif equal:
            same_feed = [file for file in equal if file.feed == entry.feed]
            merged.append((entry, (same_feed or equal)[0]))
        else:
            vanished.append(entry)
    unused = tuple(entry for entry in gone if entry.status != "loaded")
    return Departures(tuple(moved), tuple(merged), unused, tuple(vanished))


def _digest_of(file: LandingFile, entry: Entry | None) -> str:
    if (
        entry is not None
        and entry.content_digest
        and (entry.size, entry.mtime_ns) == (file.size, file.mtime_ns)
    ):
        return entry.content_digest
    return content_digest(file)


def changes(
    project: Project, known: Iterable[Entry], files: Iterable[LandingFile]
) -> tuple[tuple[Change, ...], tuple[tuple[Entry, LandingFile], ...]]:
    """The files to read, and the known ones of which only the time has changed.

    A file whose size and time are as they were is not opened.
    """
    by_path = {(entry.feed, entry.path): entry for entry in known}
    made = []
    touched = []
    for file in files:
        entry = by_path.get((file.feed, file.path))
        digest_of_mapping = mapping_digest(project, feeds()[file.feed], file.mapping)
        same_mapping = entry is not None and entry.mapping_digest == digest_of_mapping
        stat = (file.size, file.mtime_ns)
        unread = entry is not None and not entry.content_digest
        if entry is not None and not unread and (entry.size, entry.mtime_ns) == stat:
            if same_mapping:
                continue
            digest = entry.content_digest
        else:
            digest = content_digest(file)
        if entry is not None and same_mapping and entry.content_digest == digest:
            touched.append((entry, file))
            continue
        made.append(Change(file, digest, digest_of_mapping, entry))
    return tuple(made), tuple(touched)


def note_times(
    con: duckdb.DuckDBPyConnection, touched: Sequence[tuple[Entry, LandingFile]]
) -> None:
    """Remember the times of files that are as they were, so that they stay unopened."""
    if touched:
        con.execute(
            "update raw.files set size = now.size, mtime_ns = now.mtime_ns"
            " from (select unnest($file_id) as file_id, unnest($size) as size,"
            " unnest($mtime_ns) as mtime_ns) as now where files.file_id = now.file_id",
            {
                "file_id": [entry.file_id for entry, _ in touched],
                "size": [file.size for _, file in touched],
                "mtime_ns": [file.mtime_ns for _, file in touched],
            },
        )


def move(
    con: duckdb.DuckDBPyConnection,
    moved: Sequence[tuple[Entry, LandingFile]],
    at: datetime.datetime,
) -> None:
    """Enter the new places of files, and of their former versions, in a transaction.

    Args:
        con: the warehouse.
        moved: what the ledger knows of each file, and where it lies now.
        at: since when that is known.
    """
    if not moved:
        return
    con.execute(
        "create or replace temporary table _moved as select"
        " unnest($file_id) as file_id, unnest($path) as path,"
        " unnest($size) as size, unnest($mtime_ns) as mtime_ns",
        {
            "file_id": [entry.file_id for entry, _ in moved],
            "path": [file.path for _, file in moved],
            "size": [file.size for _, file in moved],
            "mtime_ns": [file.mtime_ns for _, file in moved],
        },
    )
    con.execute(
        "create or replace temporary table _versions as"
        " select v.file_id, v.path as was, m.path from"
        " (select file_id, feed, path from raw.files"
        " union all select file_id, feed, path from raw.former_files) as v"
        " inner join raw.files as f on v.feed = f.feed and v.path = f.path"
        " inner join _moved as m on f.file_id = m.file_id"
    )
    con.execute(
        "insert into raw.former_paths by name"
        " select file_id, was as path, $at as moved_at from _versions",
        {"at": at},
    )
    con.execute(
        "update raw.former_files set path = v.path from _versions as v"
        " where former_files.file_id = v.file_id"
    )
    con.execute(
        "update raw.files set path = m.path, size = m.size, mtime_ns = m.mtime_ns"
        " from _moved as m where files.file_id = m.file_id"
    )
    con.execute("drop table _moved")
    con.execute("drop table _versions")


def delete(
    con: duckdb.DuckDBPyConnection, feed: Contract, file_ids: Sequence[int]
) -> int:
    """Delete what came of the files, within a transaction; the number of their rows."""
    if not file_ids:
        return 0
    given = {"ids": list(file_ids)}
    counted = con.execute(
        sql(
            "delete from {feed} where list_contains($ids, _file_id)",
            feed=identifier("raw", feed.table),
        ),
        given,
    ).fetchone()
    for table in TABLES:
        con.execute(
            sql(
                "delete from {table} where list_contains($ids, file_id)",
                table=identifier("raw", table),
            ),
            given,
        )
    return counted[0] if counted else 0


@dataclass(frozen=True)
class Outcome:
    """What became of a file that was read."""

    file_id: int
    status: str
    reason: str | None
    columns: tuple[str, ...] | None
    n_read: int | None
    # Of a refused file: whether the next run tries it, though it is as it was.
    again: bool = False


def enter(
    con: duckdb.DuckDBPyConnection,
    outcomes: Sequence[tuple[Change, Outcome]],
    loaded_at: datetime.datetime,
) -> None:
    """Enter the files that were read, in one statement."""
    changes = [change for change, _ in outcomes]
    ends = [outcome for _, outcome in outcomes]
    con.execute(
        "insert into raw.files by name select unnest($file_id) as file_id,"
        " unnest($feed) as feed, unnest($path) as path, unnest($size) as size,"
        " unnest($mtime_ns) as mtime_ns, unnest($content_digest) as content_digest,"
        " unnest($mapping_digest) as mapping_digest, unnest($status) as status,"
        " unnest($reason::varchar[]) as reason,"
        " string_split(unnest($columns::varchar[]), ',') as columns,"
        " unnest($n_read::bigint[]) as n_read, $loaded_at as loaded_at",
        {
            "file_id": [one.file_id for one in ends],
            "feed": [one.file.feed for one in changes],
            "path": [one.file.path for one in changes],
            "size": [one.file.size for one in changes],
            "mtime_ns": [one.file.mtime_ns for one in changes],
            "content_digest": [
                "" if end.again else one.digest for one, end in outcomes
            ],
            "mapping_digest": [one.mapping_digest for one in changes],
            "status": [one.status for one in ends],
            "reason": [one.reason for one in ends],
            "columns": [one.columns and ",".join(one.columns) for one in ends],
            "n_read": [one.n_read for one in ends],
            "loaded_at": loaded_at,
        },
    )


@functools.lru_cache(maxsize=100_000)
def _hashed(path: Path, _size: int, _mtime_ns: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def content_digest(file: LandingFile) -> str:
    """The digest of the file's bytes; empty where they may not be read.

    A file is hashed once a process while its size and time stay the same: to find out
    whether there is anything to do, and again when it is loaded.
    """
    try:
        return _hashed(file.absolute, file.size, file.mtime_ns)
    except OSError:
        return ""


def input_digest(
    project: Project,
    files: Sequence[LandingFile],
    warehouse: duckdb.DuckDBPyConnection | None = None,
) -> str:
    """A digest of all input: feeds, paths, contents, mappings, never times.

    It is that of the ledger after a run. Files that were loaded and have vanished are
    part of it, as their rows are kept; those that moved are where they are now. Only
    new and changed files are opened. The warehouse is read through the connection,
    where one is open.

    Raises:
        RunError: the warehouse cannot be read.
    """
    known = _known(project) if warehouse is None else entries(warehouse)
    known = departures(known, files).followed(known)
    made, _ = changes(project, known, files)
    state = {
        (entry.feed, entry.path): (entry.content_digest, entry.mapping_digest)
        for entry in known
    }
    for change in made:
        place = (change.file.feed, change.file.path)
        state[place] = (change.digest, change.mapping_digest)
    whole = hashlib.sha256()
    for place, digests in sorted(state.items()):
        for part in (*place, *digests):
            # The length goes first, so that no two states read alike.
            encoded = part.encode("utf-8", "surrogateescape")
            whole.update(len(encoded).to_bytes(4, "big") + encoded)
    return whole.hexdigest()


def _known(project: Project) -> tuple[Entry, ...]:
    """What the warehouse's ledger holds, read without writing anything."""
    from ingest import warehouse  # noqa: PLC0415 - it prepares the ledger

    if not warehouse.is_there(project):
        return ()
    try:
        with warehouse.reading(project) as con:
            return entries(con)
    except duckdb.CatalogException:
        return ()


def loaded_digest(con: duckdb.DuckDBPyConnection) -> str:
    """A digest of the files that are loaded, and of how they were read."""
    rows = con.execute(
        "select feed, path, content_digest, mapping_digest from raw.files order by all"
    ).fetchall()
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def input_files(con: duckdb.DuckDBPyConnection) -> list[dict[str, object]]:
    """The files that were read, for the manifest, by feed and path."""
    names = (
        "feed",
        "file",
        "digest",
        "status",
        "n_read",
        "n_loaded",
        "n_duplicate",
        "n_rejected",
        "loaded_at",
    )
    select = select_of(contract("marts", "feed_reconciliation"))
    rows = con.execute(
        "select r.feed, r.file, content_digest, r.status, r.n_read, n_loaded,"
        f" n_duplicate, n_rejected, loaded_at from ({select}) as r"
        " inner join raw.file_names as n on r.feed = n.feed and r.file = n.shown_path"
        " inner join raw.files as f on n.file_id = f.file_id"
        " order by r.feed, f.path"
    ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]
