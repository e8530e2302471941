"""What is new in a feed's folder, loaded with its ledger entries in one transaction.

The order of the steps is such that a killed process loses nothing: files of the
quarantine are written before the commit, and those of former versions are removed after
it. Which files are new is asked of `ingest/ledger.py`; how each is read is found out by
`ingest/batch.py`; which rows count, by `ingest/duplicates.py`.
"""

import datetime
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import duckdb

from ingest import (
    corrections,
    ledger,
    masks,
    moves,
    numbering,
    quarantine,
    replaced_files,
)
from ingest.batch import Batch, ReadAgain
from ingest.duplicates import Settlement
from ingest.joins import Joins, count_rows
from ingest.landing import LandingFile, find_files, shown_place
from ingest.layouts import Reader
from ingest.ledger import MOST_RECORDS
from ingest.raw_tables import feed_columns, prepare
from ingest.relation import IS_REJECTED, LINE, SKIP_ROW, SKIPPED, Group
from ingest.shapes import UNMATCHED
from ingest.sql_text import Sql, identifier, listed, literal, sql
from ingest.workbooks import WorkbookReader
from project.errors import RunError
from project.folder import Project
from sql import machine_faults
from sql.contracts import Contract, contract
from sql.faults import without_values
from sql.selects import any_order, select_of
from sql.transactions import transaction


@dataclass(frozen=True)
class FeedLoad:
    """What loading one feed came to; the counts are of the files that were read now."""

    feed: str
    n_files: int  # that the ledger knows
    n_new: int  # files that were read now, refused and empty ones as well
    n_read: int  # rows, as the files have them; the counts below add up to it
    n_loaded: int
    n_duplicate: int
    n_rejected: int
    n_skipped: int = 0
    refused: tuple[tuple[str, str], ...] = ()  # path, as it may be read, and reason
    empty: tuple[str, ...] = ()
    # Files that left the folder: those whose rows are kept, and those that stand
    # elsewhere, by their names before and after, such as transactions/2026/may.csv.
    vanished: tuple[str, ...] = ()
    moved: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Landed:
    """What lies in the landing folders of all feeds, held against the ledger."""

    files: tuple[LandingFile, ...]
    departures: ledger.Departures
    known: tuple[ledger.Entry, ...]  # what the ledger held before anything was loaded


def look(con: duckdb.DuckDBPyConnection, project: Project) -> Landed:
    """What lies in the landing folders.

    Raises:
        ConfigurationError: as for `find_files`.
    """
    prepare(con)
    files = find_files(project)
    known = ledger.entries(con)
    ledger.note_joined(con, files)
    return Landed(files, ledger.departures(known, files), known)


def load_feed(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    feed: Contract,
    loaded_at: datetime.datetime,
    landed: Landed | None = None,
) -> FeedLoad:
    """Load what is new of one feed, with the ledger entries, in one transaction.

    A file that cannot be read is refused by name and the rest is loaded. A changed
    file replaces all rows of its former version, which are kept aside. A file that was
    moved is followed. What is loaded is known from `loaded_at` on.

    Args:
        con: the warehouse.
        project: the project.
        feed: the feed.
        loaded_at: since when what is loaded is known.
        landed: what lies in the folders of all feeds, where that is known already.

    Raises:
        ConfigurationError: the mapping of the feed is wrong.
        RunError: the machine could not do it, for example for want of memory.
    """
    # Times without a zone are cast, and days are cut, in the session's zone.
    con.execute("set timezone = $zone", {"zone": project.settings.timezone})
    landed = landed or look(con, project)
    gone = landed.departures.of(feed.table)
    known = tuple(entry for entry in landed.known if entry.feed == feed.table)
    if gone.moved or gone.removed:
        columns = feed_columns(con).get(feed.table, frozenset())
        moves.follow(con, project, feed, gone, columns=columns, at=loaded_at)
        known = ledger.entries(con, feed.table)
    files = [file for file in landed.files if file.feed == feed.table]
    changes, touched = ledger.changes(project, known, files, ledger.joined(con))
    ledger.note_times(con, touched)
    n_known = len(
        {entry.path for entry in known} | {change.file.path for change in changes}
    )
    left = FeedLoad(
        feed.table,
        n_known,
        *(0,) * 5,
        vanished=tuple(entry.path for entry in gone.vanished),
        moved=moves.named(con, gone),
    )
    if not changes:
        return left
    with (
        scratch_folder(project) as scratch,
        closing(WorkbookReader(project.settings.limits)) as workbooks,
    ):
        reader = Reader(con, project, feed, scratch, workbooks)
        reader.expect([change.file for change in changes])
        joins = Joins(con, project, feed, scratch, workbooks)
        batch = Batch(con, project, feed, reader, changes, joins.shape)
        with closing(joins):
            ids = _load(batch, loaded_at)
    # Only now: until the transaction is committed, the former versions still count.
    quarantine.remove(
        project, feed, [change.former for change in changes if change.former]
    )
    return _summary(batch, left, list(ids.values()))


