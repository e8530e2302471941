"""What came since the release before: late, corrected, duplicate and replaced rows.

One row a feed, as the table `marts.feed_arrivals`. The books (`ingest.books`) hold all
files; here are those that no release had shown yet, however many runs were stopped
since. Which release was before, the caller knows.
"""

import datetime
from dataclasses import dataclass

import duckdb

from ingest import replaced_files
from ingest.raw_tables import row_day
from ingest.sql_text import Sql, identifier, listed, literal, select_named, sql
from sql.contracts import Contract, contract, feeds
from sql.selects import create_with_rows, select_of

TABLE = "feed_arrivals"


@dataclass(frozen=True)
class Arrivals:
    """What came of a feed since the release before; all but the files are rows.

    Rows read = loaded + duplicate + rejected + skipped, as in the books.
    """

    feed: str
    # The latest as-of date of the releases before.
    stated_until_date: datetime.date | None
    n_files: int
    n_refused: int  # files
    n_read: int
    n_loaded: int
    # Of those loaded, dated on or before that day and not there before; None: no
    # release was before, or rows of the feed have no date.
    n_late: int | None
    n_duplicate: int
    n_rejected: int
    n_skipped: int
    n_corrected: int  # records
    n_replaced: int  # of former versions of files


def make_arrivals(
    con: duckdb.DuckDBPyConnection,
    *,
    since: datetime.datetime | None,
    stated_until: datetime.date | None,
) -> tuple[Arrivals, ...]:
    """Make `marts.feed_arrivals`, once the feeds are loaded.

    Args:
        con: the warehouse.
        since: from when on what was loaded is in no release; None: all of it is.
        stated_until: the latest as-of date of the releases before; None: there is none.

    Returns:
        Its rows, by feed.
    """
    table = contract("marts", TABLE)
    con.execute(
        sql(
            "create or replace temporary table _came as {came}",
            came=select_named("arrivals/came"),
        ),
        {"since": since},
    )
    names = con.execute("select distinct feed from _came order by feed").fetchall()
    late = {name: _n_late(con, feeds()[name], since, stated_until) for (name,) in names}
    con.execute(
        sql(
            "create or replace temporary table _books as {books}",
            books=Sql(select_of(contract("marts", "feed_reconciliation"))),
        )
    )
    rows = con.execute(select_named("arrivals/counted"), {"since": since}).fetchall()
    for name in ("_books", "_came"):
        con.execute(sql("drop table {name}", name=identifier(name)))
    made = tuple(
        Arrivals(
            feed=feed,
            stated_until_date=stated_until,
            n_files=n_files,
            n_refused=n_refused,
            n_read=n_read,
            n_loaded=n_loaded,
            n_late=late[feed],
            n_duplicate=n_duplicate,
            n_rejected=n_rejected,
            n_skipped=n_skipped,
            n_corrected=n_corrected,
            n_replaced=n_replaced,
        )
        for (
            feed,
            n_files,
            n_refused,
            n_read,
            n_loaded,
            n_duplicate,
            n_rejected,
            n_skipped,
            n_corrected,
            n_replaced,
        ) in rows
    )
    create_with_rows(con, ("marts", TABLE), table, [vars(row) for row in made])
    return made


def _n_late(
    con: duckdb.DuckDBPyConnection,
    feed: Contract,
    since: datetime.datetime | None,
    stated_until: datetime.date | None,
) -> int | None:
    """How many rows of a feed came after a release had been published for their day.

    A row of a changed file that its former version had as well did not come late: of
    equal rows as many count as there are more of now.
    """
    if stated_until is None or not feed.day_columns:
        return None
    files = con.execute(
        "select list(file_id order by file_id) from _came where feed = $feed",
        {"feed": feed.table},
    ).fetchall()[0][0]
    former = Sql("select null::ubigint as content, 0 as n where false")
    if feed.table in replaced_files.tables(con):
        replaced_files.make_table(con, feed.table)
        former = sql(
            "select {content} as content, count(*) as n from {former} as t"
            " where t._file_id in (select file_id from raw.former_files"
            " where {was_known} and feed = {feed}) group by content",
            content=_content(feed),
            former=identifier(replaced_files.SCHEMA, feed.table),
            was_known=Sql("loaded_at < $since and replaced_at >= $since"),
            feed=literal(feed.table),
        )
    found = con.execute(
        sql(
            "with came as (select {content} as content, count(*) as n from {raw} as t"
            " anti join (select * from raw.row_status where feed = {feed}"
            " and status in ('duplicate', 'rejected')) as s"
            " on t._file_id = s.file_id and t._line_no = s.line_no"
            " where t._file_id between $first and $last"
            " and list_contains($files, t._file_id) and {day} <= $stated_until"
            " group by content), were as ({former})"
            " select coalesce(sum(greatest(came.n - coalesce(were.n, 0), 0)), 0)"
            " from came left join were on came.content = were.content",
            content=_content(feed),
            raw=identifier("raw", feed.table),
            feed=literal(feed.table),
            day=row_day(feed),
            former=former,
        ),
        {
            "files": files,
            "first": files[0],
            "last": files[-1],
            "stated_until": stated_until,
            **({"since": since} if "$since" in former else {}),
        },
    ).fetchone()
    return int(found[0]) if found else 0


def _content(feed: Contract) -> Sql:
    names = listed(
        sql("t.{name}", name=identifier(column.name)) for column in feed.columns
    )
    return sql("hash({names})", names=names)
