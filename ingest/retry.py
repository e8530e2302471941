"""Making correction files: `fenji retry --write`.

For each landing file with rejected rows one file beside it, in which a person mends
their records; the next run reads it (`ingest.corrections`). Nothing is shown of a
record that `rejected_rows` would not show. What stands in such a file already stays.
"""

import csv
import io
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingest import corrections, ledger, masks
from ingest.batch import Batch, ReadAgain
from ingest.corrections import LINE_NO, MARK, REASON
from ingest.joins import Joins
from ingest.landing import LandingFile, correction_place, find_files
from ingest.layouts import Reader
from ingest.ledger import Change
from ingest.load import numbered_records, scratch_folder
from ingest.raw_tables import prepare
from ingest.relation import Group
from ingest.sql_text import Sql, listed, select_named, sql
from ingest.workbooks import WorkbookReader
from project.errors import RunError
from project.folder import Project
from sql.contracts import feeds

# What one record cannot stand in place of: it goes on to the end of the file.
NOT_ONE_RECORD = "unclosed_quote"
# Records that are rejected, or were corrected before.
_ASKED_FOR = Sql(
    "semi join (select _line from _rejected_records"
    " union select line_no from _corrections) using (_line)"
)
_MARK_OF_UTF8 = b"\xef\xbb\xbf"  # else Excel takes the text for another encoding


@dataclass(frozen=True)
class ToCorrect:
    """A landing file with rejected records, and the file that corrects them."""

    feed: str
    file: str  # path below the feed's folder, as it may be read
    correction_file: str | None  # from the project folder on; None: why says it
    n_records: int  # that are rejected and can be corrected
    n_new: int = 0  # of these, those that were not in the correction file yet
    why: str | None = None  # why they cannot be corrected


def to_correct(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    *,
    feed: str | None = None,
    write: bool = False,
) -> tuple[ToCorrect, ...]:
    """The files with rejected records, by feed and path; their correction files.

    Args:
        con: the warehouse.
        project: the project.
        feed: of which feed; None: of all.
        write: whether the correction files are written, or only counted.

    Raises:
        ConfigurationError: as for `find_files`.
        RunError: a correction file cannot be written.
    """
    prepare(con)
    con.execute("set timezone = $zone", {"zone": project.settings.timezone})
    files = {(file.feed, file.path): file for file in find_files(project)}
    known = {entry.file_id: entry for entry in ledger.entries(con, feed)}
    rows = con.execute(
        select_named("retry/rejected"), {"not_one_record": NOT_ONE_RECORD}
    ).fetchall()
    made = []
    for file_id, n_records in rows:
        entry = known.get(file_id)
        if entry is None:
            continue  # of another feed
        file = files.get((entry.feed, entry.path))
        made.append(_of_file(con, project, entry, file, n_records, write=write))
    return tuple(made)


def _of_file(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    entry: ledger.Entry,
    file: LandingFile | None,
    n_records: int,
    *,
    write: bool,
) -> ToCorrect:
    shown = masks.path_in_words(con, entry.path)
    why = None
    if file is None:
        why = "it is gone from its folder; put it back"
    elif ledger.content_digest(file) != entry.content_digest:
        why = "it has changed since; `fenji run` reads it first"
    if why is not None or file is None:
        return ToCorrect(entry.feed, shown, None, n_records, why=why)
    place = correction_place(project, file)
    named = masks.path_in_words(con, _shown_correction(project, place))
    n_new = 0
    if write:
        try:
            n_new = _write(con, project, entry, file, place)
        except _Unusable as err:
            return ToCorrect(entry.feed, shown, None, n_records, why=str(err))
    return ToCorrect(entry.feed, shown, named, n_records, n_new)


class _Unusable(Exception):  # noqa: N818 - the file is told of, it is no error
    """No correction file can be written; the message says why."""


def _shown_correction(project: Project, place: Path) -> str:
    inside = place.is_relative_to(project.root)
    return (place.relative_to(project.root) if inside else place).as_posix()


def _write(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    entry: ledger.Entry,
    file: LandingFile,
    place: Path,
) -> int:
    """Write the correction file of a file; how many records are new in it.

    Raises:
        _Unusable: the file cannot be read, or what stands in its correction file.
        RunError: it cannot be written.
    """
    feed = feeds()[entry.feed]
    with (
        scratch_folder(project) as scratch,
        closing(WorkbookReader(project.settings.limits)) as workbooks,
    ):
        reader = Reader(con, project, feed, scratch, workbooks)
        joins = Joins(con, project, feed, scratch, workbooks)
        change = Change(file, entry.content_digest, entry.mapping_digest, None)
        batch = Batch(con, project, feed, reader, [change], joins.shape)
        con.execute(
            sql(
                "create or replace temporary table _rejected_records as {records}",
                records=select_named("retry/records"),
            ),
            {"file_id": entry.file_id, "not_one_record": NOT_ONE_RECORD},
        )
        with closing(joins):
            correctable = _read(batch, file)
        ((n_new,),) = con.execute(
            sql("select count(*) from ({new})", new=correctable.new())
        ).fetchall()
        if n_new:
            try:
                _save(con, correctable, place, scratch)
                shutil.copymode(_on_disk(file), place)
            except OSError as err:
                raise RunError(f"{place}: cannot be written: {err.strerror}") from None
    return int(n_new)


def _on_disk(file: LandingFile) -> Path:
    """The file itself, or the archive that it lies in."""
    for path in (file.absolute, *file.absolute.parents):
        if path.is_file():
            return path
    return file.absolute