def _load(batch: Batch, loaded_at: datetime.datetime) -> dict[str, int]:
    """Load the batch, again after each thing that is found out about its files.

    Each attempt finds out something that is new about one file at least, and there are
    few things to find out, so that this ends.

    Returns:
        The new number of each file, by its path.

    Raises:
        RunError: the fault does not lie with a file.
    """
    while True:
        with suppress(ReadAgain):
            return _attempt(batch, loaded_at)


@contextmanager
def scratch_folder(project: Project) -> Iterator[Path]:
    """A folder for copies that the reader needs; gone afterwards."""
    project.data.mkdir(parents=True, exist_ok=True)
    for left in project.data.glob(".ingest-*"):
        # Of a run that was killed: the warehouse's lock is held, so nobody uses it.
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".ingest-", dir=project.data) as name:
        yield Path(name)


def _attempt(batch: Batch, loaded_at: datetime.datetime) -> dict[str, int]:
    """Load the batch with what is known of its files; their new numbers.

    Raises:
        ReadAgain: a file turned out to be other than was thought.
        RunError: the fault does not lie with a file.
        duckdb.Error: the warehouse is damaged.
    """
    con, feed = batch.con, batch.feed
    groups = batch.groups()
    reading: Group | None = None
    try:
        with transaction(con):
            replaced = [
                change.former.file_id
                for change in batch.changes
                if change.former is not None
            ]
            is_first_load = _is_first_load(con, feed, replaced)
            ids = _file_ids(batch, groups)
            replaced_files.keep(con, feed, replaced, loaded_at)
            columns = feed_columns(con).get(feed.table, frozenset())
            settlement = Settlement(con, feed, columns.union(*batch.columns.values()))
            settlement.begin()
            settlement.touch(replaced)
            ledger.delete(con, feed, replaced)
            for group in groups:
                reading = group
                _load_group(batch, group, ids, loaded_at)
            reading = None
            batch.refuse_changed()
            _enter(batch, ids, loaded_at)
            if not is_first_load:
                settlement.touch(list(ids.values()))
            settlement.settle(everything=is_first_load, n_files=len(batch.columns))
    except duckdb.Error as err:
        # From None: Dagster's log keeps causes, and DuckDB quotes values.
        raise _fault(batch, reading, err) from None
    return ids


def _enter(batch: Batch, ids: Mapping[str, int], loaded_at: datetime.datetime) -> None:
    """Enter in the ledger what became of each file, loaded or not."""
    batch.refuse_useless_corrections()
    outcomes = [
        (change, batch.outcome(change.file.path, ids[change.file.path]))
        for change in batch.changes
    ]
    ledger.enter(batch.con, outcomes, loaded_at)


def _fault(batch: Batch, reading: Group | None, err: duckdb.Error) -> Exception:
    """What to raise for an error of DuckDB, once the load is rolled back.

    It is `ReadAgain` where files of the group can be blamed, and otherwise what is
    wrong in words, or the error itself where the warehouse is damaged.

    Args:
        batch: the batch that was being loaded.
        reading: the group that was being read, if one was.
        err: the error.
    """
    if machine_faults.is_damage(err):
        return err
    if reading is not None:
        try:
            batch.con.execute("select 1")  # a broken database is no fault of a file
            if (
                batch.find_culprits(reading)
                or batch.find_failing_rows(reading)
                or batch.refuse_correction(reading)
            ):
                return ReadAgain()
        except duckdb.Error as worse:
            err = worse
    fault = machine_faults.in_words(err, batch.project.warehouse)
    if fault is not None:
        return fault
    where = _place(batch, reading)
    return RunError(f"{where}: cannot be loaded: {without_values(err)}")


