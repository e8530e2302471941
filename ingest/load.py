"""What is new in a feed's folder, loaded with its ledger entries in one transaction."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

import duckdb

from ingest import ledger, quarantine, records, transcoding
from ingest.counting import Settlement
from ingest.expressions import RefusedExpression
from ingest.landing import find_files
from ingest.layouts import (
    MAX_LINE_SIZE,
    Override,
    Reader,
    first_line,
)
from ingest.ledger import Change
from ingest.mapping import Bound, UnusableHeader, bind, position_of
from ingest.mapping import field as setting
from ingest.sniffing import Empty, Unreadable, likely_encodings
from ingest.sources import Group, SourceFile, is_object, json_texts
from ingest.statements import Sql, identifier, listed, literal, sql
from project.errors import ConfigurationError, RunError
from project.folder import Project
from sql.contracts import Contract, contract
from sql.statements import select_of


@dataclass(frozen=True)
class FeedLoad:
    """What loading one feed came to; the counts are of the files that were read now."""

    feed: str
    n_files: int  # that the ledger knows
    n_new: int
    n_read: int
    n_loaded: int
    n_duplicate: int
    n_rejected: int
    refused: tuple[tuple[str, str], ...] = ()  # path and reason
    empty: tuple[str, ...] = ()


class _ReadAgain(Exception):  # noqa: N818 - no error, but another attempt
    """Something was learnt about a file; the attempt starts over."""


@dataclass
class _Work:
    """What is known of the files of a feed while they are being read."""

    project: Project
    feed: Contract
    reader: Reader
    changes: Sequence[Change]
    refused: dict[str, str] = field(default_factory=dict)
    empty: set[str] = field(default_factory=set)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    n_read: dict[str, int] = field(default_factory=dict)


def load_feed(
    con: duckdb.DuckDBPyConnection, project: Project, feed: Contract
) -> FeedLoad:
    """Load what is new of one feed, with the ledger entries, in one transaction.

    A file that cannot be read is refused by name and the rest is loaded. A changed
    file replaces all rows of its former version.

    Raises:
        ConfigurationError: the mapping of the feed is wrong.
        RunError: the machine could not do it, for example for want of memory.
    """
    ledger.prepare(con)
    files = find_files(project, feed=feed.table)
    known = ledger.entries(con, feed.table)
    changes, touched = ledger.changes(project, known, files)
    for entry, file in touched:
        ledger.note_time(con, entry, file)
    n_known = len({one.path for one in known} | {one.file.path for one in changes})
    if not changes:
        return FeedLoad(feed.table, n_known, 0, 0, 0, 0, 0)
    with _scratch(project) as scratch:
        work = _Work(project, feed, Reader(con, project, feed, scratch), changes)
        while True:
            try:
                ids = _attempt(con, work)
            except _ReadAgain:
                continue
            break
    quarantine.remove(project, feed, [one.former for one in changes if one.former])
    return _summary(con, work, n_known, list(ids.values()))


@contextmanager
def _scratch(project: Project) -> Iterator[Path]:
    """A folder for copies that the reader needs; gone afterwards."""
    project.data.mkdir(parents=True, exist_ok=True)
    for left in project.data.glob(".ingest-*"):
        # Of a run that was killed: the warehouse's lock is held, so nobody uses it.
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".ingest-", dir=project.data) as name:
        yield Path(name)


def _attempt(con: duckdb.DuckDBPyConnection, work: _Work) -> dict[str, int]:
    """Load the changed files with what is known of them; their new numbers.

    Raises:
        _ReadAgain: a file turned out to be other than was thought.
    """
    sources = [one for change in work.changes if (one := _source(work, change))]
    groups = _groups(con, work, sources)
    former = [one.former.file_id for one in work.changes if one.former is not None]
    con.execute("begin")
    try:
        first_load = _is_first_load(con, work.feed, former)
        ids = _file_ids(con, groups, work.changes)
        columns = feed_columns(con).get(work.feed.table, frozenset())
        settlement = Settlement(con, work.feed, columns.union(*work.columns.values()))
        settlement.begin()
        if former:
            settlement.touch(former)
            delete(con, work.feed, former)
        for group in groups:
            try:
                _load_group(con, work, group, ids)
            except duckdb.Error as err:
                con.execute("rollback")
                con.execute("begin")
                _find_culprits(con, work, group, err)
                raise _ReadAgain from None
        ledger.enter(
            con,
            [
                (change, _outcome(work, change.file.path, ids[change.file.path]))
                for change in work.changes
            ],
        )
        if not first_load:
            settlement.touch(list(ids.values()))
        settlement.settle(everything=first_load, n_files=len(work.columns))
    except duckdb.Error as err:
        con.execute("rollback")
        raise RunError(f"raw.{work.feed.table}: {first_line(err)}") from err
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")
    return ids


def _source(work: _Work, change: Change) -> SourceFile | None:
    """The file ready to be read, None where it is empty or refused."""
    file = change.file
    if file.path in work.refused or file.path in work.empty:
        return None
    try:
        layout, readable = work.reader.layout(file)
    except Empty:
        work.empty.add(file.path)
        return None
    except Unreadable as err:
        work.refused[file.path] = str(err)
        return None
    return SourceFile(file, change.digest, change.mapping_digest, layout, readable)


def _groups(
    con: duckdb.DuckDBPyConnection, work: _Work, sources: Sequence[SourceFile]
) -> list[Group]:
    """Files of equal layout and mapping, read together, in path order."""
    bound: list[tuple[SourceFile, tuple[Bound, ...]]] = []
    unknown: dict[str, tuple[SourceFile, str, str]] = {}
    for source in _with_json_headers(con, work, sources):
        file = source.landing
        try:
            bounds = bind(work.feed, file.mapping, source.layout.header)
        except UnusableHeader as err:
            work.refused[file.path] = str(err)
            if err.unknown_field is not None:
                unknown[source.mapping_digest] = (source, err.unknown_field, str(err))
            continue
        bound.append((source, bounds))

    def likeness(one: tuple[SourceFile, tuple[Bound, ...]]) -> str:
        return repr((one[0].layout, one[0].mapping_digest))

    groups = []
    for _, together in groupby(sorted(bound, key=likeness), key=likeness):
        members = list(together)
        group = Group(
            contract=work.feed,
            mapping=members[0][0].landing.mapping,
            layout=members[0][0].layout,
            bounds=members[0][1],
            files=tuple(source for source, _ in members),
        )
        typed = _typed(con, work, group, unknown)
        if typed is not None:
            groups.append(typed)
    _refuse_typing_errors(con, work, groups, unknown)
    for group in groups:
        for source in group.files:
            work.columns[source.landing.path] = tuple(
                bound.column.name for bound in group.bounds
            )
    return groups


def _with_json_headers(
    con: duckdb.DuckDBPyConnection, work: _Work, sources: Sequence[SourceFile]
) -> Iterator[SourceFile]:
    """The sources, those of JSON with all names that any of their objects has."""
    for source in sources:
        layout = source.layout
        if layout.kind not in {"lines", "json"}:
            yield source
            continue
        texts = json_texts(layout, literal(str(source.readable)))
        try:
            rows = con.execute(
                sql(
                    "select distinct unnest(case when {is_object}"
                    " then json_keys(_text) end) as name from ({texts}) order by name",
                    is_object=is_object(Sql("_text")),
                    texts=texts,
                )
            ).fetchall()
        except duckdb.Error as err:
            if _hold_longer_records(work, source):
                raise _ReadAgain from None
            work.refused[source.landing.path] = f"is no JSON: {first_line(err)}"
            continue
        header = tuple(row[0] for row in rows)
        if (
            not header
            and not con.execute(
                sql("select 1 from ({texts}) limit 1", texts=texts)
            ).fetchone()
        ):
            work.empty.add(source.landing.path)
            continue
        types = ("VARCHAR",) * len(header)
        yield replace(source, layout=replace(layout, header=header, types=types))


def _typed(
    con: duckdb.DuckDBPyConnection,
    work: _Work,
    group: Group,
    unknown: dict[str, tuple[SourceFile, str, str]],
) -> Group | None:
    """The group with its expressions' types; None where they do not fit its header.

    Raises:
        ConfigurationError: an expression does not fit the types of its columns, or the
            format of dates is none.
    """
    if group.mapping.date_format is not None:
        try:
            con.execute("select try_strptime('', $f)", {"f": group.mapping.date_format})
        except duckdb.Error as err:
            place = ("date_format",)
            raise _mapping_error(work, group, place, first_line(err)) from None
    for bound in group.bounds:
        if bound.expression is None:
            continue
        try:
            replace(group, bounds=(bound,)).typed_expressions(con)
        except RefusedExpression as err:
            for source in group.files:
                work.refused[source.landing.path] = f"{bound.column.name}: {err}"
            first = group.files[0]
            unknown[first.mapping_digest] = (first, bound.column.name, str(err))
            return None
        except duckdb.Error as err:
            where = ("columns", bound.column.name)
            raise _mapping_error(work, group, where, first_line(err)) from None
    return group.typed_expressions(con)


def _mapping_error(
    work: _Work, group: Group, place: tuple[str, ...], problem: str
) -> ConfigurationError:
    mapping = group.files[0].landing.mapping
    position = position_of(work.project, work.feed.table, mapping)
    where = setting(work.project, work.feed.table, position, *place)
    return ConfigurationError(f"{where}: {problem}")


def _refuse_typing_errors(
    con: duckdb.DuckDBPyConnection,
    work: _Work,
    groups: Sequence[Group],
    unknown: dict[str, tuple[SourceFile, str, str]],
) -> None:
    """A column that no file of a mapping has is an error of the mapping, not of a file.

    Raises:
        ConfigurationError: see above.
    """
    used = {group.files[0].mapping_digest for group in groups}
    used |= {
        row[0]
        for row in con.execute(
            "select distinct mapping_digest from raw.files where columns is not null"
        ).fetchall()
    }
    for digest, (source, column, problem) in unknown.items():
        if digest not in used:
            position = position_of(
                work.project, work.feed.table, source.landing.mapping
            )
            where = setting(work.project, work.feed.table, position, "columns", column)
            raise ConfigurationError(f"{where}: {source.landing.path}: {problem}")


def _is_first_load(
    con: duckdb.DuckDBPyConnection, feed: Contract, former: Sequence[int]
) -> bool:
    """Whether no row stays that was there before."""
    left = con.execute(
        "select 1 from raw.files where feed = $feed and n_read > 0"
        " and not list_contains($former::integer[], file_id) limit 1",
        {"feed": feed.table, "former": list(former)},
    ).fetchone()
    return left is None


def _file_ids(
    con: duckdb.DuckDBPyConnection, groups: Sequence[Group], changes: Sequence[Change]
) -> dict[str, int]:
    """New numbers: those of a group are consecutive, in the group's order."""
    found = con.execute("select coalesce(max(file_id), 0) from raw.files").fetchone()
    last = found[0] if found else 0
    paths = [source.landing.path for group in groups for source in group.files]
    known = set(paths)
    paths += [one.file.path for one in changes if one.file.path not in known]
    return {path: last + number for number, path in enumerate(paths, start=1)}


