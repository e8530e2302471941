"""The first rows of landing files, read as a run would read them.

The heads of the files are copied aside and loaded into a warehouse of their own, by the
code that a run loads with. The project's warehouse is not opened, and nothing of the
project is changed.
"""

import datetime
import gzip
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import zstandard

from ingest import closed_lists, ledger, problems
from ingest import identity as identities
from ingest.landing import JSON, PARQUET, TEXT, LandingFile, shown_place
from ingest.load import Landed, load_feed
from ingest.mapping import position_of
from ingest.raw_tables import prepare
from ingest.sql_text import Sql, identifier, listed, literal, select_named, sql
from ingest.unpacking import FAULTS, opened
from project.errors import ConfigurationError, RunError
from project.folder import Project
from sql.contracts import Contract, contract, feeds
from sql.selects import select_of

HEAD_BYTES = 1 << 18  # of a text file, unpacked
HEAD_ROWS = 1000  # of a Parquet file
WHOLE_BYTES = 1 << 25  # JSON documents and workbooks cannot be cut: up to this size
SHOWN_ROWS = 3

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class FileHead:
    """What became of the first rows of a file."""

    feed: str
    file: str  # from the project folder on
    mapping: str | None  # the setting that takes it; None: canonical names
    is_unmatched: bool  # there are mappings, and none takes it
    is_whole: bool  # it was read to its end
    # loaded, empty, refused; too_large where it cannot be cut, not_read where the
    # mapping of its feed is wrong
    status: str
    reason: str | None
    n_read: int | None
    n_loaded: int | None
    n_duplicate: int | None
    n_rejected: int | None
    n_skipped: int | None
    n_unmatched: int | None  # a join of the mapping finds no row
    n_records: int | None  # as many as rows, unless the mapping explodes them
    rows: tuple[dict[str, object], ...]  # the first that load; column → value


@dataclass(frozen=True)
class MergedColumn:
    """A column of a feed whose columns are merged, and where it comes from."""

    feed: str
    column: str
    n_files: int  # that give it
    last_file: str  # of these, whose word counts; from the project folder on


@dataclass(frozen=True)
class Preview:
    """What a run would make of the first rows of the files."""

    files: tuple[FileHead, ...]
    rejected: tuple[problems.Problem, ...]
    errors: tuple[ConfigurationError, ...]  # of mappings: their feeds cannot be loaded
    merged: tuple[MergedColumn, ...] = ()  # by feed, in its order
    # What `identity` compares and no row that was looked at has, and the kinds of the
    # feed identities that rows have.
    silent: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    closed: tuple[closed_lists.ClosedList, ...] = ()  # with words that they do not have


def preview(
    project: Project, files: Sequence[LandingFile], *, show_personal: bool = False
) -> Preview:
    """Read the first rows of the files.

    Args:
        project: its settings say how files are read.
        files: those to look at.
        show_personal: whether the first rows show personal columns.
    """
    with tempfile.TemporaryDirectory(prefix="fenji-check-") as name:
        aside = replace(project, data_folder=Path(name))
        heads = [
            # Of heads alone nobody can say which records are corrected.
            _head_of(replace(file, correction=None), Path(name) / f"head-{number}")
            for number, file in enumerate(files)
            if not file.is_correction
        ]
        with duckdb.connect(str(Path(name) / "warehouse.duckdb")) as con:
            prepare(con)
            errors = tuple(_load(con, aside, heads, feeds().values()))
            books = _books(con)
            made = tuple(
                _seen(
                    con,
                    project,
                    head,
                    books.get((head.file.feed, head.file.path)),
                    show_personal=show_personal,
                )
                for head in heads
            )
            rejected = problems.rejected_rows(con)
            found = Preview(
                made,
                rejected,
                errors,
                tuple(_merged(con, project)),
                _silent(con, project),
                identities.kinds(con),
            )
        closed = _closed_lists(aside, heads, rejected, show_personal=show_personal)
        return replace(found, closed=tuple(closed))


