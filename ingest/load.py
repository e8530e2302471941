"""What is new in one feed's folder, loaded with its ledger entries in one transaction."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import duckdb

from ingest import ledger
from ingest.expressions import RefusedExpression, columns_of
from ingest.landing import PARQUET, LandingFile, find_files
from ingest.ledger import Change
from ingest.mapping import (
    Bound,
    UnusableHeader,
    bind,
    find_column,
    position_of,
    wanted_names,
)
from ingest.mapping import field as setting
from ingest.sniffing import Empty, Unreadable, known_judge, read_head, sniff
from ingest.sources import Group, Layout, SourceFile
from ingest.statements import Sql, identifier, listed, literal, sql
from project.errors import ConfigurationError
from project.folder import Project
from project.settings import Expression
from sql.contracts import Contract


@dataclass(frozen=True)
class FeedLoad:
    """What loading one feed came to; the counts are of the files that were read now."""

    feed: str
    n_files: int  # known in all
    n_new: int
    n_read: int
    n_loaded: int
    n_duplicate: int
    n_rejected: int
    refused: tuple[tuple[str, str], ...] = ()  # path and reason
    empty: tuple[str, ...] = ()


@dataclass
class _Work:
    """What is known of the files of a feed while they are being read."""

    project: Project
    contract: Contract
    scratch: Path
    refused: dict[str, str] = field(default_factory=dict)
    empty: set[str] = field(default_factory=set)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    n_read: dict[str, int] = field(default_factory=dict)


def load_feed(
    con: duckdb.DuckDBPyConnection, project: Project, contract: Contract
) -> FeedLoad:
    """Load what is new of one feed, with the ledger entries, in one transaction.

    A file that cannot be read is refused by name and the rest is loaded. A changed
    file replaces all rows of its former version.

    Raises:
        ConfigurationError: the mapping of the feed is wrong.
    """
    ledger.prepare(con)
    files = find_files(project, feed=contract.table)
    known = ledger.entries(con, contract.table)
    changes, touched = ledger.changes(project, known, files)
    with _scratch(project) as scratch:
        work = _Work(project, contract, scratch)
        sources = [
            source for change in changes if (source := _prepare(con, work, change))
        ]
        groups = _groups(con, work, sources)
        con.execute("begin")
        try:
            for entry, file in touched:
                con.execute(
                    "update raw.files set size = $size, mtime_ns = $mtime_ns"
                    " where file_id = $file_id",
                    {
                        "size": file.size,
                        "mtime_ns": file.mtime_ns,
                        "file_id": entry.file_id,
                    },
                )
            former = [one.former.file_id for one in changes if one.former is not None]
            if former:
                _delete(con, contract, former)
            ids = _file_ids(con, groups, changes)
            for group in groups:
                _load_group(con, work, group, ids)
            for change in changes:
                _enter(con, work, change, ids[change.file.path])
        except BaseException:
            con.execute("rollback")
            raise
        con.execute("commit")
    new = [ids[change.file.path] for change in changes]
    return _summary(con, work, len(known), new)


@contextmanager
def _scratch(project: Project) -> Iterator[Path]:
    """A folder for copies that the reader needs; gone afterwards."""
    project.data.mkdir(parents=True, exist_ok=True)
    for left in project.data.glob(".ingest-*"):
        # Of a run that was killed: the warehouse's lock is held, so nobody uses it.
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".ingest-", dir=project.data) as name:
        yield Path(name)


def _prepare(
    con: duckdb.DuckDBPyConnection, work: _Work, change: Change
) -> SourceFile | None:
    """The file ready to be read, None where it is empty or refused."""
    file = change.file
    try:
        layout, readable = _layout(con, work, file)
    except Empty:
        work.empty.add(file.path)
        return None
    except Unreadable as err:
        work.refused[file.path] = str(err)
        return None
    return SourceFile(file, change.digest, change.mapping_digest, layout, readable)


def _layout(
    con: duckdb.DuckDBPyConnection, work: _Work, file: LandingFile
) -> tuple[Layout, Path]:
    if not file.is_known and file.mapping.files is None:
        raise Unreadable(f"is of an unknown kind: .{file.extension}")
    if file.size == 0:
        raise Empty
    if file.extension in PARQUET:
        return _parquet_layout(con, file), file.absolute
    head = read_head(file.absolute, file.compression)
    dialect = sniff(
        head,
        judge=known_judge(
            _wanted(work, file), lambda header: _usable(work, file, header)
        ),
        encoding=file.mapping.encoding,
        delimiter=file.mapping.delimiter,
        header_row=file.mapping.header_row,
    )
    readable = file.absolute
    layout = Layout(
        kind="text",
        header=dialect.header,
        types=("VARCHAR",) * len(dialect.header),
        delimiter=dialect.delimiter,
        skip=dialect.header_row,
    )
    return layout, readable


def _parquet_layout(con: duckdb.DuckDBPyConnection, file: LandingFile) -> Layout:
    try:
        rows = con.execute(
            sql(
                "describe select * from read_parquet({path}, hive_partitioning = false)",
                path=literal(str(file.absolute)),
            )
        ).fetchall()
    except duckdb.Error as err:
        raise Unreadable(f"is no Parquet file: {_first_line(err)}") from None
    return Layout(
        "parquet",
        tuple(str(row[0]) for row in rows),
        tuple(str(row[1]) for row in rows),
    )


def _first_line(err: Exception) -> str:
    return str(err).splitlines()[0].partition("Error: ")[2] or str(err).splitlines()[0]


def _expression_columns(work: _Work, file: LandingFile) -> list[str]:
    names: list[str] = []
    for column, source in file.mapping.columns.items():
        if isinstance(source, Expression):
            try:
                names.extend(columns_of(source.expr))
            except RefusedExpression as err:
                raise _expression_error(work, file, column, err) from None
    return names


def _expression_error(
    work: _Work, file: LandingFile, column: str, err: Exception
) -> ConfigurationError:
    position = position_of(work.project, file.feed, file.mapping)
    where = setting(work.project, file.feed, position, "columns", column)
    return ConfigurationError(f"{where}: {err}")


def _wanted(work: _Work, file: LandingFile) -> frozenset[str]:
    return wanted_names(work.contract, file.mapping, _expression_columns(work, file))


def _usable(work: _Work, file: LandingFile, header: Sequence[str]) -> bool:
    try:
        bind(work.contract, file.mapping, header)
    except UnusableHeader:
        return False
    return all(
        find_column(header, name) is not None
        for name in _expression_columns(work, file)
    )


def _groups(
    con: duckdb.DuckDBPyConnection, work: _Work, sources: Sequence[SourceFile]
) -> list[Group]:
    """Files of equal layout and mapping, read together."""
    usable: list[tuple[SourceFile, tuple[Bound, ...]]] = []
    for source in sources:
        file = source.landing
        try:
            bounds = bind(work.contract, file.mapping, source.layout.header)
        except UnusableHeader as err:
            work.refused[file.path] = str(err)
            continue
        usable.append((source, bounds))

    def likeness(one: tuple[SourceFile, tuple[Bound, ...]]) -> str:
        return repr((one[0].layout, one[0].mapping_digest))

    groups = []
    for _, together in groupby(sorted(usable, key=likeness), key=likeness):
        members = list(together)
        first = members[0][0]
        group = Group(
            contract=work.contract,
            mapping=first.landing.mapping,
            layout=first.layout,
            bounds=members[0][1],
            files=tuple(source for source, _ in members),
        )
        try:
            groups.append(group.typed_expressions(con))
        except (RefusedExpression, duckdb.Error) as err:
            raise _expression_error(work, first.landing, "", err) from None
    for group in groups:
        for source in group.files:
            work.columns[source.landing.path] = tuple(
                bound.column.name for bound in group.bounds
            )
    return groups


def _file_ids(
    con: duckdb.DuckDBPyConnection, groups: Sequence[Group], changes: Sequence[Change]
) -> dict[str, int]:
    """New numbers: those of a group are consecutive, in the group's order."""
    (last,) = con.execute(
        "select coalesce(max(file_id), 0) from raw.files"
    ).fetchone() or (0,)
    paths = [source.landing.path for group in groups for source in group.files]
    paths += [change.file.path for change in changes if change.file.path not in paths]
    return {path: last + number for number, path in enumerate(paths, start=1)}