def _place(batch: Batch, reading: Group | None) -> str:
    """What was being loaded when something went wrong, as messages name it."""
    feed = batch.feed.table
    if reading is None:
        return f"the feed {feed}"
    path = masks.path_in_words(batch.con, reading.files[0].landing.path)
    place = shown_place(batch.project, feed, path)
    more = len(reading.files) - 1
    return f"{place} and {more} more like it" if more else place


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


def _file_ids(batch: Batch, groups: Sequence[Group]) -> dict[str, int]:
    """New numbers: those of a group are consecutive, in the group's order."""
    found = batch.con.execute(
        "select coalesce(max(file_id), 0) from (select file_id from raw.files"
        " union all select file_id from raw.former_files)"
    ).fetchone()
    last = found[0] if found else 0
    quarantine.remove_above(batch.project, batch.feed, last)
    paths = [file.landing.path for group in groups for file in group.files]
    known = set(paths)
    paths += [
        change.file.path for change in batch.changes if change.file.path not in known
    ]
    return {path: last + number for number, path in enumerate(paths, start=1)}


def remove(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    feed: Contract,
    entries: Sequence[ledger.Entry],
    at: datetime.datetime,
) -> None:
    """Take the rows of files of a feed and their ledger entries out, in one go.

    Those of their former versions go as well.
    """
    file_ids = [entry.file_id for entry in entries]
    with transaction(con):
        columns = feed_columns(con).get(feed.table, frozenset())
        settlement = Settlement(con, feed, columns)
        settlement.begin()
        settlement.touch(file_ids)
        replaced_files.forget(con, file_ids, at)
        ledger.delete(con, feed, file_ids)
        settlement.settle(everything=False, n_files=len(file_ids))
    quarantine.remove(project, feed, entries)
    quarantine.write_late(con, project, [feed])


def _load_group(
    batch: Batch, group: Group, ids: Mapping[str, int], loaded_at: datetime.datetime
) -> None:
    """Load the files of a group, whose numbers are consecutive.

    Raises:
        ReadAgain: a file turned out to be other than was thought.
        duckdb.Error: a file is to blame, or the machine.
    """
    first = ids[group.files[0].landing.path]
    correction = corrections.read(batch, group)
    if correction is not None:
        put = partial(
            corrections.stand_in, batch, group, correction, ids=ids, at=loaded_at
        )
        counts = _load_shaped(batch, group, first, put)
    elif group.shape:
        counts = _load_shaped(batch, group, first)
    elif group.layout.is_columnar:
        counts = _load_columnar(batch, group, first)
    else:
        counts = _load_text(batch, group, first)
    for file, n_read in zip(group.files, counts, strict=True):
        batch.n_read[file.landing.path] = n_read


def _load_columnar(batch: Batch, group: Group, first: int) -> list[int]:
    """Insert good and bad rows in one scan, then look again at the files with bad ones.

    Returns:
        The rows of each file, as it counts them itself.
    """
    con, raw = batch.con, identifier("raw", group.contract.table)
    with any_order(con):  # rows carry their file and number
        _insert(con, group, first, group.typed(with_rejects=False))
    bad = con.execute(
        sql(
            "select distinct _file_id - {first} from {raw} where {rejected}",
            first=literal(first),
            raw=raw,
            rejected=IS_REJECTED,
        )
    ).fetchall()
    if group.may_skip:
        _count_skipped(
            batch,
            group,
            sql(
                "select _file_id - {first} as _file from {raw} where _reject = {code}",
                first=literal(first),
                raw=raw,
                code=literal(SKIPPED),
            ),
        )
    for (place,) in bad:
        single = replace(group, files=(group.files[place],))
        again = sql(
            "select _file, _line, _column, _reason, _raw, _masked from ({typed})"
            " where {rejected}",
            typed=single.typed(with_rejects=True),
            rejected=IS_REJECTED,
        )
        _keep_rejected(batch, single, first + place, again)
    if bad or group.may_skip:
        con.execute(sql("delete from {raw} where _reject != 0", raw=raw))
    # Counted without any column, which the end of each file tells. What else it says of
    # itself there may be no text.
    rows = con.execute(
        sql(
            "select file_index, count(*) from read_parquet([{paths}],"
            " hive_partitioning = false) group by file_index",
            paths=group.paths(),
        )
    ).fetchall()
    n_rows = dict(rows)
    return [
        n_rows.get(place, 0) - group.layout.skip for place in range(len(group.files))
    ]


