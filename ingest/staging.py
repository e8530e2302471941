"""The rows of each feed that count on the as-of date, as one view a feed.

What is dated after the as-of date has not happened: such rows are out, and such dates
within a row read as null. A view does only what its feed needs, since some are read
many times and hold fifty million rows.
"""

import datetime

import duckdb

from ingest.statements import Sql, identifier, listed, literal, sql
from project.folder import Project
from sql.contracts import Column, Contract, day_name, feeds


def create_views(
    con: duckdb.DuckDBPyConnection, project: Project, as_of_date: datetime.date
) -> None:
    """Define `staging.<feed>` for every feed, present or not.

    Each has the feed's columns, defaults filled in, and the day of every timestamp
    that ends in `_at` as a column that ends in `_date`.
    """
    del project
    excluded = {
        row[0]
        for row in con.execute("select distinct feed from raw.row_status").fetchall()
    }
    for name, feed in feeds().items():
        con.execute(
            sql(
                "create or replace view staging.{name} as {select}",
                name=identifier(name),
                select=_select(feed, as_of_date, has_excluded=name in excluded),
            )
        )


def _select(feed: Contract, as_of_date: datetime.date, *, has_excluded: bool) -> Sql:
    columns = []
    for column in feed.columns:
        name = identifier(column.name)
        columns.append(
            sql("{value} as {name}", value=_value(feed, column, as_of_date), name=name)
        )
        if column.type == "timestamp" and column.name.endswith("_at"):
            columns.append(_day(feed, column, as_of_date))
    conditions = []
    if feed.dated_by:
        conditions.append(
            sql(
                "({day} is null or {day} <= {as_of})",
                day=_row_date(feed),
                as_of=literal(as_of_date),
            )
        )
    source = sql("from raw.{feed} as t", feed=identifier(feed.table))
    if has_excluded:
        source = sql(
            "{source} anti join (select file_id, line_no from raw.row_status"
            " where feed = {feed}) as s"
            " on t._file_id = s.file_id and t._line_no = s.line_no",
            source=source,
            feed=literal(feed.table),
        )
    where = sql("where {all}", all=listed(conditions, " and ")) if conditions else ""
    return sql(
        "select {columns} {source} {where}",
        columns=listed(columns),
        source=source,
        where=Sql(where),
    )


def _row_date(feed: Contract) -> Sql:
    """The earliest day that dates a row; null where none does."""
    days = {column.name: day for column, day in feed.days}
    names = [identifier(days.get(name, name)) for name in feed.dated_by]
    return names[0] if len(names) == 1 else sql("least({days})", days=listed(names))


def _ahead(feed: Contract, name: str, as_of_date: datetime.date) -> Sql:
    """Whether a date of the row lies after the as-of date."""
    column = feed.column(name)
    if column.type == "timestamp":
        # Compared with the midnight that ends the as-of date, in the business zone.
        midnight = as_of_date + datetime.timedelta(days=1)
        return sql(
            "{name} >= cast(cast({midnight} as timestamp) as timestamptz)",
            name=identifier(name),
            midnight=literal(midnight),
        )
    return sql("{name} > {as_of}", name=identifier(name), as_of=literal(as_of_date))


def _value(feed: Contract, column: Column, as_of_date: datetime.date) -> Sql:
    name = identifier(column.name)
    if column.happened:
        return sql(
            "case when {ahead} then null else {name} end",
            ahead=_ahead(feed, column.name, as_of_date),
            name=name,
        )
    value = name
    if column.default is not None:
        value = sql(
            "coalesce({name}, {default})", name=name, default=literal(column.default)
        )
    if column.before is not None:
        value = sql(
            "case when {ahead} then {before} else {value} end",
            ahead=_ahead(feed, column.before.date, as_of_date),
            before=literal(column.before.value),
            value=value,
        )
    return value


def _day(feed: Contract, column: Column, as_of_date: datetime.date) -> Sql:
    stored = {one.name: day for one, day in feed.days}
    day = identifier(day_name(column.name))
    source = day
    if column.name not in stored:
        source = sql("cast({name} as date)", name=identifier(column.name))
    if column.happened:
        source = sql(
            "case when {ahead} then null else {source} end",
            ahead=_ahead(feed, column.name, as_of_date),
            source=source,
        )
    return sql("{source} as {day}", source=source, day=day)
