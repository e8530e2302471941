"""The tiers of all graded dates, with what was stated of them before: bitemporal.

Valid time is the as-of dates that were graded; known time is when a release stated
their tiers. The history is part of every release: the history of the release published
last, and what the new one states. So it outlives the folders of old releases, needs no
store of its own, and a release that is given up leaves no trace in it. A release that
was retracted is taken out of it first (see `cleared_history`). Only what the new
statement changes is worked out; the rest is copied.

Three tables hold it, in the schema `storage` of the release:

    open_tiers        a row per customer: for each scheme the tier that no later date
                      has ended, which is all that most customers ever have
    tier_stretches    a row per stretch that is over, was restated, or is about a scope
    tier_statements   a row per release
    tier_trend_statements
                      a row per release, scheme and tier: how many had it

The view `customer_tier_history` shows the first three as one table, and `tier_trend`
the last one: of each date what was stated last. Selects that are the same for
every release stand in `releases/sql/tier_history/`; those with columns for each scheme
are written here.
"""

import datetime
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from releases import reading
from releases.building import CATALOG
from sql.contracts import STORAGE
from sql.selects import Params, quoted, select_in, text, used

STATEMENTS = "tier_statements"
OPEN = "open_tiers"
STRETCHES = "tier_stretches"
VIEW = "customer_tier_history"
TREND_STATEMENTS = "tier_trend_statements"
TREND = "tier_trend"

_SELECTS = Path(__file__).parent / "sql" / "tier_history"
_BASE = "history_base"  # the release whose history goes on
_RESULTS = quoted(CATALOG, STORAGE, "scheme_results")
_OPEN_COLUMNS = ("tier", "valid_from", "statement_no")  # of open_tiers, by scheme
_NEW = "new_tier"

# Temporary views of the base's tables, or empty tables of the same columns: the selects
# then need not know whether there is a base.
_KNOWN_STATEMENTS, _KNOWN_STRETCHES = "known_statements", "known_stretches"
_KNOWN_OPEN = "known_open_tiers"
_KNOWN_TREND = "known_trend"
_KNOWN: Mapping[str, tuple[str, str]] = {
    _KNOWN_STATEMENTS: (
        STATEMENTS,
        (
            "statement_no integer, release_id varchar, as_of_date date,"
            " published_at timestamptz, schemes varchar[]"
        ),
    ),
    _KNOWN_STRETCHES: (
        STRETCHES,
        (
            "customer_id varchar, scheme varchar, scope varchar, tier varchar,"
            " valid_from date, valid_to date, statement_no integer, restated_no integer"
        ),
    ),
    _KNOWN_OPEN: (OPEN, "customer_id varchar"),
    _KNOWN_TREND: (
        TREND_STATEMENTS,
        (
            "statement_no integer, scheme varchar, tier varchar, n_customers bigint,"
            " spend_12m_amount decimal(18, 2)"
        ),
    ),
}

# The tables of the base, by the names that the selects have for them.
KNOWN_TABLES: Mapping[str, str] = {name: table for name, (table, _) in _KNOWN.items()}

# The selects that are the same for every release: table or view → file.
_FILES: Mapping[str, str] = {
    STATEMENTS: "statements",
    STRETCHES: "stretches",
    TREND_STATEMENTS: "trend_statements",
    TREND: "view_of_trend",
}

# Temporary tables of what the new statement changes.
GRADED, _MOVED, _CHANGED = "graded_schemes", "moved_customers", "changed_tiers"