def remove(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    feed: Contract,
    entry: ledger.Entry,
) -> int:
    """Take a file's rows and its ledger entry out; the number of rows."""
    con.execute("begin")
    try:
        columns = feed_columns(con).get(feed.table, frozenset())
        settlement = Settlement(con, feed, columns)
        settlement.begin()
        settlement.touch([entry.file_id])
        n_rows = delete(con, feed, [entry.file_id])
        settlement.settle(everything=False, n_files=1)
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")
    quarantine.remove(project, feed, [entry])
    return n_rows


def delete(
    con: duckdb.DuckDBPyConnection, feed: Contract, file_ids: Sequence[int]
) -> int:
    """Delete what came of the files, within a transaction; the number of their rows."""
    given = {"ids": list(file_ids)}
    counted = con.execute(
        sql(
            "delete from {feed} where list_contains($ids, _file_id)",
            feed=identifier("raw", feed.table),
        ),
        given,
    ).fetchone()
    for table in ledger.TABLES:
        con.execute(
            sql(
                "delete from {table} where list_contains($ids, file_id)",
                table=identifier("raw", table),
            ),
            given,
        )
    return counted[0] if counted else 0


def _load_group(
    con: duckdb.DuckDBPyConnection, work: _Work, group: Group, ids: dict[str, int]
) -> None:
    first = ids[group.files[0].landing.path]
    if group.layout.kind in {"parquet", "workbook"}:
        source, rejected = _load_columnar(con, group, first)
    else:
        records.read(con, group)
        if group.layout.kind == "text":
            _learn(con, work, group)
        records.number(con, group, work.reader.scratch)
        source = Sql("select * from _staged where _reject = 0")
        _insert(con, group, first, source)
        rejected = Sql(
            "select _file, _line, _column, _reason, _raw, _masked from _staged"
            " where _reject != 0 union all by name"
            " select _file, _line, null as _column, _reason, _raw, _masked from _unread"
        )
    _keep_rejected(con, work, group, first, rejected)
    for source_file, n_read in zip(group.files, _counted(con, group), strict=True):
        work.n_read[source_file.landing.path] = n_read