def remove(
    con: duckdb.DuckDBPyConnection, project: Project, contract: Contract, file_id: int
) -> int:
    """Take a file's rows and its ledger entry out; the number of rows."""
    con.execute("begin")
    try:
        n_rows = _delete(con, contract, [file_id])
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")
    del project
    return n_rows


def _delete(
    con: duckdb.DuckDBPyConnection, contract: Contract, file_ids: Sequence[int]
) -> int:
    """Delete what came of the files; the number of their rows."""
    given = {"ids": list(file_ids)}
    counted = con.execute(
        sql(
            "delete from {feed} where list_contains($ids, _file_id)",
            feed=identifier("raw", contract.table),
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
    table = identifier(group.contract.table)
    names = _raw_columns(group.contract)
    if group.layout.kind == "parquet":
        con.execute(
            sql(
                "insert into raw.{table} ({names}, _file_id, _line_no, _reject)"
                " select {names}, _file + {first}, _line, _reject from ({typed})",
                table=table,
                names=names,
                first=literal(first),
                typed=group.typed(with_rejects=False),
            )
        )
        rejected = sql(
            "select _file, _line, _column, _reason, _masked from ({typed})"
            " where _reject != 0",
            typed=group.typed(with_rejects=True),
        )
        _keep_rejected(con, group, first, rejected)
        con.execute(sql("delete from raw.{table} where _reject != 0", table=table))
    else:
        _stage_text(con, group)
        con.execute(
            sql(
                "insert into raw.{table} ({names}, _file_id, _line_no, _reject)"
                " select {names}, _file + {first}, _line, _reject from _staged"
                " where _reject = 0",
                table=table,
                names=names,
                first=literal(first),
            )
        )
        _keep_rejected(
            con,
            group,
            first,
            Sql(
                "select _file, _line, _column, _reason, _masked from _staged"
                " where _reject != 0"
            ),
        )
    counts = con.execute(
        sql(
            "select _file_id, count(*) from (select _file_id from raw.{table}"
            " where _file_id >= {first} union all select file_id from raw.rejected_rows"
            " where file_id >= {first}) group by _file_id",
            table=table,
            first=literal(first),
        )
    ).fetchall()
    by_id = dict(counts)
    for source in group.files:
        path = source.landing.path
        work.n_read[path] = by_id.get(ids[path], 0)


def _raw_columns(contract: Contract) -> Sql:
    names = [column.name for column in contract.columns]
    names += [day for _, day in contract.days]
    return listed(identifier(name) for name in names)


def _stage_text(con: duckdb.DuckDBPyConnection, group: Group) -> None:
    con.execute("drop table if exists _typed")
    con.execute(
        sql(
            "create temporary table _typed as {typed}",
            typed=group.typed(with_rejects=True),
        )
    )
    con.execute(
        "create or replace temporary view _staged as"
        " select t.* exclude (_line), t.rowid - f.first + 1 as _line from _typed as t"
        " inner join (select _file, min(rowid) as first from _typed group by _file) as f"
        " on t._file = f._file"
    )


def _keep_rejected(
    con: duckdb.DuckDBPyConnection, group: Group, first: int, rejected: Sql
) -> None:
    con.execute(
        sql(
            "insert into raw.rejected_rows by name select {feed} as feed,"
            " _file + {first} as file_id, _line as line_no, _column as column_name,"
            " _reason as reason_code, _masked as raw_text, false as is_late"
            " from ({rejected})",
            feed=literal(group.contract.table),
            first=literal(first),
            rejected=rejected,
        )
    )


def _enter(
    con: duckdb.DuckDBPyConnection, work: _Work, change: Change, file_id: int
) -> None:
    file = change.file
    status, reason = "loaded", None
    n_read: int | None = work.n_read.get(file.path, 0)
    if file.path in work.refused:
        status, reason, n_read = "refused", work.refused[file.path], None
    elif file.path in work.empty:
        status, n_read = "empty", 0
    columns = work.columns.get(file.path)
    con.execute(
        "insert into raw.files by name select $file_id as file_id, $feed as feed,"
        " $path as path, $size as size, $mtime_ns as mtime_ns,"
        " $content_digest as content_digest, $mapping_digest as mapping_digest,"
        " $status as status, $reason as reason, $columns::varchar[] as columns,"
        " $n_read as n_read",
        {
            "file_id": file_id,
            "feed": file.feed,
            "path": file.path,
            "size": file.size,
            "mtime_ns": file.mtime_ns,
            "content_digest": change.digest,
            "mapping_digest": change.mapping_digest,
            "status": status,
            "reason": reason,
            "columns": list(columns) if columns is not None else None,
            "n_read": n_read,
        },
    )


def _summary(
    con: duckdb.DuckDBPyConnection, work: _Work, n_known: int, new: Sequence[int]
) -> FeedLoad:
    n_read = sum(work.n_read.values())
    row = con.execute(
        "select count(*) from raw.rejected_rows where list_contains($ids, file_id)",
        {"ids": list(new)},
    ).fetchone()
    n_rejected = row[0] if row else 0
    return FeedLoad(
        feed=work.contract.table,
        n_files=n_known + len(new),
        n_new=len(new),
        n_read=n_read,
        n_loaded=n_read - n_rejected,
        n_duplicate=0,
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