@contextmanager
def continued(
    con: duckdb.DuckDBPyConnection,
    base: Path | None,
    *,
    release_id: str,
    as_of_date: datetime.date,
    published_at: datetime.datetime,
    number: int | None = None,
) -> Iterator["TierHistory"]:
    """The history of the release that is being built, after the one published last.

    The tables of results and the view `customer_tiers` must stand in the new release.
    What is attached and worked out on the way is removed at the end.

    Args:
        con: a connection with the new release attached as `release`.
        base: the database of the release published last; None for the first.
        release_id: the new release.
        as_of_date: the date that it describes.
        published_at: since when it is known; later than all statements before.
        number: of the statement; default: the one after the last.

    Raises:
        RunError: the base is damaged or missing.
    """
    schema = None if base is None else _attach(con, base)
    views = {
        name: table
        for name, (table, _) in _KNOWN.items()
        if schema is not None and reading.schema_of(con, _BASE, table) is not None
    }
    try:
        for name, (_, columns) in _KNOWN.items():
            if name not in views:
                con.execute(f"create temp table {name} ({columns})")
            else:
                con.execute(f"create temp view {name} as from {schema}.{views[name]}")
        history = TierHistory(
            con,
            {
                "as_of_date": as_of_date,
                "number": number or _last_number(con) + 1,
                "release_id": release_id,
                "published_at": published_at.isoformat(),
            },
            next_dates=_graded_schemes(con, as_of_date),
            stated=_tier_types(con, _RESULTS),
            known={} if schema is None else _tier_types(con, _KNOWN_OPEN),
            has_base=schema is not None,
        )
        history.find_changes()
        yield history
    finally:
        for table in (_CHANGED, _MOVED, GRADED):
            con.execute(f"drop table if exists temp.{table}")
        for name in _KNOWN:
            kind = "view" if name in views else "table"
            con.execute(f"drop {kind} if exists temp.{name}")
        if schema is not None:
            con.execute(f"detach {_BASE}")


def _attach(con: duckdb.DuckDBPyConnection, base: Path) -> str | None:
    """Attach the base; the quoted schema of its history.

    None where an earlier version of Fenji published it without one; it is detached
    again.
    """
    reading.attach(con, base, _BASE)
    schema = reading.schema_of(con, _BASE, OPEN)
    if schema is None:
        con.execute(f"detach {_BASE}")
        return None
    return quoted(_BASE, schema)


def _last_number(con: duckdb.DuckDBPyConnection) -> int:
    """The number of the last statement that is known; 0 where there is none."""
    (number,) = con.execute(
        f"select coalesce(max(statement_no), 0) from {_KNOWN_STATEMENTS}"
    ).fetchall()[0]
    return int(number)


def _graded_schemes(
    con: duckdb.DuckDBPyConnection, as_of_date: datetime.date
) -> dict[str, datetime.date | None]:
    """Make the table of schemes that the release grades by, with their next dates."""
    _make_temporary(con, GRADED, graded_select(), {"as_of_date": as_of_date})
    rows = con.execute(f"select scheme, next_date from {GRADED} order by scheme")
    return dict(rows.fetchall())


def graded_select() -> str:
    """The select of the schemes that the release grades by."""
    return select_in(_SELECTS / "graded_schemes.sql")