@dataclass(frozen=True)
class _Correctable:
    """The records of a file that was read, and what its correction file holds.

    The records are those of the temporary table `_correctable`, with a column for each
    one of the file that is read; `_corrections` has what was corrected before.
    """

    group: Group
    places: tuple[int, ...]  # of the columns that the correction file has

    @property
    def header(self) -> list[str]:
        """The columns of the correction file."""
        names = [self.group.layout.header[place] for place in self.group.used]
        return [LINE_NO, REASON, MARK, *names]

    def new(self) -> Sql:
        """The rejected records that are not in the correction file."""
        return self._select(
            ("r._line", "null::bigint", "r._line::varchar", "r.reason", "c.mark"),
            lambda place: sql("c.{cell}", cell=corrections.cell(place)),
            Sql(
                "_rejected_records as r inner join _correctable as c"
                " on r._line = c._line anti join _corrections as k"
                " on c._line = k.line_no and c.given_mark = k.mark"
            ),
        )

    def old(self) -> Sql:
        """The corrections that were there, with the columns that they had not."""
        return self._select(
            (
                "k.line_no",
                "k.row_no",
                "k.given_line_no",
                "k.given_reason",
                "coalesce(c.mark, k.mark)",
            ),
            lambda place: sql(
                "{row}.{cell}",
                row=Sql("k" if place in self.places else "c"),
                cell=corrections.cell(place),
            ),
            Sql(
                "_corrections as k left join _correctable as c"
                " on k.line_no = c._line and k.mark = c.given_mark"
            ),
        )

    def _select(
        self, columns: Sequence[str], column: Callable[[int], Sql], rows: Sql
    ) -> Sql:
        cells = [
            sql("{given} as {cell}", given=column(place), cell=corrections.cell(place))
            for place in self.group.used
        ]
        names = ("line", "row_no", "given_line_no", "reason", "mark")
        named = [
            sql("{given} as {name}", given=Sql(given), name=Sql(f"_{name}"))
            for given, name in zip(columns, names, strict=True)
        ]
        return sql(
            "select {columns} from {rows}", columns=listed([*named, *cells]), rows=rows
        )


def _read(batch: Batch, file: LandingFile) -> _Correctable:
    """Read a file and its correction file.

    Raises:
        _Unusable: one of them cannot be read.
    """
    while True:
        with suppress(ReadAgain):
            groups = batch.groups()
            if not groups:
                raise _Unusable(f"it {batch.refused.get(file.path, 'is empty')}")
            try:
                return _of_group(batch, groups[0])
            except duckdb.Error:
                if not batch.find_culprits(groups[0]):
                    raise


def _of_group(batch: Batch, group: Group) -> _Correctable:
    """Read a file, after its correction file was read.

    Raises:
        ReadAgain: a file turned out to be other than was thought.
        _Unusable: the correction file cannot be read.
    """
    con, correction = batch.con, group.files[0].landing.correction
    found = corrections.read(batch, group)
    if correction is not None and correction.path in batch.refused:
        raise _Unusable(f"its correction file {batch.refused[correction.path]}")
    if found is None:
        con.execute(
            "create or replace temporary table _corrections (row_no bigint, line_no"
            " bigint, mark varchar, given_line_no varchar, given_reason varchar)"
        )
    elif con.execute("select 1 from _broken_corrections limit 1").fetchone():
        raise _Unusable("its correction file has rows that cannot be read; mend them")
    places = found.places if found is not None else ()
    records = numbered_records(batch, group)
    cells = [
        sql(
            "{shown} as {cell}",
            shown=corrections.shown(group, place),
            cell=corrections.cell(place),
        )
        for place in group.used
    ]
    con.execute(
        sql(
            "create or replace temporary table _correctable as"
            " select {columns} from ({records}) {only}",
            only=_ASKED_FOR,
            columns=listed(
                [
                    Sql("_line"),
                    sql("{mark} as mark", mark=corrections.mark(group, group.used)),
                    # That which the correction file gives, with fewer columns maybe.
                    sql("{mark} as given_mark", mark=corrections.mark(group, places)),
                    *cells,
                ]
            ),
            records=records,
        )
    )
    if not group.layout.is_columnar:
        con.execute(
            sql(
                "insert into _correctable by name select _line, {mark} as mark,"
                " {mark} as given_mark"
                " from (from _unread where not _is_skipped) {only}",
                only=_ASKED_FOR,
                mark=corrections.mark_of_unread(Sql("_raw"), Sql("_masked")),
            )
        )
    return _Correctable(group, places)


def _save(
    con: duckdb.DuckDBPyConnection,
    correctable: _Correctable,
    place: Path,
    scratch: Path,
) -> None:
    """Write the correction file anew, at once.

    Raises:
        OSError: it cannot be written.
    """
    rows = scratch / "rows.csv"
    con.sql(
        sql(
            "select * exclude (_line, _row_no) from ({old} union all {new})"
            " order by _line nulls last, _row_no nulls last",
            old=correctable.old(),
            new=correctable.new(),
        )
    ).write_csv(str(rows), header=False)
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(correctable.header)
    # Another name while it is written: no run reads half of it.
    unfinished = place.with_name(f".{place.name}.part")
    with unfinished.open("wb") as stream, rows.open("rb") as written:
        stream.write(_MARK_OF_UTF8 + header.getvalue().encode())
        shutil.copyfileobj(written, stream)
    unfinished.replace(place)