def _load_text(batch: Batch, group: Group, first: int) -> list[int]:
    """Read text into a temporary table, from which good and bad rows go their ways.

    Returns:
        The rows of each file, those that could not be split as well.

    Raises:
        ReadAgain: a file turned out to be other than was thought.
    """
    con = batch.con
    numbering.read(con, group)
    batch.learn_of_records(group)
    numbering.number(con, group, batch.reader.scratch, instead=SKIP_ROW)
    _insert(con, group, first, Sql("select * from _staged where _reject = 0"))
    rejected = sql(
        "select _file, _line, _column, _reason, _raw, _masked from _staged"
        " where {rejected} union all by name"
        " select _file, _line, null as _column, _reason, _raw, _masked from _unread"
        " where not _is_skipped",
        rejected=IS_REJECTED,
    )
    _keep_rejected(batch, group, first, rejected)
    if group.may_skip:
        left_out = sql(
            "select _file from _staged where _reject = {code} union all"
            " select _file from _unread where _is_skipped",
            code=literal(SKIPPED),
        )
        _count_skipped(batch, group, left_out)
    rows = con.execute(
        "select _file, count(*) from (select _file from _typed union all"
        " select _file from _unread) group by _file"
    ).fetchall()
    return [dict(rows).get(place, 0) for place in range(len(group.files))]


def numbered_records(batch: Batch, group: Group) -> Sql:
    """The records of a group by their numbers, before anything is made of them.

    Those of text are in the temporary table `_staged`, and what could not be split in
    `_unread`. Where rows fail, or are corrected, `_nth` is the number they go by.

    Raises:
        ReadAgain: a file turned out to be other than was thought.
    """
    records = group.relation()
    if group.files[0].failing or group.files[0].landing.correction:
        records = sql(
            "select *, _line as _nth from ({records})", records=group.numbered()
        )
    if group.layout.is_columnar:
        return records
    numbering.read(batch.con, group, records)
    batch.learn_of_records(group)
    numbering.number(batch.con, group, batch.reader.scratch)
    return Sql("select * from _staged")


def _load_shaped(
    batch: Batch,
    group: Group,
    first: int,
    correction: Callable[[Sql], Sql] | None = None,
) -> list[int]:
    """Read the records, make the rows that the mapping asks for, then load these.

    Records are numbered before: what makes rows of them does not keep their order.

    Args:
        batch: the files that are being loaded.
        group: those to load.
        first: the number of the first of them.
        correction: puts corrections in the places of records.

    Returns:
        The rows of each file, those that could not be split as well.

    Raises:
        ReadAgain: a file turned out to be other than was thought.
    """
    con = batch.con
    records = numbered_records(batch, group)
    unread = Sql("")
    if correction is not None:
        records = correction(records)
    if not group.layout.is_columnar:
        unread = sql(
            " union all by name select _file, {line}, null as _column, _reason, _raw,"
            " _masked from _unread where not _is_skipped",
            line=group.first_line(LINE),
        )
    weighed = group
    if not group.layout.is_columnar and not group.files[0].failing:
        weighed = replace(group, n_records=count_rows(con, Sql("_typed")))
    counts = _insert_shaped(batch, weighed, first, records)
    # What is told of rejected rows is worked out for their records alone.
    bad = sql(
        "select * from ({records}) semi join (select distinct _file,"
        " (_line - 1) // {step} + 1 as _line from _made where {rejected})"
        " using (_file, _line)",
        records=records,
        step=literal(group.shape.step),
        rejected=IS_REJECTED,
    )
    rejected = sql(
        "select _file, _line, _column, _reason, _raw, _masked from ({typed})"
        " where {rejected}{unread}",
        typed=group.typed(with_rejects=True, records=bad),
        rejected=IS_REJECTED,
        unread=unread,
    )
    _keep_rejected(batch, group, first, rejected)
    con.execute("drop table _made")
    if group.shape.explode is not None:
        _count_records(batch, group, records, unread=bool(unread))
    n_unread = _count_unread(batch, group) if unread else {}
    return [
        counts.get(place, 0) + n_unread.get(place, 0)
        for place in range(len(group.files))
    ]