def _tier_types(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """The schemes that a table has a column `<scheme>__tier` of, and its type."""
    types = {}
    for name, kind, *_ in con.execute(f"describe {table}").fetchall():
        scheme, _, what = name.partition("__")
        if what == "tier":
            types[scheme] = kind
    return types


def _make_temporary(
    con: duckdb.DuckDBPyConnection, table: str, select: str, params: Params
) -> None:
    con.execute(
        f"create or replace temp table {table} as {select}", used(params, select)
    )


@dataclass(frozen=True)
class TierHistory:
    """The history of the release that is being built; made by `continued`.

    Args:
        con: a connection with the new release, and with the temporary tables.
        params: of the selects: date, number, release and time of the statement.
        next_dates: the schemes that the release grades by, in order, each with the next
            later date that it graded before; None where there is none.
        stated: the schemes whose tiers the release has a column of, and its type.
        known: the schemes whose open tiers the base has a column of, and its type.
        has_base: whether there is a history that goes on.
    """

    con: duckdb.DuckDBPyConnection
    params: Params
    next_dates: Mapping[str, datetime.date | None]
    stated: Mapping[str, str]
    known: Mapping[str, str]
    has_base: bool

    @property
    def schemes(self) -> tuple[str, ...]:
        """The schemes that the release grades by, in order."""
        return tuple(self.next_dates)

    def select(self, table: str) -> str:
        """The select of a table of the history, or of the view over them."""
        if table in _FILES:
            return select_in(_SELECTS / f"{_FILES[table]}.sql")
        parts = self._open_tiers() if table == OPEN else self._view_branches()
        return "\nunion all\n".join(parts)

    def write(self, table: str) -> None:
        """Make a table of the history in the new release."""
        select = self.select(table)
        target = quoted(CATALOG, STORAGE, table)
        params = used(self.params, select)
        self.con.execute(f"create table {target} as {select}", params)

    # What the new release states otherwise.

    def find_changes(self) -> None:
        """Make the tables of what differs: customers, and their tiers one by one."""
        for table, select in self.temporary_tables.items():
            _make_temporary(self.con, table, select, self.params)

    @property
    def temporary_tables(self) -> Mapping[str, str]:
        """The tables of what differs, in order: table → select."""
        tables = {}
        changes = [select_in(_SELECTS / "scoped_changes.sql")]
        if self.has_base:
            tables[_MOVED] = self._moved_customers()
            for scheme in self.stated:
                changes += self._changes_of(scheme)
        return {**tables, _CHANGED: "\nunion all\n".join(changes)}

    def _moved_customers(self) -> str:
        """The customers of whom something differs, with the tiers known and new."""
        customer = "coalesce(known.customer_id, results.customer_id) as customer_id"
        known = [
            f"known.{_column(scheme, part)}"
            for scheme in self.known
            for part in _OPEN_COLUMNS
        ]
        new = [
            f"results.{_column(scheme)} as {_column(scheme, _NEW)}"
            for scheme in self.stated
        ]
        differs = " or ".join(self._differs(scheme) for scheme in self.stated)
        return (
            f"select {', '.join([customer, *known, *new])} from {_KNOWN_OPEN} as known"
            f" full outer join {_RESULTS} as results"
            " on known.customer_id = results.customer_id"
            f" where {differs or 'false'}"
        )

    def _differs(self, scheme: str) -> str:
        """The condition that the release may state of a scheme what was not known."""
        new = f"results.{_column(scheme)}"
        if scheme not in self.known:
            return f"{new} is not null"
        tier, since = (f"known.{_column(scheme, part)}" for part in _OPEN_COLUMNS[:2])
        if self.known[scheme] != self.stated[scheme]:
            tier, new = f"{tier}::varchar", f"{new}::varchar"
        differs = f"{tier} is distinct from {new}"
        if self.next_dates[scheme] is None:
            return differs
        # What was known of an earlier date may stand among the stretches that are over.
        return f"(coalesce({since} > $as_of_date, true) or {differs})"

    def _changes_of(self, scheme: str) -> Iterator[str]:
        """The customers whose tier by a scheme differs from what was known."""
        if scheme not in self.known:
            return
        new = f"moved.{_column(scheme, _NEW)}::varchar"
        tier, since, number = (
            f"moved.{_column(scheme, part)}" for part in _OPEN_COLUMNS
        )
        yield (
            f"select moved.customer_id, {text(scheme)} as scheme, '' as scope,"
            f" {new} as new_tier, {tier}::varchar as tier, {since} as valid_from,"
            f" null::date as valid_to, {number} as statement_no, true as is_open"
            f" from {_MOVED} as moved where {since} <= $as_of_date"
            f" and {tier}::varchar is distinct from {new}"
        )
        if self.next_dates[scheme] is None:
            return
        yield (
            f"select moved.customer_id, {text(scheme)}, '', {new}, past.tier,"
            " past.valid_from, past.valid_to, past.statement_no, false"
            f" from {_MOVED} as moved left join {_KNOWN_STRETCHES} as past"
            " on moved.customer_id = past.customer_id"
            f" and past.scheme = {text(scheme)} and past.scope = ''"
            " and past.restated_no is null and past.valid_from <= $as_of_date"
            " and past.valid_to > $as_of_date"
            f" where coalesce({since} > $as_of_date, true)"
            f" and past.tier is distinct from {new}"
        )

    # The tables whose columns follow from the schemes.

    def _open_tiers(self) -> Iterator[str]:
        """First the customers who stay as they are, in their order; then the others."""
        types = {
            scheme: self._tier_type(scheme) for scheme in {**self.known, **self.stated}
        }
        if self.has_base:
            unchanged = [
                f"{value} as {_column(scheme, part)}"
                for scheme, kind in types.items()
                for part, value in zip(
                    _OPEN_COLUMNS, self._as_known(scheme, kind, "known"), strict=True
                )
            ]
            columns = ", ".join(["known.customer_id", *unchanged])
            yield (
                f"select {columns} from {_KNOWN_OPEN} as known"
                f" anti join {_MOVED} as moved on known.customer_id = moved.customer_id"
            )
        stated = [
            f"{value} as {_column(scheme, part)}"
            for scheme, kind in types.items()
            for part, value in zip(
                _OPEN_COLUMNS, self._as_stated(scheme, kind), strict=True
            )
        ]
        columns = ", ".join(["moved.customer_id", *stated])
        moved = self._moved_or_all()
        yield f"(select {columns} from {moved} as moved order by customer_id)"

    def _moved_or_all(self) -> str:
        """The customers who differ: all of them, where nothing was known."""
        if self.has_base:
            return _MOVED
        new = [
            f"{_column(scheme)} as {_column(scheme, _NEW)}" for scheme in self.stated
        ]
        return f"(select {', '.join(['customer_id', *new])} from {_RESULTS})"

    def _tier_type(self, scheme: str) -> str:
        """The type that holds the tiers known and those stated now."""
        kinds = [
            types[scheme] for types in (self.stated, self.known) if scheme in types
        ]
        if len(set(kinds)) == 1:
            return kinds[0]
        both = " || ".join(f"enum_range(null::{kind})::varchar[]" for kind in kinds)
        ((tiers,),) = self.con.execute(f"select {both}").fetchall()
        return f"enum({', '.join(text(tier) for tier in dict.fromkeys(tiers))})"

    def _as_known(self, scheme: str, kind: str, relation: str) -> tuple[str, str, str]:
        """Tier, first day and statement of a scheme as they were known."""
        if scheme not in self.known:
            return f"null::{kind}", "null::date", "null::integer"
        tier, since, number = (
            f"{relation}.{_column(scheme, part)}" for part in _OPEN_COLUMNS
        )
        if self.known[scheme] != kind:
            tier = f"{tier}::varchar::{kind}"
        return tier, since, number

    def _as_stated(self, scheme: str, kind: str) -> tuple[str, str, str]:
        """Tier, first day and statement of a scheme as the new release states them."""
        tier, since, number = self._as_known(scheme, kind, "moved")
        if scheme not in self.stated:
            return tier, since, number
        new = f"moved.{_column(scheme, _NEW)}"
        differs = f"{tier}::varchar is distinct from {new}::varchar"
        next_date = self.next_dates[scheme]
        if next_date is not None:
            # Of a date before others: what holds now began after it at the earliest.
            is_cut = f"{since} <= $as_of_date and {differs}"
            first_day = f"date {text(next_date.isoformat())}"
            return tier, f"if({is_cut}, {first_day}, {since})", number
        new_since = f"if({new} is not null, $as_of_date, null)"
        new_number = f"if({new} is not null, $number, null)"
        return (
            f"{new}::varchar::{kind}",
            f"if({differs}, {new_since}, {since})::date",
            f"if({differs}, {new_number}, {number})::integer",
        )

    def _view_branches(self) -> Iterator[str]:
        """A branch per scheme, and one of the stretches; names no catalog."""
        for scheme in sorted({**self.known, **self.stated}):
            tier, since, number = (
                f"tiers.{_column(scheme, part)}" for part in _OPEN_COLUMNS
            )
            yield (
                f"select tiers.customer_id, {text(scheme)} as scheme, '' as scope,"
                f" {tier}::varchar as tier, {since} as valid_from,"
                " null::date as valid_to, stated.published_at as known_from,"
                f" null::timestamptz as known_to from {STORAGE}.{OPEN} as tiers"
                f" inner join {STORAGE}.{STATEMENTS} as stated"
                f" on {number} = stated.statement_no where {tier} is not null"
            )
        yield select_in(_SELECTS / "view_of_stretches.sql")


def _column(scheme: str, part: str = "tier") -> str:
    """The quoted column of open_tiers and scheme_results that is about a scheme."""
    return quoted(f"{scheme}__{part}")