def _counted(con: duckdb.DuckDBPyConnection, group: Group) -> list[int]:
    """The records of each file, from what was read and not from what was written."""
    if group.layout.kind in {"parquet", "workbook"}:
        rows = con.execute(
            sql(
                "select file_name, num_rows from parquet_file_metadata([{paths}])",
                paths=group.paths(),
            )
        ).fetchall()
        return [dict(rows)[str(file.readable)] for file in group.files]
    rows = con.execute(
        "select _file, count(*) from (select _file from _typed union all"
        " select _file from _unread) group by _file"
    ).fetchall()
    return [dict(rows).get(place, 0) for place in range(len(group.files))]


def _load_columnar(
    con: duckdb.DuckDBPyConnection, group: Group, first: int
) -> tuple[Sql, Sql]:
    """Insert good and bad rows in one scan, then look again at the bad ones only."""
    source = group.typed(with_rejects=False)
    _insert(con, group, first, source)
    again = sql(
        "select _file, _line, _column, _reason, _raw, _masked from ({typed})"
        " where _reject != 0",
        typed=group.typed(with_rejects=True),
    )
    raw = identifier("raw", group.contract.table)
    bad = con.execute(
        sql("select 1 from {raw} where _reject != 0 limit 1", raw=raw)
    ).fetchone()
    if bad is None:
        return source, sql("{again} and false", again=again)
    con.execute(sql("delete from {raw} where _reject != 0", raw=raw))
    return source, again