def _closed_lists(
    aside: Project,
    heads: Sequence["_Head"],
    rejected: Iterable[problems.Problem],
    *,
    show_personal: bool,
) -> Iterator[closed_lists.ClosedList]:
    """The columns of closed lists by which rows were rejected, and what they say."""
    columns: dict[str, list[str]] = {}
    for problem in rejected:
        if problem.reason == "not_in_list" and problem.column_name:
            columns.setdefault(problem.feed, []).append(problem.column_name)
    if not columns:
        return
    folder = aside.data / "opened"
    folder.mkdir()
    with duckdb.connect(str(folder / "warehouse.duckdb")) as con:
        prepare(con)
        opened_feeds = [
            closed_lists.opened(feeds()[feed], names) for feed, names in columns.items()
        ]
        # What is wrong is told already.
        tuple(_load(con, replace(aside, data_folder=folder), heads, opened_feeds))
        for feed, names in columns.items():
            yield from closed_lists.unknown_words(
                con, feeds()[feed], sorted(names), show_personal=show_personal
            )


def _merged(con: duckdb.DuckDBPyConnection, project: Project) -> Iterator[MergedColumn]:
    """From which files the columns come that are merged."""
    rows = con.execute(select_named("merging/givers")).fetchall()
    found = {(feed, column): rest for feed, column, *rest in rows}
    for name, feed in feeds().items():
        for column in feed.columns:
            if column.name in feed.key or (name, column.name) not in found:
                continue
            n_files, path = found[name, column.name]
            place = shown_place(project, name, path)
            yield MergedColumn(name, column.name, n_files, place)


@dataclass(frozen=True)
class _Head:
    """A landing file, and the copy of its beginning that stands for it."""

    file: LandingFile
    copy: LandingFile | None  # None: it is too large to be looked into
    is_whole: bool


def _load(
    con: duckdb.DuckDBPyConnection,
    aside: Project,
    heads: Sequence[_Head],
    contracts: Iterable[Contract],
) -> Iterator[ConfigurationError]:
    """Load the heads, feed by feed; what is wrong with the mapping of each."""
    now = datetime.datetime.now(datetime.UTC)
    for feed in contracts:
        name = feed.table
        copies = [head.copy for head in heads if head.copy and head.copy.feed == name]
        landed = Landed(tuple(copies), ledger.Departures(), known=())
        try:
            load_feed(con, aside, feed, now, landed)
        except ConfigurationError as err:
            yield err
        except RunError as err:
            # Of heads alone: what cannot be loaded here is for the user to mend.
            yield ConfigurationError(str(err))


def _silent(con: duckdb.DuckDBPyConnection, project: Project) -> tuple[str, ...]:
    """What `identity` compares and no row has."""
    identity = project.settings.identity
    if identity is None:
        return ()
    has = identities.words_of_rows(con, identity.words)
    return tuple(word for word in identity.words if word not in has)


def _head_of(file: LandingFile, place: Path) -> _Head:
    """The beginning of a file, copied to a place of its own."""
    if file.extension in PARQUET:
        return _head_of_parquet(file, place)
    if file.extension in TEXT or file.extension == "jsonl" or not file.is_known:
        return _head_of_text(file, place)
    if file.size > WHOLE_BYTES or (file.extension in JSON and file.compression):
        return _Head(file, None, is_whole=False)
    return _Head(file, file, is_whole=True)


def _head_of_text(file: LandingFile, place: Path) -> _Head:
    try:
        with opened(file.absolute, file.compression) as stream:
            head = stream.read(HEAD_BYTES)
            is_whole = not stream.read(1)
    except FAULTS:
        # Whatever is wrong with it is told when it is read.
        return _Head(file, file, is_whole=True)
    if is_whole:
        return _Head(file, file, is_whole=True)
    packed = _packed(_whole_records(head), file.compression)
    place.write_bytes(packed)
    return _Head(file, _standing_in(file, place), is_whole=False)


def _standing_in(file: LandingFile, place: Path) -> LandingFile:
    """The file, to be read from its copy."""
    stat = place.stat()
    return replace(file, absolute=place, size=stat.st_size, mtime_ns=stat.st_mtime_ns)


def _whole_records(head: bytes) -> bytes:
    """The head up to its last line end that is in no quoted value, as far as seen."""
    wide = head.startswith(_UTF16_MARKS)
    line_end = b"\n\x00" if head.startswith(b"\xff\xfe") else b"\n"
    cut = len(head)
    while (cut := head.rfind(line_end, 0, cut)) > 0:
        end = cut + len(line_end)
        if head.count(b'"', 0, end) % 2 == 0 and not (wide and end % 2):
            return head[:end]
    last = max(head.rfind(b"\n"), head.rfind(b"\r")) + 1
    return head[:last] if last and not wide else head


