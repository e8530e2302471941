"""The ledger of landing files: what was loaded, and what is new, changed or gone.

It is the table `raw.files` of the warehouse, one row a file. Here it is compared with
what lies in the landing folders, and entries are written; `ingest/load.py` reads the
files. No file is opened but to be hashed, and nothing that is slow to import is
imported: the ledger is asked before a run whether there is anything to do.
"""

import datetime
import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from ingest import archives
from ingest.landing import CORRECTION, JoinedFile, LandingFile
from ingest.mapping import mapping_digest
from ingest.raw_tables import TABLES
from ingest.sql_text import identifier, select_named, sql, unnested
from project.folder import Project
from sql.contracts import Contract, feeds

# Rows of a record that becomes several are numbered from (record - 1) * STEP + 1 on, so
# that their number tells the record. A file has fewer than 2^40 of them.
STEP = 1 << 12
MOST_RECORDS = 1 << 28


@dataclass(frozen=True)
class Entry:
    """A file as the ledger knows it."""

    file_id: int  # given once, never again
    feed: str
    path: str  # below the feed's folder
    size: int  # bytes, packed where the file is
    mtime_ns: int  # nanoseconds since 1970
    content_digest: str  # of its bytes; empty: the next run reads it in any case
    mapping_digest: str  # of all that decides how it is read
    status: str  # loaded, empty or refused
    corrects: str | None = None  # of a correction file: the path of the file it is for


@dataclass(frozen=True)
class Change:
    """A file that must be read: a new one, or one that is not as it was."""

    file: LandingFile
    digest: str  # of its bytes
    mapping_digest: str  # of all that decides how it is read
    former: Entry | None  # None: the ledger does not know the file yet


