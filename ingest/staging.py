"""The rows of each feed that count on the as-of date, as one view a feed.

What is dated after the as-of date has not happened: such rows are out, and such dates
within a row read as null. A view does only what its feed needs, since some are read
many times and hold fifty million rows.
"""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import duckdb

from ingest import assessment_bands, currency, merging
from ingest import identity as identities
from ingest.identity_model.trained import TrainedModel
from ingest.raw_tables import prepare, row_day
from ingest.sql_text import Sql, identifier, listed, literal, sql
from project.folder import Project
from project.identity_settings import IdentitySettings
from sql.bands import Band
from sql.contracts import Column, Contract, day_name, feeds
from sql.transactions import transaction

# The date as of which all rows count, whatever they are dated; a day follows it.
ALL_DATES = datetime.date(9999, 12, 30)
NOTHING = Sql("")


@dataclass(frozen=True)
class Settled:
    """What was found out about the loaded rows, whatever the as-of date is."""

    reporting: str | None  # the currency of all figures
    foreign: frozenset[str]  # the feeds that hold rows to convert
    excluded: frozenset[str]  # the feeds of which some rows do not count
    has_identity: bool = False  # several ids may be one customer
    merged: frozenset[str] = frozenset()  # the feeds whose rows are merged by column


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
        merged = merging.merged_feeds(con)
        for feed in merged:
            merging.make(con, feed)
    return Settled(
        reporting,
        foreign,
        frozenset(feed for (feed,) in excluded),
        has_identity=project.settings.identity is not None,
        merged=frozenset(feed.table for feed in merged),
    )


def make_customer_ids(
    con: duckdb.DuckDBPyConnection,
    settled: Settled,
    identity: IdentitySettings | None,
    as_of_date: datetime.date,
    trained: TrainedModel | None = None,
) -> None:
    """Make `staging.customer_ids`, by which the views say who a row is about.

    Args:
        con: has what was settled.
        settled: what was found out about the rows.
        identity: which ids are one customer.
        as_of_date: the date that is graded.
        trained: what the model of `identity` has learned; None: there is none.

    Raises:
        RunError: as for `ingest.identity.make`.
    """
    as_given = replace(settled, has_identity=False)
    identities.make(
        con,
        identity,
        as_of_date,
        partial(view_select, as_given, as_of_date),
        trained,
    )


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
        has_excluded=name in settled.excluded and name not in settled.merged,
        converted_to=settled.reporting if name in settled.foreign else None,
        is_merged=name in settled.merged,
    )
    if not settled.has_identity or view.feed.customer is None:
        return view.select()
    return _by_customer(view, view.feed.customer)


# Both ids of a customer may be billed for a month: bills add up.
_ADDED = frozenset({"bills"})
_PARENT = "parent_customer_id"
_BLOCKED = "is_contact_blocked"


def _by_customer(view: "_View", customer: str) -> Sql:
    """The select of a view whose rows name customers, whatever ids files give.

    Where two ids of a customer have a row of one key, that of its first id counts. Of
    the feed customers each value is that of the first id that has one, and who has
    blocked the company under one id has blocked it.
    """
    given = sql("t.{name}", name=identifier(customer))
    values = {customer: identities.mapped(given, "i")}
    joins = identities.joined(given, "i")
    if view.feed.table == "customers":
        parent = sql("t.{name}", name=identifier(_PARENT))
        values[_PARENT] = sql(
            "nullif({parent}, {own})",
            parent=identities.mapped(parent, "p"),
            own=values[customer],
        )
        joins = listed([joins, identities.joined(parent, "p")], " ")
    mapped = replace(view, values=values, more_joins=joins)
    if customer not in view.feed.key or view.feed.table in _ADDED:
        return mapped.select()
    alone = mapped.select(Sql("i.given_id is null"))
    several = mapped.select(Sql("i.given_id is not null"), with_place=True)
    if view.feed.table == "customers":
        return sql(
            "{alone} union all select {columns} from ({several}) group by {customer}",
            alone=alone,
            columns=listed(_first_values(view, customer)),
            several=several,
            customer=identifier(customer),
        )
    return sql(
        "{alone} union all select * exclude (_member_no) from ({several})"
        " qualify row_number() over (partition by {key} order by _member_no) = 1",
        alone=alone,
        several=several,
        key=listed(identifier(name) for name in view.feed.key),
    )


def _first_values(view: "_View", customer: str) -> Iterator[Sql]:
    """Of each column of a customer, the value of its first id that has one."""
    for name in view.names:
        column = identifier(name)
        if name == customer:
            yield column
        elif name == _BLOCKED:
            yield sql("bool_or({column}) as {column}", column=column)
        else:
            yield sql("arg_min({column}, _member_no) as {column}", column=column)


@dataclass(frozen=True)
class _View:
    """The view of one feed, with only what its rows need."""

    feed: Contract
    as_of_date: datetime.date
    has_excluded: bool  # some rows do not count
    converted_to: str | None  # the reporting currency, where some rows have another
    is_merged: bool = False  # rows that several files give
    # Columns that say something else than the file does, and what is joined for them.
    values: Mapping[str, Sql] = field(default_factory=dict)
    more_joins: Sql = NOTHING

    @property
    def names(self) -> Iterator[str]:
        """The columns of the view."""
        for column in self.feed.columns:
            yield column.name
            if column.type == "timestamp" and column.name.endswith("_at"):
                yield day_name(column.name)

    def select(self, only: Sql = NOTHING, *, with_place: bool = False) -> Sql:
        """The select.

        Args:
            only: a condition that rows must fulfil, too.
            with_place: with the place of the id among those of its customer.
        """
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
        if with_place:
            columns.append(Sql("i.member_no as _member_no"))
        conditions = [part for part in (self._happened(), only) if part]
        where = sql("where {all}", all=listed(conditions, " and "))
        return sql(
            "select {columns} from {raw} as t {joins} {where}",
            columns=listed(columns),
            raw=merging.table_of(self.feed)
            if self.is_merged
            else identifier("raw", self.feed.table),
            joins=self._joins(),
            where=where if conditions else Sql(""),
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
        if self.more_joins:
            joins.append(self.more_joins)
        return listed(joins, " ")

    def _happened(self) -> Sql:
        """The condition that a row is not dated after the as-of date."""
        if not self.feed.dated_by:
            return Sql("")
        first = row_day(self.feed)
        required = any(self.feed.column(name).required for name in self.feed.dated_by)
        condition = sql("{day} <= {as_of}", day=first, as_of=literal(self.as_of_date))
        if not required:
            # A row without a date is about any time.
            condition = sql("({day} is null or {c})", day=first, c=condition)
        return condition

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
        if column.name in self.values:
            return self.values[column.name]
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
