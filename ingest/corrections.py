"""Corrections: what stands in place of records of a landing file.

A correction file lies beside the file that it corrects and is named after it
(`ingest.landing`). Each of its rows names a record by its number, and by a mark that
tells whether the record is still what it was; the other columns are those of the file
that are read. A cell that shows of the record what may be shown of it leaves the value
as it is, so that a masked one need not be known to be kept.

The records are replaced as they are read, before the mapping makes anything of them:
afterwards all is as if the file had always held them so. `ingest.retry` writes the
files.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp

import duckdb

from ingest import masks, numbering, quarantine, replaced_files
from ingest.batch import Batch, ReadAgain
from ingest.landing import LandingFile
from ingest.layouts import Reader
from ingest.ledger import Change
from ingest.mapping import find_column
from ingest.rejections import REASONS, as_csv
from ingest.relation import OUTSIDE, Group
from ingest.sniffing import Empty
from ingest.sql_text import Sql, identifier, listed, literal, select_named, sql
from ingest.unpacking import Unreadable
from project.mappings import FeedMapping
from sql.contracts import Column
from sql.selects import column_names

# The columns of a correction file beside those of the file that it corrects.
LINE_NO, REASON, MARK = "fenji_line_no", "fenji_reason", "fenji_mark"
_MARK_SIGNS = 12  # of a digest: equal ones of one record's number are one record
_FEW_SIGNS = 2  # of a digest of text that is not to be guessed by it


@dataclass(frozen=True)
class Correction:
    """A correction file that was read, as the temporary table `_corrections`."""

    file: LandingFile
    places: tuple[int, ...]  # of the columns of the other file that it has


def mark(group: Group, places: Sequence[int]) -> Sql:
    """By what a record is known again: a digest of what is shown of it.

    Only of that: a digest of masked values would tell them to who can try all of them.

    Args:
        group: the file of the record.
        places: of the columns that the correction file has.
    """
    cells = listed(
        sql("coalesce({cell}, '')", cell=shown(group, place)) for place in places
    )
    made = sql(
        "left(md5(array_to_string([{cells}]::varchar[], chr(31))), {n})",
        cells=cells,
        n=literal(_MARK_SIGNS),
    )
    if not group.has_text:
        return made
    return sql(
        "case when _unreadable then {unread} else {made} end",
        unread=mark_of_unread(Sql("_text"), masks.shape(Sql("_text"))),
        made=made,
    )


def mark_of_unread(raw: Sql, masked: Sql) -> Sql:
    """By what a record is known again that could not be split: by its shape.

    The few signs of all its text part two of one shape, and tell nobody what it is.
    """
    return sql(
        "left(md5({masked}), {n}) || left(md5({raw}), {few})",
        masked=masked,
        raw=raw,
        n=literal(_MARK_SIGNS - _FEW_SIGNS),
        few=literal(_FEW_SIGNS),
    )


def shown(group: Group, place: int) -> Sql:
    """What a correction file shows of a column of a record."""
    return group.shows[place].text(group.columns[place])


def read(batch: Batch, group: Group) -> Correction | None:
    """Read the correction file of a group of one file; None where there is none to use.

    One that cannot be used is refused, and the records stay as they are.

    Raises:
        ReadAgain: a file turned out to be other than was thought.
    """
    file = group.files[0].landing.correction
    if file is None or file.path in batch.refused or file.path in batch.empty:
        return None
    try:
        own = _group(batch, file)
        places = _places(group, own.layout.header)
    except Empty:
        batch.empty.add(file.path)
        return None
    except Unreadable as err:
        batch.refused[file.path] = str(err)
        return None
    _gather(batch, own, places)
    return Correction(file, tuple(places))


def _group(batch: Batch, file: LandingFile) -> Group:
    """The records of a correction file, numbered, as the temporary table `_staged`.

    Raises:
        Empty: it holds nothing.
        Unreadable: it is no correction file.
    """
    columns = tuple(
        Column(name=name, type="text", about="", required=True)
        for name in (LINE_NO, MARK)
    )
    form = batch.feed.model_copy(
        update={"columns": columns, "key": (), "agree": (), "customer": None}
    )
    scratch = Path(mkdtemp(prefix="corrections-", dir=batch.reader.scratch))
    reader = Reader(batch.con, batch.project, form, scratch, batch.reader.workbooks)
    # It is read by no mapping, and here as any other file.
    plain = replace(file, mapping=FeedMapping(), is_correction=False)
    made = Batch(batch.con, batch.project, form, reader, [Change(plain, "", "", None)])
    while True:
        with suppress(ReadAgain):
            groups = made.groups()
            if file.path in made.empty:
                raise Empty
            if not groups:
                raise Unreadable(_why(made.refused[file.path]))
            try:
                numbering.read(made.con, groups[0], groups[0].relation())
                made.learn_of_records(groups[0])
                numbering.number(made.con, groups[0], scratch)
            except duckdb.Error:
                if made.find_culprits(groups[0]):
                    continue
                raise
            return groups[0]


def _why(refused: str) -> str:
    if not refused.startswith("no column for"):
        return refused
    return (
        f"has no columns {LINE_NO} and {MARK}; put it elsewhere, and `fenji retry"
        " --write` makes one that has"
    )


def _places(group: Group, header: Sequence[str]) -> dict[int, int]:
    """Where the columns of the file that is corrected stand in its correction file.

    Raises:
        Unreadable: a column is none of that file.
    """
    places: dict[int, int] = {}
    for place, name in enumerate(header):
        if find_column((name,), LINE_NO) == 0 or find_column((name,), MARK) == 0:
            continue
        found = find_column(group.layout.header, name)
        if found is not None and found in group.used:
            places[found] = place
        elif find_column((name,), REASON) is None and name.strip():
            raise Unreadable(
                f"has a column {place + 1} that is none of the file that it corrects,"
                " or that nothing is read of; remove it"
            )
    return dict(sorted(places.items()))


def _gather(batch: Batch, own: Group, places: dict[int, int]) -> None:
    """Make `_corrections` of the records that were read, before others are read."""
    header, con = own.layout.header, batch.con

    def column(name: str) -> Sql:
        place = find_column(header, name)
        return Sql("null::varchar") if place is None else own.columns[place]

    codes = listed(literal(code) for code in REASONS)
    names = listed(literal(column.name) for column in batch.feed.columns)
    con.execute(
        sql(
            "create or replace temporary table _corrections as select _line as row_no,"
            " try_cast(trim({line_no}) as bigint) as line_no, trim({mark}) as mark,"
            " list_filter([regexp_extract({reason}, '([a-z_]+)$', 1)],"
            " lambda code: code in ({codes}))[1] as reason_code,"
            " list_filter([regexp_extract({reason}, '^([a-z_0-9]+):', 1)],"
            " lambda name: name in ({names}))[1] as column_name,"
            " {line_no} as given_line_no, {reason} as given_reason,"
            " {whole} as whole{cells} from _staged",
            line_no=column(LINE_NO),
            mark=column(MARK),
            reason=column(REASON),
            codes=codes,
            names=names,
            whole=as_csv(own.own_columns),
            cells=_each(
                sql(
                    "nullif({given}, '') as {cell}",
                    given=own.columns[place],
                    cell=cell(index),
                )
                for index, place in places.items()
            ),
        )
    )
    con.execute(
        "create or replace temporary table _broken_corrections as"
        " select _line, null::varchar as _column, _reason, _raw, _masked from _unread"
    )


def _each(columns: Iterable[Sql]) -> Sql:
    """Further columns of a select."""
    return Sql("".join(f", {column}" for column in columns))


def cell(index: int) -> Sql:
    """What `_corrections` calls a column of the file, by its place there."""
    return Sql(f"k{index}")


def _is_changed(index: int) -> Sql:
    return Sql(f"is_changed_{index}")


@dataclass(frozen=True)
class _Given:
    """A correction file that is applied, and by what numbers it is known."""

    batch: Batch
    group: Group
    correction: Correction
    file_id: int
    correction_id: int
    former_ids: tuple[int, ...]  # of what the file held before
    at: datetime.datetime


def stand_in(
    batch: Batch,
    group: Group,
    correction: Correction,
    records: Sql,
    *,
    ids: Mapping[str, int],
    at: datetime.datetime,
) -> Sql:
    """The records of a file with the corrections in their places.

    What becomes of each correction is noted. Records that could not be split and are
    corrected leave `_unread`.

    Args:
        batch: the files that are being loaded.
        group: the file.
        correction: as `read` found it.
        records: those of the file with their numbers, and `_nth`.
        ids: the numbers of the files.
        at: since when a correction is known that was not known before.
    """
    path = group.files[0].landing.path
    given = _Given(
        batch,
        group,
        correction,
        ids[path],
        ids[correction.file.path],
        tuple(
            change.former.file_id
            for change in batch.changes
            if change.file.path == path and change.former is not None
        ),
        at,
    )
    _make_originals(given, records)
    _judge(given)
    _make_corrected(given)
    _note(given)
    _keep_unusable(given)
    return sql(
        "select * from ({records}) anti join _corrected using (_line)"
        " union all by name select * from _corrected",
        records=records,
    )


def _make_originals(given: _Given, records: Sql) -> None:
    """Make `_originals`: the records that corrections name, as the file has them."""
    con, group = given.batch.con, given.group
    con.execute(
        sql(
            "create or replace temporary table _originals as"
            " select *, {whole} as _whole, {mark} as _mark from ({records})"
            " semi join (select line_no as _line from _corrections) using (_line)",
            whole=group.whole,
            mark=mark(group, given.correction.places),
            records=records,
        )
    )
    if group.layout.is_columnar:
        return
    con.execute(
        sql(
            "insert into _originals by name select _file, _line, _raw as _whole,"
            " {mark} as _mark from _unread where not _is_skipped"
            " and _line in (select line_no from _corrections)",
            mark=mark_of_unread(Sql("_raw"), Sql("_masked")),
        )
    )


def _judge(given: _Given) -> None:
    """Make `_judged_corrections`: which can be used, and which cells they change."""
    group, places = given.group, given.correction.places
    con = given.batch.con
    changes = [
        sql(
            "k.{cell} is distinct from nullif({shown}, '')"
            " and k.{cell} is distinct from cast(o.{column} as varchar) as {changed}",
            cell=cell(place),
            shown=shown(group, place),
            column=group.columns[place],
            changed=_is_changed(place),
        )
        for place in places
    ]
    problems = [
        (
            literal("no_such_record"),
            literal(LINE_NO),
            Sql("not coalesce(is_there, false)"),
        )
    ]
    for place in places:
        name = literal(_canonical(group, place))
        parts = {
            "changed": _is_changed(place),
            "cell": cell(place),
            "mask": literal(masks.MASK),
            "kind": Sql(group.types[place]),
        }
        is_masked = sql("{changed} and contains({cell}, {mask})", **parts)
        # What is blank is of every type.
        is_other = sql(
            "{changed} and {cell} is not null and try_cast({cell} as {kind}) is null",
            **parts,
        )
        problems.append((literal("masked_value"), name, is_masked))
        problems.append((literal("not_of_type"), name, is_other))
    con.execute(
        sql(
            "create or replace temporary table _correction_cells as select k.*,"
            " o._line is not null and k.mark = o._mark as is_there,"
            " o._whole as own_whole{changes}"
            " from _corrections as k left join _originals as o on k.line_no = o._line",
            changes=_each(changes),
        )
    )
    con.execute(
        sql(
            "create or replace temporary table _correction_problems as select *,"
            " {touched} as is_touched, case {problems} end as problem,"
            " case {columns} end as problem_column from _correction_cells",
            touched=listed(
                [Sql("false"), *(_is_changed(place) for place in places)], " or "
            ),
            problems=listed(
                (
                    sql("when {so} then {told}", so=condition, told=reason)
                    for reason, _, condition in problems
                ),
                " ",
            ),
            columns=listed(
                (
                    sql("when {so} then {told}", so=condition, told=name)
                    for _, name, condition in problems
                ),
                " ",
            ),
        )
    )
    con.execute(
        sql(
            "create or replace temporary table _judged_corrections as {judged}",
            judged=select_named("corrections/judged"),
        )
    )


def _canonical(group: Group, place: int) -> str | None:
    """The first column of the feed that a column of the file becomes."""
    for bound in group.bounds:
        if bound.index == place:
            return bound.column.name
    return None


def _make_corrected(given: _Given) -> None:
    """Make `_corrected`: records as the corrections have them."""
    con, group = given.batch.con, given.group
    values = [
        sql(
            "case when k.{changed} then try_cast(k.{cell} as {kind})"
            " else o.{column} end as {column}",
            changed=_is_changed(place),
            cell=cell(place),
            kind=Sql(group.types[place]),
            column=group.columns[place],
        )
        for place in given.correction.places
    ]
    # Rows that ended a query before were corrected since.
    values.append(Sql("0 as _nth"))
    if group.is_cut:
        values.append(sql("coalesce(o.{outside}, false) as {outside}", outside=OUTSIDE))
    if group.has_text:
        values.append(Sql("false as _unreadable"))
    con.execute(
        sql(
            "create or replace temporary table _corrected as select"
            " o.* exclude (_whole, _mark) replace ({values})"
            " from _originals as o inner join _judged_corrections as k"
            " on o._line = k.line_no"
            " where k.is_used",
            values=listed(values),
        )
    )
    if group.has_text:
        con.execute(
            sql("update _corrected set _text = {text}", text=group.written_anew())
        )
    if not group.layout.is_columnar:
        con.execute("delete from _unread where _line in (select _line from _corrected)")


def _note(given: _Given) -> None:
    """Remember which records are corrected, by what, and since when that is known."""
    con = given.batch.con
    former = identifier(replaced_files.SCHEMA, "corrected_records")
    if not column_names(con, f"{replaced_files.SCHEMA}.corrected_records"):
        former = identifier("raw", "corrected_records")
    con.execute(
        sql(
            "insert into raw.corrected_records by name"
            " with noted as (select $file_id as file_id, k.line_no, k.column_name,"
            " k.reason_code, $correction_id as correction_id,"
            " k.row_no as correction_line_no,"
            " md5(k.own_whole || chr(10) || c.whole) as content_digest"
            " from _judged_corrections as k inner join"
            " (select _line, {whole} as whole from _corrected) as c"
            " on k.line_no = c._line where k.is_used)"
            " select noted.*, coalesce((select min(f.known_from) from {former} as f"
            " where list_contains($former_ids::integer[], f.file_id)"
            " and f.line_no = noted.line_no"
            " and f.content_digest = noted.content_digest), $at) as known_from"
            " from noted",
            whole=given.group.whole,
            former=former,
        ),
        {
            "file_id": given.file_id,
            "correction_id": given.correction_id,
            "former_ids": list(given.former_ids),
            "at": given.at,
        },
    )


def _keep_unusable(given: _Given) -> None:
    """Reject the corrections that cannot be used, and count all that there are."""
    batch, file = given.batch, given.correction.file
    con = batch.con
    con.execute(
        sql(
            "create or replace temporary table _bad as"
            " select {id}::integer as file_id, row_no as _line,"
            " problem_column as _column, problem as _reason, whole as _raw,"
            " cast(line_no as varchar) as _masked from _judged_corrections"
            " where problem is not null union all by name"
            " select {id}::integer as file_id, * from _broken_corrections",
            id=literal(given.correction_id),
        )
    )
    con.execute(
        "insert into raw.rejected_rows by name select $feed as feed, file_id,"
        " _line as line_no, _column as column_name, _reason as reason_code,"
        " _masked as raw_text, false as is_late from _bad",
        {"feed": batch.feed.table},
    )
    ((n_read, n_bad),) = con.execute(
        "select (select count(*) from _judged_corrections)"
        " + (select count(*) from _broken_corrections), (select count(*) from _bad)"
    ).fetchall()
    if n_bad:
        quarantine.write(con, batch.project, file, given.correction_id)
    con.execute("drop table _bad")
    batch.n_read[file.path] = n_read
    # They stand in place of other rows, and are none of the feed themselves.
    batch.n_skipped[file.path] = n_read - n_bad
