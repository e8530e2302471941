"""Which rows count now and did not at an earlier time, and which no longer do.

`remember` notes which files are loaded and which of their rows do not count; `find`
compares that with what is there later, whatever happened in between: files that came,
were replaced, moved or forgotten, rows that another one took the place of or gave it
back. What follows from the rows is no concern of this module.
"""

from dataclasses import dataclass

import duckdb

from ingest import identity, merging, replaced_files
from ingest.raw_tables import row_day, with_default
from ingest.sql_text import Sql, identifier, listed, literal, sql
from sql.contracts import Contract, day_name, feeds
from sql.transactions import transaction

_FILES = Sql("main.counted_files")  # feed, file_id
_EXCLUDED = Sql("main.counted_without")  # feed, file_id, line_no
_PLACES = Sql("main.counted_places")  # feed, file_id, path where columns are merged
_IDS = Sql("main.counted_ids")  # given_id, customer_id, member_no
_OTHER_IDS = Sql("temp.main.other_ids")  # ids of which these are others now
# What `find` makes: feed, customer_id, row_date, and of lines their transactions.
CHANGED_ROWS = "changed_rows"
_ROWS = Sql(f"temp.main.{CHANGED_ROWS}")
_TRANSACTIONS = "transactions"


@dataclass(frozen=True)
class Changes:
    """What changed since the rows that count were remembered."""

    feeds: frozenset[str]  # of which rows came or went
    n_rows: int  # that came or went


def remember(con: duckdb.DuckDBPyConnection) -> None:
    """Note which rows count now, and which ids are one customer."""
    identity.make_where_missing(con)
    with transaction(con):
        con.execute(
            sql(
                "create or replace table {ids} as"
                " select given_id, customer_id, member_no from {table}",
                ids=_IDS,
                table=identity.TABLE,
            )
        )
        con.execute(
            sql(
                "create or replace table {files} as"
                " select feed, file_id from raw.files",
                files=_FILES,
            )
        )
        con.execute(
            sql(
                "create or replace table {places} as"
                " select feed, file_id, path from raw.files where is_partial",
                places=_PLACES,
            )
        )
        con.execute(
            sql(
                "create or replace table {excluded} as"
                " select feed, file_id, line_no from raw.row_status",
                excluded=_EXCLUDED,
            )
        )


def find(con: duckdb.DuckDBPyConnection) -> Changes | None:
    """Gather the rows that came or went since `remember`, as `temp.changed_rows`.

    Returns:
        None where that cannot be told: nothing was remembered, rows that counted are
        gone for good, or files whose columns are merged have moved, which leaves each
        row as it is and may have another one speak last.
    """
    try:
        con.execute(sql("from {files} limit 0", files=_FILES))
        con.execute(sql("from {excluded} limit 0", excluded=_EXCLUDED))
        con.execute(sql("from {ids} limit 0", ids=_IDS))
        moved = con.execute(
            sql(
                "select 1 from {places} as p inner join raw.files as f"
                " on p.file_id = f.file_id where p.path != f.path limit 1",
                places=_PLACES,
            )
        ).fetchone()
    except duckdb.CatalogException:
        return None
    if moved is not None:
        return None
    _compare(con)
    lost = con.execute(
        "select 1 from temp.main.gone_files as g where not exists (select 1"
        " from raw.former_files as f where f.file_id = g.file_id and"
        " (f.is_kept or f.status != 'loaded')) limit 1"
    ).fetchone()
    if lost is not None:
        return None
    con.execute(
        sql(
            "create or replace temporary table {name} (feed varchar, customer_id"
            " varchar, row_date date, transaction_id varchar, original_transaction_id"
            " varchar)",
            name=identifier(CHANGED_ROWS),
        )
    )
    touched = con.execute(
        "select feed from temp.main.new_files union select feed from"
        " temp.main.gone_files union select feed from temp.main.other_status"
        " order by feed"
    ).fetchall()
    former = replaced_files.tables(con)
    for (name,) in touched:
        _gather(con, feeds()[name], has_former=name in former)
    _name_customers(con)
    found = con.execute(
        sql("select count(*), list(distinct feed) from {rows}", rows=_ROWS)
    ).fetchone()
    n_rows, names = found or (0, None)
    return Changes(frozenset(names or ()), n_rows)