def _insert(
    con: duckdb.DuckDBPyConnection, group: Group, first: int, source: Sql
) -> None:
    names = [column.name for column in group.contract.columns]
    names += [day for _, day in group.contract.days]
    con.execute(
        sql(
            "insert into {raw} ({names}, _file_id, _line_no, _reject)"
            " select {names}, _file + {first}, _line, _reject from ({source})",
            raw=identifier("raw", group.contract.table),
            names=listed(identifier(name) for name in names),
            first=literal(first),
            source=source,
        )
    )


def _learn(con: duckdb.DuckDBPyConnection, work: _Work, group: Group) -> None:
    """Whether some files of the group should be read another way.

    Raises:
        _ReadAgain: some should.
    """
    learnt = False
    for place in records.undecoded(con):
        source = group.files[place]
        path = source.landing.path
        if not work.reader.overrides.get(path, Override()).is_encoding_settled:
            encoding = _encoding_of_all(source)
            work.reader.learn(path, is_encoding_settled=True, encoding=encoding)
            learnt = learnt or encoding is not None
    for place in records.cut_records(con):
        learnt = _hold_longer_records(work, group.files[place]) or learnt
    if learnt:
        raise _ReadAgain


def _hold_longer_records(work: _Work, source: SourceFile) -> bool:
    """Read the file with room for the longest record it can have, if that is new.

    What follows an open quote is one record, so all of the file must be held; how much
    that is, a packed file tells only once it is unpacked.
    """
    size = source.readable.stat().st_size
    is_packed = source.landing.compression is not None and not source.is_copy
    needed = max(size, 2 * MAX_LINE_SIZE)
    if not is_packed and size <= MAX_LINE_SIZE:
        return False
    if source.layout.max_line_size >= needed:
        return False
    work.reader.learn(source.landing.path, max_line_size=needed)
    return True


def _encoding_of_all(source: SourceFile) -> str | None:
    """Another encoding than UTF-8 in which the whole file reads better, if any."""
    file = source.landing
    if source.is_copy or file.mapping.encoding is not None:
        return None
    valid, invalid, sample = transcoding.encoding_lines(
        file.absolute, file.compression, 1 << 18
    )
    if valid >= invalid:
        return None
    return next(iter(likely_encodings(sample)), None)