def entries(
    con: duckdb.DuckDBPyConnection, feed: str | None = None
) -> tuple[Entry, ...]:
    """The files that the ledger knows, of one feed or of all, by feed and path."""
    rows = con.execute(
        "select file_id, feed, path, size, mtime_ns, content_digest, mapping_digest,"
        # That of an earlier version has not noted which file corrects which.
        " status, corrects from (select null::varchar as corrects where false"
        " union all by name from raw.files) where $feed is null or feed = $feed"
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
                corrects=paths[entry.file_id].corrects,
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
    # Only a file of equal size can be the same one; no other is opened for its digest.
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
        new_place = next(
            (
                file
                for file in equal
                if file.feed == entry.feed
                and (file.feed, file.path) not in by_place
                and (file.feed, file.path) not in taken
            ),
            None,
        )
        if new_place is not None:
            # Of two equal files that are gone, each moves to a place of its own.
            taken.add((new_place.feed, new_place.path))
            moved.append((entry, new_place))
        elif equal:
            same_feed = [file for file in equal if file.feed == entry.feed]
            merged.append((entry, (same_feed or equal)[0]))
        else:
            vanished.append(entry)
    # Without its correction file a file is as it was; where both are gone, its
    # corrected rows are kept.
    lost = {(entry.feed, entry.path) for entry in vanished}
    unused = [entry for entry in gone if entry.status != "loaded"]
    unused += [
        entry
        for entry in vanished
        if entry.corrects is not None and (entry.feed, entry.corrects) not in lost
    ]
    kept = [entry for entry in vanished if entry not in unused]
    return Departures(tuple(moved), tuple(merged), tuple(unused), tuple(kept))


def _digest_of(file: LandingFile, entry: Entry | None) -> str:
    if (
        entry is not None
        and entry.content_digest
        and (entry.size, entry.mtime_ns) == (file.size, file.mtime_ns)
    ):
        return entry.content_digest
    return content_digest(file)


@dataclass(frozen=True)
class Joined:
    """A file that mappings join, as the ledger remembers it."""

    place: str
    size: int
    mtime_ns: int
    content_digest: str


def joined(con: duckdb.DuckDBPyConnection) -> tuple[Joined, ...]:
    """The files that mappings have joined, as they were when they were last read."""
    rows = con.execute(
        "select place, size, mtime_ns, content_digest from raw.joined_files"
    ).fetchall()
    return tuple(Joined(*row) for row in rows)


class _Digests:
    """The digests of how files are read; unchanged files beside them stay unopened."""

    def __init__(
        self,
        project: Project,
        known: Mapping[tuple[str, str], Entry],
        files: Iterable[LandingFile],
        joined: Iterable[Joined],
    ) -> None:
        self._project = project
        self._entries = known
        self._files = {(file.feed, file.path): file for file in files}
        self._joined = {
            (file.place, file.size, file.mtime_ns): file.content_digest
            for file in joined
        }

    def of(self, file: LandingFile) -> str:
        """The digest of all that decides how a landing file is read."""
        beside = self._beside(file)
        if file.correction is not None:
            beside[CORRECTION] = [self._content(file.correction)]
        corrected = self.corrected(file)
        if corrected is not None:
            # What a correction file says is held against the records of the other.
            content = self._content(corrected)
            read = self._mapping(corrected, self._beside(corrected))
            beside[CORRECTION] = [f"{content} {read}"]
        return self._mapping(file, beside)

    def corrected(self, file: LandingFile) -> LandingFile | None:
        """The file that a correction file is for, where it lies in its folder."""
        if file.corrects is None:
            return None
        return self._files.get((file.feed, file.corrects))

    def is_kept(self, file: LandingFile, entry: Entry) -> bool:
        """Whether a correction file is for a file that is gone, whose rows are kept."""
        place = (file.feed, entry.corrects)
        return (
            file.is_correction
            and file.corrects is None
            and place in self._entries
            and place not in self._files
        )

    def _mapping(self, file: LandingFile, beside: Mapping[str, Sequence[str]]) -> str:
        return mapping_digest(
            self._project, feeds()[file.feed], file.mapping, beside, file.path
        )

    def _content(self, file: LandingFile) -> str:
        return _digest_of(file, self._entries.get((file.feed, file.path)))

    def _beside(self, file: LandingFile) -> dict[str, list[str]]:
        """The digests of the files that are joined, by the name of the join."""
        by_name: dict[str, list[str]] = {}
        for beside in file.joined:
            digest = self._joined.get((beside.place, beside.size, beside.mtime_ns))
            by_name.setdefault(beside.name, []).append(digest or content_digest(beside))
        return by_name


def note_joined(con: duckdb.DuckDBPyConnection, files: Iterable[LandingFile]) -> None:
    """Remember the files that mappings join, so that unchanged ones stay unopened."""
    beside = {joined.place: joined for file in files for joined in file.joined}
    known = {entry.place: entry for entry in joined(con)}
    now = {
        place: Joined(place, file.size, file.mtime_ns, content_digest(file))
        if (entry := known.get(place)) is None
        or (entry.size, entry.mtime_ns) != (file.size, file.mtime_ns)
        else entry
        for place, file in beside.items()
    }
    if now == known:
        return
    con.execute("delete from raw.joined_files")
    con.execute(
        sql(
            "insert into raw.joined_files by name {rows}",
            rows=unnested(
                place="varchar",
                size="bigint",
                mtime_ns="bigint",
                content_digest="varchar",
            ),
        ),
        {
            "place": list(now),
            "size": [file.size for file in now.values()],
            "mtime_ns": [file.mtime_ns for file in now.values()],
            "content_digest": [file.content_digest for file in now.values()],
        },
    )


def changes(
    project: Project,
    known: Iterable[Entry],
    files: Iterable[LandingFile],
    joined: Iterable[Joined] = (),
) -> tuple[tuple[Change, ...], tuple[tuple[Entry, LandingFile], ...]]:
    """The files to read, and the known ones of which only the time has changed.

    A file whose size and time are as they were is not opened.

    Args:
        project: the project.
        known: what the ledger knows of them.
        files: those of the landing folders.
        joined: what the ledger knows of the files that their mappings join; where one
            holds something else, all files that need it are read again.
    """
    files = tuple(files)
    by_path = {(entry.feed, entry.path): entry for entry in known}
    digests = _Digests(project, by_path, files, joined)
    made: dict[tuple[str, str], Change] = {}
    touched = []
    for file in files:
        entry = by_path.get((file.feed, file.path))
        digest_of_mapping = digests.of(file)
        same_mapping = entry is not None and (
            entry.mapping_digest == digest_of_mapping or digests.is_kept(file, entry)
        )
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
        place = (file.feed, file.path)
        made[place] = Change(file, digest, digest_of_mapping, entry)
    made |= _with_the_others(made, files, by_path, digests)
    return tuple(made[place] for place in sorted(made, key=_in_order)), tuple(
        pair for pair in touched if (pair[1].feed, pair[1].path) not in made
    )


def _in_order(place: tuple[str, str]) -> tuple[str, bytes]:
    feed, path = place
    return feed, path.encode()


def _with_the_others(
    made: Mapping[tuple[str, str], Change],
    files: Iterable[LandingFile],
    known: Mapping[tuple[str, str], Entry],
    digests: _Digests,
) -> dict[tuple[str, str], Change]:
    """The changes of files whose correction file is read, or that correct one that is.

    One is not read without the other.
    """
    found = {}
    for file in files:
        other = file.correction.path if file.correction else file.corrects
        place = (file.feed, file.path)
        if other is not None and place not in made and (file.feed, other) in made:
            entry = known.get(place)
            found[place] = Change(
                file, _digest_of(file, entry), digests.of(file), entry
            )
    return found


def note_times(
    con: duckdb.DuckDBPyConnection, touched: Sequence[tuple[Entry, LandingFile]]
) -> None:
    """Remember the times of files that are as they were, so that they stay unopened."""
    if touched:
        _make_now(con, touched)
        con.execute(
            "update raw.files set size = _now.size, mtime_ns = _now.mtime_ns"
            " from _now where files.file_id = _now.file_id"
        )
        con.execute("drop table _now")


def _make_now(
    con: duckdb.DuckDBPyConnection, found: Sequence[tuple[Entry, LandingFile]]
) -> None:
    """Make the temporary table `_now`: where each file lies, its size and its time."""
    con.execute(
        sql(
            "create or replace temporary table _now as {rows}",
            rows=unnested(
                file_id="integer",
                path="varchar",
                corrects="varchar",
                size="bigint",
                mtime_ns="bigint",
            ),
        ),
        {
            "file_id": [entry.file_id for entry, _ in found],
            "path": [file.path for _, file in found],
            "corrects": [file.corrects for _, file in found],
            "size": [file.size for _, file in found],
            "mtime_ns": [file.mtime_ns for _, file in found],
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
    _make_now(con, moved)
    con.execute(
        sql(
            "create or replace temporary table _versions as {versions}",
            versions=select_named("ledger/moved_versions"),
        )
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
        "update raw.files set path = _now.path, size = _now.size,"
        " mtime_ns = _now.mtime_ns, corrects = _now.corrects"
        " from _now where files.file_id = _now.file_id"
    )
    con.execute("drop table _now")
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
    status: str  # loaded, empty or refused
    reason: str | None  # in words, of a refused file
    columns: tuple[str, ...] | None  # the canonical columns that a loaded file gives
    n_read: int | None  # rows below its header, rejected ones as well
    # Of a refused file: whether the next run tries it, though it is as it was.
    again: bool = False
    n_skipped: int = 0  # of the rows read, those that the mapping leaves out
    n_records: int | None = None  # of a file whose records become several rows
    n_unmatched: int = 0  # of the others, those for which a join finds no row
    is_partial: bool = False  # its rows say nothing of columns that it does not give
    # Of a loaded file; None where its first line may be no header.
    unused_headers: tuple[str, ...] | None = None


def enter(
    con: duckdb.DuckDBPyConnection,
    outcomes: Sequence[tuple[Change, Outcome]],
    loaded_at: datetime.datetime,
) -> None:
    """Enter the files that were read, all at once.

    Args:
        con: the warehouse, in the transaction that loads their rows.
        outcomes: each file, and what became of it.
        loaded_at: since when what was read is known.
    """
    con.execute(
        sql(
            "insert into raw.files by name"
            " select * replace (string_split(columns, ',') as columns,"
            " list_filter(string_split(unused_headers, chr(31)), lambda x: x != '')"
            " as unused_headers),"
            " $loaded_at as loaded_at from ({rows})",
            rows=unnested(
                file_id="integer",
                feed="varchar",
                path="varchar",
                size="bigint",
                mtime_ns="bigint",
                content_digest="varchar",
                mapping_digest="varchar",
                status="varchar",
                reason="varchar",
                columns="varchar",
                is_partial="boolean",
                unused_headers="varchar",
                corrects="varchar",
                n_read="bigint",
                n_skipped="bigint",
                n_unmatched="bigint",
                n_records="bigint",
                line_step="integer",
            ),
        ),
        {
            "file_id": [outcome.file_id for _, outcome in outcomes],
            "feed": [change.file.feed for change, _ in outcomes],
            "path": [change.file.path for change, _ in outcomes],
            "size": [change.file.size for change, _ in outcomes],
            "mtime_ns": [change.file.mtime_ns for change, _ in outcomes],
            "content_digest": [
                "" if outcome.again else change.digest for change, outcome in outcomes
            ],
            "mapping_digest": [change.mapping_digest for change, _ in outcomes],
            "status": [outcome.status for _, outcome in outcomes],
            "reason": [outcome.reason for _, outcome in outcomes],
            "columns": [
                outcome.columns and ",".join(outcome.columns) for _, outcome in outcomes
            ],
            "is_partial": [outcome.is_partial for _, outcome in outcomes],
            "unused_headers": [
                # A sign that no name holds parts them.
                None if names is None else "\x1f".join(names)
                for names in (outcome.unused_headers for _, outcome in outcomes)
            ],
            "corrects": [change.file.corrects for change, _ in outcomes],
            "n_read": [outcome.n_read for _, outcome in outcomes],
            "n_skipped": [outcome.n_skipped for _, outcome in outcomes],
            "n_unmatched": [outcome.n_unmatched for _, outcome in outcomes],
            "n_records": [outcome.n_records for _, outcome in outcomes],
            "line_step": [
                None if outcome.n_records is None else STEP for _, outcome in outcomes
            ],
            "loaded_at": loaded_at,
        },
    )


@functools.lru_cache(maxsize=100_000)
def _hashed(path: Path, _size: int, _mtime_ns: int) -> str:
    return archives.digest(path)


def content_digest(file: LandingFile | JoinedFile) -> str:
    """The digest of the file's bytes; empty where they may not be read.

    A file is hashed once a process while its size and time stay the same: to find out
    whether there is anything to do, and again when it is loaded.
    """
    try:
        made = _hashed(file.absolute, file.size, file.mtime_ns)
    except OSError:
        return ""
    if file.sheet is not None:
        # Sheets of one workbook are not equal.
        return hashlib.sha256(f"{made}/{file.sheet}".encode()).hexdigest()
    return made