def _compare(con: duckdb.DuckDBPyConnection) -> None:
    """The files that came and went, and the rows of the others with another status."""
    for name, select in (
        ("new_files", Sql("select feed, file_id from raw.files except from {files}")),
        ("gone_files", Sql("from {files} except select feed, file_id from raw.files")),
        (
            "other_status",
            Sql(
                "select *, true as is_excluded from (select feed, file_id, line_no"
                " from raw.row_status except from {excluded}) union all"
                " select *, false as is_excluded from (from {excluded} except"
                " select feed, file_id, line_no from raw.row_status)"
            ),
        ),
    ):
        con.execute(
            sql(
                "create or replace temporary table {name} as {select}",
                name=identifier(name),
                select=sql(select, files=_FILES, excluded=_EXCLUDED),
            )
        )
    # A row of a file that came or went is found with its file.
    con.execute(
        "delete from temp.main.other_status where (feed, file_id) not in"
        " (select (feed, file_id) from main.counted_files) or (feed, file_id) not in"
        " (select (feed, file_id) from raw.files)"
    )


def _name_customers(con: duckdb.DuckDBPyConnection) -> None:
    """Say which customers the rows are about, now and before.

    All rows of an id that belongs to another customer, or has another place among the
    ids of its customer, came to one customer and went from the other.
    """
    identity.make_where_missing(con)
    now = Sql("select given_id, customer_id, member_no from {table}")
    con.execute(
        sql(
            "create or replace temporary table other_ids as select distinct given_id"
            " from ((from {ids} except {now}) union all ({now} except from {ids}))",
            ids=_IDS,
            now=sql(now, table=identity.TABLE),
        )
    )
    if con.execute(sql("from {others} limit 1", others=_OTHER_IDS)).fetchone():
        for feed in feeds().values():
            if feed.customer is not None:
                _add_rows_of_other_ids(con, feed, feed.customer)
    elif not con.execute(sql("from {ids} limit 1", ids=_IDS)).fetchone():
        return
    con.execute(
        sql(
            "create or replace temporary table {name} as select {rows}.* replace"
            " (coalesce(i.customer_id, {rows}.customer_id) as customer_id) from {rows}"
            " left join {table} as i on {rows}.customer_id = i.given_id"
            " union all select {rows}.* replace"
            " (coalesce(i.customer_id, {rows}.customer_id) as customer_id) from {rows}"
            " semi join {others} as o on {rows}.customer_id = o.given_id"
            " left join {ids} as i on {rows}.customer_id = i.given_id",
            name=identifier(CHANGED_ROWS),
            rows=identifier(CHANGED_ROWS),
            table=identity.TABLE,
            others=_OTHER_IDS,
            ids=_IDS,
        )
    )


def _add_rows_of_other_ids(
    con: duckdb.DuckDBPyConnection, feed: Contract, customer: str
) -> None:
    con.execute(
        sql(
            "insert into {rows} select {columns} from {raw} as t"
            " semi join {others} as o on t.{customer} = o.given_id"
            " anti join (select file_id, line_no from raw.row_status"
            " where feed = {feed}) as s on t._file_id = s.file_id"
            " and t._line_no = s.line_no",
            rows=_ROWS,
            columns=_columns(feed),
            raw=identifier("raw", feed.table),
            others=_OTHER_IDS,
            customer=identifier(customer),
            feed=literal(feed.table),
        )
    )