def _keep_rejected(
    con: duckdb.DuckDBPyConnection,
    work: _Work,
    group: Group,
    first: int,
    rejected: Sql,
) -> None:
    con.execute(
        sql(
            "create or replace temporary table _bad as"
            " select _file + {first} as file_id, * exclude (_file) from ({rejected})",
            first=literal(first),
            rejected=rejected,
        )
    )
    con.execute(
        "insert into raw.rejected_rows by name select $feed as feed, file_id,"
        " _line as line_no, _column as column_name, _reason as reason_code,"
        " _masked as raw_text, false as is_late from _bad",
        {"feed": group.contract.table},
    )
    for (file_id,) in con.execute("select distinct file_id from _bad").fetchall():
        file = group.files[file_id - first].landing
        quarantine.write(con, work.project, file, file_id)
    con.execute("drop table _bad")


def _find_culprits(
    con: duckdb.DuckDBPyConnection, work: _Work, group: Group, err: duckdb.Error
) -> None:
    """Find the files that cannot be read, after a statement over all of them failed.

    Raises:
        RunError: every file can be read; the fault lies elsewhere.
    """
    if isinstance(err, duckdb.OutOfMemoryException):
        raise RunError(f"raw.{work.feed.table}: {first_line(err)}") from err
    learnt = False
    for source in group.files:
        path = source.landing.path
        single = replace(group, files=(source,))
        try:
            con.execute(
                sql(
                    "select bit_xor(hash(r)) from ({relation}) as r",
                    relation=single.relation(),
                )
            ).fetchall()
        except duckdb.OutOfMemoryException as again:
            raise RunError(f"raw.{work.feed.table}: {first_line(again)}") from again
        except duckdb.Error as again:
            con.execute("rollback")
            con.execute("begin")
            learnt = True
            known = work.reader.overrides.get(path, Override())
            if group.layout.kind == "text" and not known.same_newlines:
                work.reader.learn(path, same_newlines=True)
            else:
                work.refused[path] = f"cannot be read: {first_line(again)}"
    if not learnt:
        raise RunError(f"raw.{work.feed.table}: {first_line(err)}") from err


def _outcome(work: _Work, path: str, file_id: int) -> ledger.Outcome:
    if path in work.refused:
        return ledger.Outcome(file_id, "refused", work.refused[path], None, None)
    if path in work.empty:
        return ledger.Outcome(file_id, "empty", None, None, 0)
    return ledger.Outcome(
        file_id, "loaded", None, work.columns[path], work.n_read[path]
    )


def _summary(
    con: duckdb.DuckDBPyConnection, work: _Work, n_known: int, new: Sequence[int]
) -> FeedLoad:
    row = con.execute(
        sql(
            "select sum(b.n_read), sum(n_loaded), sum(n_duplicate), sum(n_rejected)"
            " from ({books}) as b inner join raw.files as f"
            " on b.feed = f.feed and b.file = f.path"
            " where list_contains($ids::integer[], f.file_id)",
            books=Sql(select_of(contract("marts", "feed_reconciliation"))),
        ),
        {"ids": list(new)},
    ).fetchone()
    n_read, n_loaded, n_duplicate, n_rejected = (
        int(one or 0) for one in row or [0] * 4
    )
    return FeedLoad(
        feed=work.feed.table,
        n_files=n_known,
        n_new=len(new),
        n_read=n_read,
        n_loaded=n_loaded,
        n_duplicate=n_duplicate,
        n_rejected=n_rejected,
        refused=tuple(sorted(work.refused.items())),
        empty=tuple(sorted(work.empty)),
    )


def feed_columns(con: duckdb.DuckDBPyConnection) -> dict[str, frozenset[str]]:
    """The canonical columns of each feed that is present.

    A feed is present when a file of it has a usable header, rows or not.
    """
    rows = con.execute(
        "select feed, list(distinct name order by name) from (select feed,"
        " unnest(columns) as name from raw.files where columns is not null)"
        " group by feed order by feed"
    ).fetchall()
    return {feed: frozenset(names) for feed, names in rows}
