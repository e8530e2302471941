"""Several files that each give some columns of the same keys: `merge: columns`.

A row of such a file says nothing of the columns that its file does not give. Of each
key, each column has the value of the last row that speaks of it, in the order of files
and lines that also decides which of two whole rows counts. The result is as if the
files had been joined beforehand: here the rows of a key become one row, before anything
else is asked of them. `ingest.duplicates` asks which rows still count, `ingest.staging`
reads the rows that are made here.
"""

import hashlib
from collections.abc import Iterator

import duckdb

from ingest.raw_tables import ROW_PLACE, with_default
from ingest.sql_text import Sql, identifier, listed, literal, select_named, sql
from sql.contracts import Contract, feeds

_GIVEN = "_given"


def is_merged(con: duckdb.DuckDBPyConnection, feed: Contract) -> bool:
    """Whether any file of a feed gives some columns only."""
    found = con.execute(
        "select 1 from raw.files where feed = $feed and is_partial limit 1",
        {"feed": feed.table},
    ).fetchone()
    return found is not None


def merged_feeds(con: duckdb.DuckDBPyConnection) -> tuple[Contract, ...]:
    """The feeds whose rows are merged by column."""
    rows = con.execute("select distinct feed from raw.files where is_partial")
    names = {name for (name,) in rows.fetchall()}
    return tuple(feed for name, feed in feeds().items() if name in names)


def find_given(con: duckdb.DuckDBPyConnection, feed: Contract) -> None:
    """Make the temporary table `_given`: which file gives which columns."""
    names = [column.name for column in feed.columns if column.name not in feed.key]
    con.execute(
        sql(
            "create or replace temporary table {given} as {select}",
            given=identifier(_GIVEN),
            select=select_named("merging/given"),
        ),
        {"feed": feed.table, "columns": names},
    )


def table_of(feed: Contract) -> Sql:
    """The table of a feed's merged rows, with the columns of `raw.<feed>`.

    No feed of a project has a name that begins so.
    """
    return identifier("staging", f"_merged_{feed.table}")


def make(con: duckdb.DuckDBPyConnection, feed: Contract) -> None:
    """Make the table of a feed's merged rows, unless it is as it should be.

    One row is a key. Called within a transaction, once it is settled which rows count.
    """
    made_of = _digest(con, feed)
    noted = con.execute(
        "select comment from duckdb_tables() where schema_name = 'staging'"
        " and database_name = current_database() and table_name = $name",
        {"name": f"_merged_{feed.table}"},
    ).fetchone()
    if noted == (made_of,):
        return
    find_given(con, feed)
    table = table_of(feed)
    con.execute(
        sql(
            "create or replace table {table} as {select}",
            table=table,
            select=_merged(con, feed),
        )
    )
    con.execute(
        sql("comment on table {table} is {of}", table=table, of=literal(made_of))
    )


def _digest(con: duckdb.DuckDBPyConnection, feed: Contract) -> str:
    """Equal where the merged rows are; only files decide which rows of them count."""
    files = con.execute(
        "select file_id, path, is_partial, columns from raw.files where feed = $feed"
        " order by file_id",
        {"feed": feed.table},
    ).fetchall()
    columns = [
        (column.name, column.type, str(column.default)) for column in feed.columns
    ]
    return hashlib.sha256(repr((files, columns)).encode()).hexdigest()


def _merged(con: duckdb.DuckDBPyConnection, feed: Contract) -> Sql:
    """The select of the merged rows; `find_given` has found out what files give.

    Of the rows that count, no two of a key are from files of one shape.
    """
    found = con.execute(
        sql(
            "select class_no, any_value(column_names), list(distinct shape_no order by"
            " shape_no) from {given} group by class_no order by class_no",
            given=identifier(_GIVEN),
        )
    ).fetchall()
    class_of = {name: number for number, names, _ in found for name in names}
    packed = [
        sql(
            "arg_max(struct_pack({members}), {place}) filter"
            " (list_contains([{shapes}], files.shape_no)) as {alias}",
            members=listed(_members(feed, set(names))),
            place=ROW_PLACE,
            shapes=listed(literal(shape) for shape in shapes),
            alias=_alias(number),
        )
        for number, names, shapes in found
        if set(names) != {""}
    ]
    key = {name: with_default(feed.column(name)) for name in feed.key}
    keys = [
        sql("{value} as {name}", value=value, name=identifier(name))
        for name, value in key.items()
    ]
    keys += [
        sql("any_value(t.{day}) as {day}", day=identifier(day))
        for column, day in feed.days
        if column.name in feed.key
    ]
    return sql(
        "select {columns} from (select {parts} from {raw} as t"
        " inner join (select distinct file_id, place, shape_no from {given}) as files"
        " on t._file_id = files.file_id"
        " anti join (select file_id, line_no from raw.row_status where feed = {feed})"
        " as s on t._file_id = s.file_id and t._line_no = s.line_no"
        " group by {key})",
        columns=listed(_columns(feed, class_of)),
        parts=listed([*keys, *packed]),
        raw=identifier("raw", feed.table),
        given=identifier(_GIVEN),
        feed=literal(feed.table),
        key=listed(key.values()),
    )


def _members(feed: Contract, names: set[str]) -> Iterator[Sql]:
    """The columns of a class, with the days of its times."""
    days = {column.name: day for column, day in feed.days}
    for name in sorted(names):
        yield sql("{name} := t.{name}", name=identifier(name))
        if name in days:
            yield sql("{day} := t.{day}", day=identifier(days[name]))


def _columns(feed: Contract, class_of: dict[str, int]) -> Iterator[Sql]:
    """The columns of `raw.<feed>`; null where no file gives one."""
    types = [(column.name, column.name, column.duckdb_type) for column in feed.columns]
    types += [(column.name, day, "DATE") for column, day in feed.days]
    for given, name, kind in types:
        if given in feed.key:
            yield identifier(name)
            continue
        value = Sql("null")
        if given in class_of:
            alias = _alias(class_of[given])
            value = sql("{alias}.{name}", alias=alias, name=identifier(name))
        yield sql(
            "cast({value} as {kind}) as {name}",
            value=value,
            kind=Sql(kind),
            name=identifier(name),
        )


def _alias(number: int) -> Sql:
    return Sql(f"class_{number}")