def _gather(
    con: duckdb.DuckDBPyConnection, feed: Contract, *, has_former: bool
) -> None:
    """Add the rows of a feed that came or went.

    Args:
        con: the warehouse.
        feed: the feed.
        has_former: whether a file of it was ever replaced.
    """
    columns = _columns(feed)
    rows = _came_or_went(con, feed, columns, has_former=has_former)
    con.execute(sql("insert into {all} {rows}", all=_ROWS, rows=rows))
    if feed.customer in feed.key or not merging.is_merged(con, feed):
        return
    # Whom a merged row is about may stand in a row that is there as it was.
    parts = [
        sql("{name} := {value}", name=identifier(name), value=with_default(column))
        for name in feed.key
        if (column := feed.column(name))
    ]
    key = sql("struct_pack({parts})", parts=listed(parts))
    keys = _came_or_went(con, feed, key, has_former=has_former)
    con.execute(
        sql(
            "insert into {all} select {columns} from {raw} as t"
            " where {key} in ({keys})",
            all=_ROWS,
            columns=columns,
            raw=identifier("raw", feed.table),
            key=key,
            keys=keys,
        )
    )


def _came_or_went(
    con: duckdb.DuckDBPyConnection, feed: Contract, columns: Sql, *, has_former: bool
) -> Sql:
    """A select of what is asked of the rows `t` of a feed that came or went."""
    raw = identifier("raw", feed.table)
    of_files = [(raw, "new_files", Sql("raw.row_status"))]
    if has_former:
        former = identifier(replaced_files.SCHEMA, feed.table)
        of_files.append((former, "gone_files", _EXCLUDED))
    parts = [_of_files(con, feed, columns, *given) for given in of_files]
    parts.append(
        sql(
            "select {columns} from {raw} as t semi join (from temp.main.other_status"
            " where feed = {feed}) as s on t._file_id = s.file_id"
            " and t._line_no = s.line_no",
            columns=columns,
            raw=raw,
            feed=literal(feed.table),
        )
    )
    return listed([part for part in parts if part], " union all ")


def _of_files(
    con: duckdb.DuckDBPyConnection,
    feed: Contract,
    columns: Sql,
    table: Sql,
    files: str,
    excluded: Sql,
) -> Sql:
    """Of the rows of some files that count, or counted; their numbers prune the scan.

    Args:
        con: the warehouse.
        feed: the feed.
        columns: what is asked of them.
        table: where the rows are.
        files: the temporary table of the files.
        excluded: the table of the rows that do not count.
    """
    found = con.execute(
        sql(
            "select list(file_id order by file_id) from {files} where feed = $feed",
            files=identifier("temp", "main", files),
        ),
        {"feed": feed.table},
    ).fetchone()
    numbers = (found and found[0]) or []
    if not numbers:
        return Sql("")
    return sql(
        "select {columns} from {table} as t anti join (select file_id, line_no"
        " from {excluded} where feed = {feed}) as s on t._file_id = s.file_id"
        " and t._line_no = s.line_no where t._file_id between {first} and {last}"
        " and t._file_id in ({numbers})",
        columns=columns,
        table=table,
        excluded=excluded,
        feed=literal(feed.table),
        first=literal(numbers[0]),
        last=literal(numbers[-1]),
        numbers=listed(literal(number) for number in numbers),
    )


def _columns(feed: Contract) -> Sql:
    """What is remembered of a row: whom it is about, its day, its transactions."""
    customer = Sql("null")
    if feed.customer is not None:
        customer = sql("t.{name}", name=identifier(feed.customer))
    linked = Sql("null as transaction_id, null as original_transaction_id")
    if feed.table == _TRANSACTIONS:
        linked = Sql("t.transaction_id, t.original_transaction_id")
    return sql(
        "{feed} as feed, {customer} as customer_id, {day} as row_date, {linked}",
        feed=literal(feed.table),
        customer=customer,
        day=row_day(feed),
        linked=linked,
    )


def clocked_days(feed: Contract) -> tuple[str, ...]:
    """The expressions of a staging view whose passing changes what a row says.

    Its own day, the days of facts that had not happened before it, and the days until
    which another value reads otherwise.
    """
    names = [*feed.dated_by]
    names += [column.name for column in feed.columns if column.happened]
    names += [
        column.before.date for column in feed.columns if column.before is not None
    ]
    return tuple(
        day_name(name) if feed.column(name).type == "timestamp" else name
        for name in dict.fromkeys(names)
    )
