"""The short way of a run: tables are brought up to date by what changed.

The warehouse keeps the tables of `core` that hold rows of all dates (`for_all_dates`
in their contracts), and the metrics of the former run. Where the rules are the same,
only what changed since is computed: by the same selects, on the rows of what changed.
The rest is carried over. Which way a run goes is decided here, and told as a `Way`:

- The whole is computed where settings, schemes or code are others, where nothing is
  kept or it is not known what changed, where exchange rates changed and rows are
  converted, where more than a quarter of the customers changed, and where `--full` asks
  for it.
- Metrics are brought from an as-of date to a later one, at most `DAYS_AHEAD` days on.
  A date before takes the whole.

How the select of one metric table goes on from a date is in
`schemes.compiler.metric_updates`; which rows came or went, in `ingest.changed_rows`.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from ingest import changed_rows
from ingest.raw_tables import feed_columns
from project.quantities import number_of
from schemes.compiler.history_updates import HistoryUpdate
from schemes.plan import StepOf
from sql.contracts import Contract, feeds
from sql.selects import quoted, reading, row_count, select_in, used

_SELECTS = Path(__file__).parent / "sql" / "difference"
_LINES = "core.lines"
_CUSTOMER_ROWS = "staging.customer_rows"
_RATES = "exchange_rates"
# Their rows enter the figures by their own day alone, which windows take care of.
OF_LINES = frozenset({"transactions", "bills"})
DAYS_AHEAD = 62
_MOST = 4  # the whole is cheaper from one customer in so many on,
_MOST_RATED = 2  # the same of histories, whose days are many a customer
_FEW = 1_000  # unless they are few


@dataclass(frozen=True)
class Way:
    """How some tables of a run were made, for whoever watches it."""

    tables: str  # facts, metrics, or ratings: those of schemes with memory
    whole_because: str | None  # None: by difference
    n_customers: int | None = None  # that were computed anew

    @property
    def in_words(self) -> str:
        """The way in a few words."""
        if self.whole_because is not None:
            return f"computed as a whole: {self.whole_because}"
        changed = number_of(self.n_customers or 0, "customer")
        return f"brought up to date: {changed} computed anew, the rest kept"


@dataclass(frozen=True)
class Table:
    """A table that holds rows of all dates, and how its rows change."""

    name: str  # as layer.table
    select: str
    kind: str
    changes_by: str | None  # transaction_id or customer_id


def table_of(contract: Contract, select: str) -> Table:
    """The table of a contract."""
    return Table(contract.name, select, contract.kind, contract.changes_by)


def find_changes(con: duckdb.DuckDBPyConnection, foreign: frozenset[str]) -> str | None:
    """Gather what changed since the kept tables were made, as temporary tables.

    `temp.changed_transactions` and `temp.changed_customers`, each with `row_date`, the
    day of a row that changed it, null where it has none. `temp.changed_customers` has
    more rows of a customer than one until `bring_up_to_date` has ended.

    Args:
        con: the warehouse; the kept tables are as they were.
        foreign: the feeds with amounts that are converted.

    Returns:
        Why the whole has to be computed; None: what changed is known and is little.
    """
    changes = changed_rows.find(con)
    if changes is None:
        return "it is not known which rows came or went"
    if foreign and _RATES in changes.feeds:
        return "exchange rates changed"
    _make(con, "changed_transactions", _select("changed_transactions"))
    _make(
        con,
        "changed_customers",
        "select customer_id, row_date from temp.changed_rows"
        " where customer_id is not null",
    )
    _add_customers_of_transactions(con)
    return _why_too_many(con, "changed_customers")


def bring_up_to_date(
    con: duckdb.DuckDBPyConnection, tables: Iterable[Table], step: StepOf
) -> int:
    """Compute the rows of what changed anew, and put them in place of those before.

    `find_changes` has gathered what changed.

    Args:
        con: the warehouse.
        tables: those that hold rows of all dates, in reading order.
        step: is entered for each table, as `layer.table`, while that is made.

    Returns:
        The number of customers who changed.
    """
    others = {
        _LINES: "changed_lines",
        _CUSTOMER_ROWS: "changed_customer_rows",
    }
    for name in others.values():
        with step(f"core.{name}"):
            _make(con, name, _select(name))
    for table in tables:
        with step(table.name) as told:
            changed = f"changed_{table.name.rpartition('.')[2]}"
            select = reading(table.select, others)
            if table.kind == "view":
                con.execute(
                    f"create or replace temporary view {quoted(changed)} as {select}"
                )
            else:
                _make(con, changed, select)
                _exchange(con, table, changed)
                told.rows = row_count(con, *table.name.split("."))
            others[table.name] = changed
    # Transactions that refunds were linked to, and those that they are linked to now.
    _add_customers_of_transactions(con)
    _make(
        con,
        "changed_customers",
        "select customer_id, min(row_date) as row_date,"
        " bool_or(row_date is null) as has_no_day from temp.changed_customers"
        " group by customer_id",
    )
    return _count(con, "changed_customers")


def find_restated(
    con: duckdb.DuckDBPyConnection,
    kept_date: datetime.date,
    as_of_date: datetime.date,
    *,
    has_changes: bool,
) -> str | None:
    """Gather the customers whose facts up to a former as-of date are others now.

    They are in `temp.restated_customers`: their metrics are computed anew. What all
    others have in a window changes only by the days that enter or leave it.

    Args:
        con: the warehouse; its tables of all dates are up to date.
        kept_date: the former as-of date.
        as_of_date: the date that is graded, not before it.
        has_changes: whether `find_changes` gathered what came or went.

    Returns:
        Why the whole has to be computed; None: it need not be.
    """
    _make(con, "restated_customers", "select null::varchar as customer_id limit 0")
    if has_changes:
        _restate_by_changes(con, kept_date)
    _restate_by_transactions(con, kept_date)
    _restate_by_days(con, kept_date, as_of_date)
    con.execute(
        "create or replace temporary table restated_customers as select distinct"
        " customer_id from temp.restated_customers where customer_id is not null"
    )
    return _why_too_many(con, "restated_customers")


def _restate_by_changes(
    con: duckdb.DuckDBPyConnection, kept_date: datetime.date
) -> None:
    """Add whose rows came or went: of lines those up to the former date alone."""
    _add(
        con,
        "select customer_id from temp.changed_customers"
        " where row_date <= $kept_date or has_no_day",
        {"kept_date": kept_date},
    )
    _add(
        con,
        "select customer_id from temp.changed_rows where customer_id is not null"
        " and not list_contains($of_lines, feed)",
        {"of_lines": sorted(OF_LINES)},
    )


def _restate_by_transactions(
    con: duckdb.DuckDBPyConnection, kept_date: datetime.date
) -> None:
    """Add whose transactions have lines on both sides of the former date.

    Those are refunds of orders placed before, and whatever else is spread over days.
    """
    con.execute(
        "create or replace temporary table transactions_in_question as"
        " select transaction_id, first_change_date as row_date"
        " from core.transaction_sums where first_change_date <= $kept_date"
        " and last_change_date > $kept_date",
        {"kept_date": kept_date},
    )
    if _count(con, "transactions_in_question"):
        select = _select("customers_of_transactions")
        _add(con, f"select customer_id from ({select})", {})


def _restate_by_days(
    con: duckdb.DuckDBPyConnection, kept_date: datetime.date, as_of_date: datetime.date
) -> None:
    """Add whose rows, not lines, have a day after the former date, up to this one."""
    given = {"kept_date": kept_date, "as_of_date": as_of_date}
    for name in sorted(feed_columns(con)):
        feed = feeds()[name]
        if feed.customer is None:
            continue
        days = changed_rows.clocked_days(feed)
        if name in OF_LINES:
            days = days[len(feed.dated_by) :]
        for day in days:
            _add(
                con,
                f"select {quoted(feed.customer)} as customer_id from"
                f" {quoted('staging', name)} where {quoted(day)} > $kept_date"
                f" and {quoted(day)} <= $as_of_date",
                given,
            )


def find_rated_anew(
    con: duckdb.DuckDBPyConnection,
    history: HistoryUpdate,
    kept_date: datetime.date,
    as_of_date: datetime.date,
) -> str | None:
    """Gather the customers of whom a scheme's history has other days than it had.

    `find_restated` has gathered whose facts are others.

    Args:
        con: the warehouse; its facts are those of the date that is graded.
        history: how the history goes on.
        kept_date: the as-of date of what is kept.
        as_of_date: the date that is graded.

    Returns:
        Why the whole has to be computed; None: it need not be.
    """
    dates = {"kept_date": kept_date, "as_of_date": as_of_date}
    con.execute(history.find, used(dates, history.find))
    return _why_too_many(con, history.customers.removeprefix("temp."), _MOST_RATED)


def n_rated_anew(
    con: duckdb.DuckDBPyConnection, histories: Iterable[HistoryUpdate]
) -> int:
    """How many customers `find_rated_anew` found for any of the histories."""
    named = " union ".join(
        f"select customer_id from {history.customers}" for history in histories
    )
    found = con.execute(f"select count(*) from ({named})").fetchone()
    return int(found[0]) if found else 0


def n_restated(con: duckdb.DuckDBPyConnection) -> int:
    """How many customers `find_restated` found."""
    return _count(con, "restated_customers")


def _add(
    con: duckdb.DuckDBPyConnection, select: str, given: Mapping[str, object]
) -> None:
    con.execute(f"insert into temp.restated_customers {select}", dict(given))


def _exchange(con: duckdb.DuckDBPyConnection, table: Table, changed: str) -> None:
    """Put the rows of what changed in place of those before."""
    key = quoted(table.changes_by or "")
    keys = f"select {key} from temp.changed_{_KEYS[table.changes_by or '']}"
    target = quoted(*table.name.split("."))
    con.execute(f"delete from {target} where {key} in ({keys})")
    con.execute(
        f"insert into {target} by name select * from temp.main.{quoted(changed)}"
        f" where {key} in ({keys})"
    )


_KEYS = {"transaction_id": "transactions", "customer_id": "customers"}


def _add_customers_of_transactions(con: duckdb.DuckDBPyConnection) -> None:
    """Add the customers of the transactions that changed, as they are linked now."""
    if not _count(con, "changed_transactions"):
        return
    _make(con, "transactions_in_question", "from temp.changed_transactions")
    con.execute(
        f"insert into temp.changed_customers {_select('customers_of_transactions')}"
    )


def _make(con: duckdb.DuckDBPyConnection, name: str, select: str) -> None:
    con.execute(f"create or replace temporary table {quoted(name)} as {select}")


@cache
def _select(name: str) -> str:
    return select_in(_SELECTS / f"{name}.sql")


def _count(con: duckdb.DuckDBPyConnection, name: str) -> int:
    return row_count(con, "temp", "main", name)


def _why_too_many(
    con: duckdb.DuckDBPyConnection, customers: str, one_in: int = _MOST
) -> str | None:
    """Why it costs less to compute everything than these customers; None: it does not.

    Args:
        con: the warehouse.
        customers: a temporary table that names them.
        one_in: from one customer in so many on, the whole costs less.
    """
    found = con.execute(
        "with changed as (select count(distinct customer_id) as n from"
        f" temp.main.{quoted(customers)}), known as (select count(*) as n from"
        f" core.known_customers) select changed.n > {_FEW} and changed.n * {one_in} >"
        " known.n from changed cross join known"
    ).fetchone()
    if found and found[0]:
        share = {_MOST: "a quarter", _MOST_RATED: "half"}[one_in]
        return f"more than {share} of the customers changed"
    return None