def _packed(head: bytes, compression: str | None) -> bytes:
    if compression == "gz":
        return gzip.compress(head, compresslevel=1, mtime=0)
    return zstandard.compress(head) if compression == "zst" else head


def _head_of_parquet(file: LandingFile, place: Path) -> _Head:
    with duckdb.connect() as con:
        parquet = sql(
            "read_parquet({path}, hive_partitioning = false)",
            path=literal(re.sub(r"([*?\[])", r"[\1]", str(file.absolute))),
        )
        try:
            counted = con.execute(sql("select count(*) from {s}", s=parquet)).fetchone()
            con.execute(
                sql(
                    "copy (select * from {parquet} limit {rows}) to {place}"
                    " (format parquet)",
                    parquet=parquet,
                    rows=literal(HEAD_ROWS),
                    place=literal(str(place)),
                )
            )
        except duckdb.Error:
            # Whatever is wrong with it is told when it is read.
            return _Head(file, file, is_whole=True)
    n_rows = counted[0] if counted else 0
    return _Head(file, _standing_in(file, place), is_whole=n_rows <= HEAD_ROWS)


@dataclass(frozen=True)
class _Entry:
    """What the books say of a head."""

    status: str
    reason: str | None = None
    n_read: int | None = None
    n_loaded: int | None = None
    n_duplicate: int | None = None
    n_rejected: int | None = None
    n_skipped: int | None = None
    n_unmatched: int | None = None
    n_records: int | None = None


def _books(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], _Entry]:
    """What became of each head, by feed and path."""
    rows = con.execute(
        sql(
            "select feed, file, status, reason, n_read, n_loaded, n_duplicate,"
            " n_rejected, n_skipped, n_unmatched, n_records from ({books})",
            books=Sql(select_of(contract("marts", "feed_reconciliation"))),
        )
    ).fetchall()
    return {(feed, path): _Entry(*rest) for feed, path, *rest in rows}


def _seen(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    head: _Head,
    entry: _Entry | None,
    *,
    show_personal: bool,
) -> FileHead:
    """What became of a head, and its first rows."""
    file = head.file
    entry = entry or _Entry("not_read" if head.copy else "too_large")
    rows: tuple[dict[str, object], ...] = ()
    if entry.status == "loaded":
        rows = _rows(con, feeds()[file.feed], file.path, show_personal)
    return FileHead(
        feed=file.feed,
        file=shown_place(project, file.feed, file.path),
        mapping=_setting(project, file),
        is_unmatched=file.is_unmatched,
        is_whole=head.is_whole,
        rows=rows,
        **vars(entry),
    )


def _setting(project: Project, file: LandingFile) -> str | None:
    """The setting that takes a file, such as feeds.transactions[1]."""
    if file.is_unmatched or file.feed not in project.settings.feeds:
        return None
    mappings = project.settings.mappings_of(file.feed)
    place = position_of(project, file.feed, file.mapping)
    return f"feeds.{file.feed}" + (f"[{place}]" if len(mappings) > 1 else "")


def _rows(
    con: duckdb.DuckDBPyConnection, feed: Contract, path: str, show_personal: bool
) -> tuple[dict[str, object], ...]:
    """The first rows of a file that load, in the columns that it has."""
    has = con.execute(
        "select file_id, columns from raw.files where feed = $feed and path = $path",
        {"feed": feed.table, "path": path},
    ).fetchone()
    if has is None:
        return ()
    file_id, columns = has
    names = [column.name for column in feed.columns if column.name in columns]
    hidden = {c.name for c in feed.columns if c.personal and not show_personal}
    rows = con.execute(
        sql(
            "select {names} from {raw} where _file_id = {file} order by _line_no"
            " limit {rows}",
            names=listed(identifier(name) for name in names),
            raw=identifier("raw", feed.table),
            file=literal(file_id),
            rows=literal(SHOWN_ROWS),
        )
    ).fetchall()
    return tuple(
        {
            name: "•••" if name in hidden and value is not None else value
            for name, value in zip(names, row, strict=True)
        }
        for row in rows
    )
