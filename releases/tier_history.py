"""The tiers of all graded dates, with what was said of them before: bitemporal.

Valid time are the as-of dates that were graded, known time is when a release stated
their tiers. The history is part of every release: that of the release published last,
and what the new one states. So it outlives the folders of old releases, needs no store
of its own, and a release that is given up leaves no trace in it. One that was retracted
is taken out of it first (see `cleared_history`). Only what the new
statement changes is worked out; the rest is copied.

Three tables hold it. `open_tiers` has a row per customer: for each scheme the tier
that no later date has ended, which is all that most customers ever have.
`tier_stretches` has a row per stretch that is over, was restated, or is about a scope.
`tier_statements` has a row per release. The view `customer_tier_history` shows them as
one table.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from releases import reading
from releases.building import CATALOG
from sql.contracts import STORAGE
from sql.selects import Params, quoted, text, used

STATEMENTS = "tier_statements"
OPEN = "open_tiers"
STRETCHES = "tier_stretches"
VIEW = "customer_tier_history"

_BASE = "history_base"  # the release whose history goes on
_RESULTS = quoted(CATALOG, STORAGE, "scheme_results")
_KNOWN = ("tier", "valid_from", "statement_no")  # what open_tiers has of each scheme
_NEW = "new_tier"
_MOVED, _CHANGED, _GRADED = "moved_customers", "changed_tiers", "graded_schemes"


@dataclass(frozen=True)
class _Dates:
    """Where the stated date lies among those that were graded by a scheme before."""

    after: datetime.date | None  # the next later one
    is_restated: bool  # it lies among them: something was known of it


class TierHistory:
    """The history of the release that is being built, from the one published last.

    The tables of results and the view `customer_tiers` must stand in the new release.

    Args:
        con: a connection with the new release attached as `release`.
        base: the database of the release published last; None for the first.
        release_id: the new release.
        as_of_date: the date that it describes.
        published_at: since when it is known; later than all statements before.
        number: of the statement; default: the one after the last.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        base: Path | None,
        *,
        release_id: str,
        as_of_date: datetime.date,
        published_at: datetime.datetime,
        number: int | None = None,
    ) -> None:
        self.con = con
        self.as_of_date = as_of_date
        self.base = _BASE  # with its schema, where there is one
        self.has_base = base is not None and self._attach(base)
        before = self._statements()
        self.number = number or max(before, default=0) + 1
        self.schemes = self._names(
            f"select scheme from {CATALOG}.main.schemes where is_applicable"
            " order by scheme"
        )
        self.dates = {one: self._dates(one, before) for one in self.schemes}
        # The schemes that have a column of tiers: name → its type.
        self.now = self._tier_types(_RESULTS)
        self.known = self._tier_types(f"{self.base}.{OPEN}") if self.has_base else {}
        self.params: Params = {
            "as_of_date": as_of_date,
            "number": self.number,
            "release_id": release_id,
            "published_at": published_at.isoformat(),
        }
        self._find_changes()

    def select(self, table: str) -> str:
        """The select of a table of the history, or of the view over them."""
        parts = {
            STATEMENTS: self._statement_parts,
            OPEN: self._open_parts,
            STRETCHES: self._stretch_parts,
            VIEW: self._view_parts,
        }
        return "\nunion all\n".join(parts[table]())

    def write(self, table: str) -> None:
        """Make a table of the history in the new release."""
        select = self.select(table)
        target = quoted(CATALOG, STORAGE, table)
        given = used(self.params, select)
        self.con.execute(f"create table {target} as {select}", given)

    def close(self) -> None:
        """Let go of the earlier release and of what was found out on the way."""
        for table in (_MOVED, _CHANGED, _GRADED):
            self.con.execute(f"drop table if exists temp.{table}")
        if self.has_base:
            self.con.execute(f"detach {_BASE}")

    # What is known already.

    def _attach(self, base: Path) -> bool:
        reading.attach(self.con, base, _BASE)
        schema = reading.schema_of(self.con, _BASE, OPEN)
        if schema is not None:
            self.base = quoted(_BASE, schema)
            return True
        self.con.execute(f"detach {_BASE}")
        return False

    def _statements(self) -> dict[int, tuple[datetime.date, tuple[str, ...]]]:
        """Statement → its date and schemes."""
        if not self.has_base:
            return {}
        rows = self.con.execute(
            f"select statement_no, as_of_date, schemes from {self.base}.{STATEMENTS}"
        ).fetchall()
        return {number: (day, tuple(schemes)) for number, day, schemes in rows}

    def _dates(
        self, scheme: str, before: dict[int, tuple[datetime.date, tuple[str, ...]]]
    ) -> _Dates:
        days = {day for day, schemes in before.values() if scheme in schemes}
        later = [day for day in days if day > self.as_of_date]
        is_restated = bool(later) or self.as_of_date in days
        return _Dates(min(later, default=None), is_restated)

    def _tier_types(self, table: str) -> dict[str, str]:
        """The schemes with a column `<scheme>__tier`, and its type."""
        found = {}
        for name, kind, *_ in self.con.execute(f"describe {table}").fetchall():
            scheme, _, what = name.partition("__")
            if what == "tier":
                found[scheme] = kind
        return found

    def _names(self, query: str) -> tuple[str, ...]:
        return tuple(name for (name,) in self.con.execute(query).fetchall())

    # What the new release states otherwise.

    def _find_changes(self) -> None:
        """Make the tables of what differs: customers, and their tiers one by one."""
        rows = ["(null::varchar, null::date, null::boolean)"]
        rows += [
            f"({text(one)}, {_date(dates.after)}, {dates.is_restated})"
            for one, dates in self.dates.items()
        ]
        self._temporary(
            _GRADED,
            f"select * from (values {', '.join(rows)})"
            " as graded (scheme, next_date, is_restated) where scheme is not null",
        )
        parts = [self._scoped_changes()]
        if self.has_base:
            self._temporary(_MOVED, self._moved_select())
            for scheme in self.now:
                parts += self._changes_of(scheme)
        self._temporary(_CHANGED, "\nunion all\n".join(parts))

    def _temporary(self, table: str, select: str) -> None:
        self.con.execute(
            f"create or replace temp table {table} as {select}",
            used(self.params, select),
        )

    def _moved_select(self) -> str:
        """The customers of whom something differs, with the tiers known and new."""
        new = [f"results.{_column(one)} as {_column(one, _NEW)}" for one in self.now]
        whole = "coalesce(known.customer_id, results.customer_id) as customer_id"
        old = [f"known.{_column(one, what)}" for one in self.known for what in _KNOWN]
        differs = " or ".join(self._differs(one) for one in self.now) or "false"
        return (
            f"select {', '.join([whole, *old, *new])} from {self.base}.{OPEN} as known"
            f" full outer join {_RESULTS} as results"
            " on known.customer_id = results.customer_id"
            f" where {differs}"
        )

    def _differs(self, scheme: str) -> str:
        """Whether the statement may say of a scheme what was not known."""
        new = f"results.{_column(scheme)}"
        if scheme not in self.known:
            return f"{new} is not null"
        tier, since = (f"known.{_column(scheme, what)}" for what in _KNOWN[:2])
        if self.known[scheme] != self.now[scheme]:
            tier, new = f"{tier}::varchar", f"{new}::varchar"
        differs = f"{tier} is distinct from {new}"
        if self.dates[scheme].after is None:
            return differs
        # What was known of an earlier date may stand among the stretches that are over.
        return f"(coalesce({since} > $as_of_date, true) or {differs})"

    def _changes_of(self, scheme: str) -> Iterator[str]:
        """The customers whose tier by a scheme differs from what was known."""
        new = f"moved.{_column(scheme, _NEW)}::varchar"
        if scheme not in self.known:
            return
        tier, since, number = (f"moved.{_column(scheme, what)}" for what in _KNOWN)
        yield (
            f"select moved.customer_id, {text(scheme)} as scheme, '' as scope,"
            f" {new} as new_tier, {tier}::varchar as tier, {since} as valid_from,"
            f" null::date as valid_to, {number} as statement_no, true as is_open"
            f" from {_MOVED} as moved where {since} <= $as_of_date"
            f" and {tier}::varchar is distinct from {new}"
        )
        if self.dates[scheme].after is None:
            return
        yield (
            f"select moved.customer_id, {text(scheme)}, '', {new}, past.tier,"
            " past.valid_from, past.valid_to, past.statement_no, false"
            f" from {_MOVED} as moved left join {self.base}.{STRETCHES} as past"
            " on moved.customer_id = past.customer_id"
            f" and past.scheme = {text(scheme)} and past.scope = ''"
            " and past.restated_no is null and past.valid_from <= $as_of_date"
            " and past.valid_to > $as_of_date"
            f" where coalesce({since} > $as_of_date, true)"
            f" and past.tier is distinct from {new}"
        )

    def _scoped_changes(self) -> str:
        """The same of tiers about a scope, which stand among the stretches."""
        key = "customer_id, scheme, scope"
        columns = f"{key}, tier, valid_from, valid_to, statement_no"
        known = (
            "select null::varchar as customer_id, null::varchar as scheme,"
            " null::varchar as scope, null::varchar as tier, null::date as valid_from,"
            " null::date as valid_to, null::integer as statement_no where false"
        )
        if self.has_base:
            known = (
                f"select {columns} from {self.base}.{STRETCHES} where scope <> ''"
                " and restated_no is null and valid_from <= $as_of_date"
                " and coalesce(valid_to > $as_of_date, true)"
                f" and scheme in (select scheme from {_GRADED})"
            )
        return (
            f"select {key}, stated.tier as new_tier, known.tier, known.valid_from,"
            " known.valid_to, known.statement_no, false as is_open"
            f" from (select {key}, tier from {CATALOG}.main.customer_tiers"
            f" where scope <> '') as stated full outer join ({known}) as known"
            f" using ({key}) where stated.tier is distinct from known.tier"
        )

    # The tables.

    def _statement_parts(self) -> Iterator[str]:
        if self.has_base:
            yield f"select * from {self.base}.{STATEMENTS}"
        yield (
            "select $number::integer as statement_no, $release_id as release_id,"
            " $as_of_date as as_of_date, $published_at::timestamptz as published_at,"
            f" [{', '.join(text(one) for one in self.schemes)}]::varchar[] as schemes"
        )

    def _open_parts(self) -> Iterator[str]:
        """First the customers who stay as they are, in their order; then the others."""
        everyone = {**self.known, **self.now}
        types = {one: self._type(one) for one in everyone}
        if self.has_base:
            kept = [
                f"{value} as {_column(one, what)}"
                for one, kind in types.items()
                for what, value in zip(
                    _KNOWN, self._as_known(one, kind, "known"), strict=True
                )
            ]
            columns = ", ".join(["known.customer_id", *kept])
            yield (
                f"select {columns} from {self.base}.{OPEN} as known"
                f" anti join {_MOVED} as moved on known.customer_id = moved.customer_id"
            )
        stated = [
            f"{value} as {_column(one, what)}"
            for one, kind in types.items()
            for what, value in zip(_KNOWN, self._as_stated(one, kind), strict=True)
        ]
        columns = ", ".join(["moved.customer_id", *stated])
        yield f"(select {columns} from {self._stated()} as moved order by customer_id)"

    def _stated(self) -> str:
        """The customers who differ: all of them, where nothing was known."""
        if self.has_base:
            return _MOVED
        new = [f"{_column(one)} as {_column(one, _NEW)}" for one in self.now]
        return f"(select {', '.join(['customer_id', *new])} from {_RESULTS})"

    def _type(self, scheme: str) -> str:
        """The type that holds the tiers known and those stated now."""
        kinds = [types[scheme] for types in (self.now, self.known) if scheme in types]
        if len(set(kinds)) == 1:
            return kinds[0]
        both = " || ".join(f"enum_range(null::{kind})::varchar[]" for kind in kinds)
        ((codes,),) = self.con.execute(f"select {both}").fetchall()
        return f"enum({', '.join(text(code) for code in dict.fromkeys(codes))})"

    def _as_known(self, scheme: str, kind: str, source: str) -> tuple[str, str, str]:
        """Tier, first day and statement of a scheme as they were known."""
        if scheme not in self.known:
            return f"null::{kind}", "null::date", "null::integer"
        tier, since, number = (f"{source}.{_column(scheme, what)}" for what in _KNOWN)
        if self.known[scheme] != kind:
            tier = f"{tier}::varchar::{kind}"
        return tier, since, number

    def _as_stated(self, scheme: str, kind: str) -> tuple[str, str, str]:
        """The same with what the new release states."""
        tier, since, number = self._as_known(scheme, kind, "moved")
        if scheme not in self.now:
            return tier, since, number
        new = f"moved.{_column(scheme, _NEW)}"
        differs = f"{tier}::varchar is distinct from {new}::varchar"
        after = self.dates[scheme].after
        if after is not None:
            # Of a date before others: what holds now began after it at the earliest.
            cut = f"{since} <= $as_of_date and {differs}"
            return tier, f"if({cut}, {_date(after)}, {since})", number
        begun = f"if({new} is not null, $as_of_date, null)"
        by = f"if({new} is not null, $number, null)"
        return (
            f"{new}::varchar::{kind}",
            f"if({differs}, {begun}, {since})::date",
            f"if({differs}, {by}, {number})::integer",
        )

    def _stretch_parts(self) -> Iterator[str]:
        """What stays, then what the changes leave of each stretch and add to it."""
        columns = (
            "customer_id, scheme, scope, tier, valid_from, valid_to, statement_no,"
            " restated_no"
        )
        if self.has_base:
            kept = ", ".join(f"past.{one}" for one in columns.split(", "))
            yield (
                f"select {kept} from {self.base}.{STRETCHES} as past"
                f" anti join (select * from {_CHANGED} where not is_open) as changed"
                " on past.customer_id = changed.customer_id"
                " and past.scheme = changed.scheme and past.scope = changed.scope"
                " and past.valid_from = changed.valid_from"
                " and past.restated_no is null"
            )
        day, end, at = "$as_of_date", "graded.next_date", "changed.statement_no"
        none = "null::integer"
        goes_on = f"{end} is not null and coalesce({end} < valid_to, true)"
        pieces = (
            # Before the date nothing changes.
            ("tier", "valid_from", day, at, none, f"valid_from < {day}"),
            # On it, up to the next one graded, the tier was another, as far as known.
            ("tier", day, end, at, "$number", "is_restated"),
            # After it nothing changes; what has no end yet stays in open_tiers.
            ("tier", end, "valid_to", at, none, f"not is_open and {goes_on}"),
            # Only the latest date's tier has no end yet.
            (
                "new_tier",
                day,
                end,
                "$number",
                none,
                f"{end} is not null or scope <> ''",
            ),
        )
        made = "\nunion all\n".join(
            f"select customer_id, changed.scheme, scope, {tier} as tier,"
            f" {start}::date as valid_from, {stop}::date as valid_to,"
            f" {by}::integer as statement_no, {again}::integer as restated_no"
            f" from {_CHANGED} as changed inner join {_GRADED} as graded"
            f" on changed.scheme = graded.scheme"
            f" where {tier} is not null and ({condition})"
            for tier, start, stop, by, again, condition in pieces
        )
        yield f"(select {columns} from ({made}) order by all)"

    def _view_parts(self) -> Iterator[str]:
        """A branch per scheme, and one of the stretches; names no catalog."""
        known = (
            "stated.published_at as known_from,"
            " {} as known_to from {} as {} inner join"
            f" {STORAGE}.{STATEMENTS} as stated on {{}} = stated.statement_no"
        )
        for scheme in sorted({**self.known, **self.now}):
            tier, since, number = (f"tiers.{_column(scheme, one)}" for one in _KNOWN)
            rest = known.format(
                "null::timestamptz", f"{STORAGE}.{OPEN}", "tiers", number
            )
            yield (
                f"select tiers.customer_id, {text(scheme)} as scheme, '' as scope,"
                f" {tier}::varchar as tier, {since} as valid_from,"
                f" null::date as valid_to, {rest} where {tier} is not null"
            )
        rest = known.format(
            "restated.published_at",
            f"{STORAGE}.{STRETCHES}",
            "past",
            "past.statement_no",
        )
        yield (
            "select past.customer_id, past.scheme, past.scope, past.tier,"
            f" past.valid_from, past.valid_to, {rest}"
            f" left join {STORAGE}.{STATEMENTS} as restated"
            " on past.restated_no = restated.statement_no"
        )


def _column(scheme: str, what: str = "tier") -> str:
    return quoted(f"{scheme}__{what}")


def _date(day: datetime.date | None) -> str:
    return "null::date" if day is None else f"date {text(day.isoformat())}"
