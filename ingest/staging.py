"""The rows of each feed that count on the as-of date, as one view a feed.

What is dated after the as-of date has not happened: such rows are out, and such dates
within a row read as null. A view does only what its feed needs, since some are read
many times and hold fifty million rows.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from ingest import assessment_bands, currency
from ingest.raw_tables import prepare, row_day
from ingest.sql_text import Sql, identifier, listed, literal, sql
from project.folder import Project
from sql.bands import Band
from sql.contracts import Column, Contract, day_name, feeds
from sql.transactions import transaction

# The date as of which all rows count, whatever they are dated; a day follows it.
ALL_DATES = datetime.date(9999, 12, 30)


@dataclass(frozen=True)
class Settled:
    """What was found out about the loaded rows, whatever the as-of date is."""

    reporting: str | None  # the currency of all figures
    foreign: frozenset[str]  # the feeds that hold rows to convert
    excluded: frozenset[str]  # the feeds of which some rows do not count


def settle(
    con: duckdb.DuckDBPyConnection, project: Project, bands: Sequence[Band] = ()
) -> Settled:
    """Reject rows that no exchange rate converts, and assessments outside the bands.

    Raises:
        ConfigurationError: the rows name several currencies, and the settings none.
    """
    con.execute("set timezone = $zone", {"zone": project.settings.timezone})
    prepare(con)
    with transaction(con):
        reporting = currency.reporting_currency(con, project)
        foreign = currency.settle(con, reporting)
        if reporting is not None and foreign:
            currency.make_daily_rates(con, foreign, reporting)
        assessment_bands.settle(con, bands)
        excluded = con.execute("select distinct feed from raw.row_status").fetchall()
    return Settled(reporting, foreign, frozenset(feed for (feed,) in excluded))


def define_views(
    con: duckdb.DuckDBPyConnection,
    settled: Settled,
    as_of_date: datetime.date,
    names: Iterable[str],
) -> None:
    """Define `staging.<feed>` for these feeds, present or not.

    Each has the feed's columns, defaults filled in and amounts in the reporting
    currency, and the day of every timestamp that ends in `_at` as a column that ends in
    `_date`.
    """
    for name in names:
        con.execute(
            sql(
                "create or replace view {name} as {select}",
                name=identifier("staging", name),
                select=view_select(settled, as_of_date, name),
            )
        )


def view_select(settled: Settled, as_of_date: datetime.date, name: str) -> Sql:
    """The select of the view of one feed; see `define_views`."""
    view = _View(
        feeds()[name],
        as_of_date,
        has_excluded=name in settled.excluded,
        converted_to=settled.reporting if name in settled.foreign else None,
    )
    return view.select()


@dataclass(frozen=True)
class _View:
    """The view of one feed, with only what its rows need."""

    feed: Contract
    as_of_date: datetime.date
    has_excluded: bool  # some rows do not count
    converted_to: str | None  # the reporting currency, where some rows have another

    def select(self) -> Sql:
        columns = []
        for column in self.feed.columns:
            columns.append(
                sql(
                    "{value} as {name}",
                    value=self._value(column),
                    name=identifier(column.name),
                )
            )
            if column.type == "timestamp" and column.name.endswith("_at"):
                columns.append(self._day(column))
        return sql(
            "select {columns} from {raw} as t {joins} {where}",
            columns=listed(columns),
            raw=identifier("raw", self.feed.table),
            joins=self._joins(),
            where=self._where(),
        )

    def _joins(self) -> Sql:
        joins = []
        if self.has_excluded:
            joins.append(
                sql(
                    "anti join (select file_id, line_no from raw.row_status"
                    " where feed = {feed}) as s"
                    " on t._file_id = s.file_id and t._line_no = s.line_no",
                    feed=literal(self.feed.table),
                )
            )
        if self.converted_to is not None:
            joins.append(currency.joined(self.feed, self.converted_to))
        return listed(joins, " ")

    def _where(self) -> Sql:
        if not self.feed.dated_by:
            return Sql("")
        first = row_day(self.feed)
        required = any(self.feed.column(name).required for name in self.feed.dated_by)
        condition = sql("{day} <= {as_of}", day=first, as_of=literal(self.as_of_date))
        if not required:
            # A row without a date is about any time.
            condition = sql("{day} is null or {c}", day=first, c=condition)
        return sql("where {condition}", condition=condition)

    def _ahead(self, name: str) -> Sql:
        """Whether a date of the row lies after the as-of date."""
        value = sql("t.{name}", name=identifier(name))
        if self.feed.column(name).type == "timestamp":
            # From the midnight on that ends the as-of date, in the business zone.
            midnight = self.as_of_date + datetime.timedelta(days=1)
            return sql(
                "{value} >= cast(cast({midnight} as timestamp) as timestamptz)",
                value=value,
                midnight=literal(midnight),
            )
        return sql("{value} > {as_of}", value=value, as_of=literal(self.as_of_date))

    def _value(self, column: Column) -> Sql:
        value = sql("t.{name}", name=identifier(column.name))
        if column.happened:
            return self._known(column, value)
        if self.converted_to is not None and column.unit == "currency":
            value = currency.converted(column)
        if self.converted_to is not None and column.type == "currency":
            return literal(self.converted_to)
        if column.default is not None:
            value = sql(
                "coalesce({value}, {default})",
                value=value,
                default=literal(column.default),
            )
        if column.before is not None:
            value = sql(
                "case when {ahead} then {before} else {value} end",
                ahead=self._ahead(column.before.date),
                before=literal(column.before.value),
                value=value,
            )
        return value

    def _known(self, column: Column, value: Sql) -> Sql:
        """The value, null where the column's date lies ahead."""
        return sql(
            "case when {ahead} then null else {value} end",
            ahead=self._ahead(column.name),
            value=value,
        )

    def _day(self, column: Column) -> Sql:
        stored = {dated.name: day for dated, day in self.feed.days}
        day = identifier(day_name(column.name))
        value = sql("t.{day}", day=day)
        if column.name not in stored:
            value = sql("cast(t.{name} as date)", name=identifier(column.name))
        if column.happened:
            value = self._known(column, value)
        return sql("{value} as {day}", value=value, day=day)