def _insert_shaped(
    batch: Batch, group: Group, first: int, records: Sql
) -> dict[int, int]:
    """Make the rows of the records as the temporary `_made`, and insert the good ones.

    They are made once and counted there. Bad ones never come to the feed's table: rows
    that leave it again within the transaction make DuckDB write all others once more.

    Returns:
        The rows by the place of their file; those left out and unmatched are noted.
    """
    con = batch.con
    rows = group.typed(with_rejects=False, records=records)
    with any_order(con):  # rows carry their file and number
        con.execute(sql("create or replace temporary table _made as {rows}", rows=rows))
        _insert(con, group, first, Sql("select * from _made where _reject = 0"))
    counted = con.execute(
        sql(
            "select _file, count(*), count(*) filter (_reject = {skipped}),"
            " count(*) filter (_reject != {skipped} and {unmatched})"
            " from _made group by _file",
            skipped=literal(SKIPPED),
            unmatched=UNMATCHED if group.shape.joins else Sql("false"),
        )
    ).fetchall()
    for place, _, n_skipped, n_unmatched in counted:
        path = group.files[place].landing.path
        batch.n_skipped[path] = n_skipped
        batch.n_unmatched[path] = n_unmatched
    return {place: n_rows for place, n_rows, _, _ in counted}


def _count_unread(batch: Batch, group: Group) -> dict[int, int]:
    """The records of each file that could not be split; those left out are noted."""
    counted = batch.con.execute(
        "select _file, count(*), count(*) filter (_is_skipped) from _unread"
        " group by _file"
    ).fetchall()
    for place, _, n_skipped in counted:
        path = group.files[place].landing.path
        batch.n_skipped[path] = batch.n_skipped.get(path, 0) + n_skipped
    return {place: n_rows for place, n_rows, _ in counted}


def _count_records(batch: Batch, group: Group, records: Sql, *, unread: bool) -> None:
    """Count the records of each file, each of which becomes several rows."""
    rows = sql("select _file from ({records})", records=records)
    if unread:
        rows = sql("{rows} union all select _file from _unread", rows=rows)
    counted = batch.con.execute(
        sql("select _file, count(*) from ({rows}) group by _file", rows=rows)
    ).fetchall()
    n_records = dict(counted)
    for place, file in enumerate(group.files):
        path, n = file.landing.path, n_records.get(place, 0)
        batch.n_records[path] = n
        if n > MOST_RECORDS:
            batch.refused[path] = (
                f"has more than {MOST_RECORDS:,} records, too many for 'explode'; part"
                " it into several files"
            )
            raise ReadAgain


def _count_skipped(batch: Batch, group: Group, rows: Sql) -> None:
    """Count the rows of each file that the mapping leaves out."""
    counted = batch.con.execute(
        sql("select _file, count(*) from ({rows}) group by _file", rows=rows)
    ).fetchall()
    for place, n_rows in counted:
        batch.n_skipped[group.files[place].landing.path] = n_rows


def _insert(
    con: duckdb.DuckDBPyConnection, group: Group, first: int, rows: Sql
) -> None:
    con.execute(
        sql(
            "insert into {raw} ({names}, _file_id, _line_no, _reject)"
            " select {names}, _file + {first}, _line, _reject from ({rows})",
            raw=identifier("raw", group.contract.table),
            names=listed(identifier(name) for name in group.given),
            first=literal(first),
            rows=rows,
        )
    )


def _keep_rejected(batch: Batch, group: Group, first: int, rejected: Sql) -> None:
    con = batch.con
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
        quarantine.write(con, batch.project, file, file_id, group.shape.step)
    con.execute("drop table _bad")


def _summary(batch: Batch, left: FeedLoad, new: Sequence[int]) -> FeedLoad:
    row = batch.con.execute(
        sql(
            "select sum(b.n_read), sum(n_loaded), sum(n_duplicate), sum(n_rejected),"
            " sum(b.n_skipped)"
            " from ({books}) as b inner join raw.file_names as n"
            " on b.feed = n.feed and b.file = n.shown_path"
            " where list_contains($ids::integer[], n.file_id)",
            books=Sql(select_of(contract("marts", "feed_reconciliation"))),
        ),
        {"ids": list(new)},
    ).fetchone()
    n_read, n_loaded, n_duplicate, n_rejected, n_skipped = (
        int(count or 0) for count in row or [0] * 5
    )
    return replace(
        left,
        n_new=len(new),
        n_read=n_read,
        n_loaded=n_loaded,
        n_duplicate=n_duplicate,
        n_rejected=n_rejected,
        n_skipped=n_skipped,
        refused=tuple(
            (masks.path_in_words(batch.con, path), reason)
            for path, reason in sorted(batch.refused.items())
        ),
        empty=tuple(
            masks.path_in_words(batch.con, path) for path in sorted(batch.empty)
        ),
    )
