"""What the tables of the warehouse were made for: one by one, and all together.

Whoever changes tables takes the note about them away first, and it is written when they
are complete: what failed or was killed on its way leaves none.
"""

import datetime
from collections.abc import Mapping
from dataclasses import astuple, dataclass

import duckdb

_COMPUTED = "main.computed_for"
_SHARED = "main.shared_dates"
_METRICS = "main.metrics_made"
_MADE = "main.tables_made"
_PLAN = "main.plan_parts"


@dataclass(frozen=True)
class Made:
    """What a table was made for: the key of what is in it, and the as-of dates."""

    key: str  # of the run; of the facts, where dates share it; of the landing files
    first_date: datetime.date | None  # None: it serves every date
    last_date: datetime.date | None
    reads: tuple[str, ...] = ()  # what it was made from, as layer.table

    @property
    def dates(self) -> str:
        """The dates that it serves, as they are written."""
        if self.first_date == self.last_date:
            return str(self.first_date)
        return f"{self.first_date} to {self.last_date}"


@dataclass(frozen=True)
class Shared:
    """What the tables that serve many as-of dates were made from, and for which."""

    facts_key: str
    first_date: datetime.date
    last_date: datetime.date
    rules_key: str = ""  # of the settings, schemes and code alone

    def serves(self, facts_key: str, as_of_date: datetime.date) -> bool:
        """Whether the tables hold for a date, on these facts."""
        is_among = self.first_date <= as_of_date <= self.last_date
        return is_among and self.facts_key == facts_key


def noted_run_key(con: duckdb.DuckDBPyConnection) -> str | None:
    """The key of the run whose release the tables of the warehouse belong to."""
    try:
        found = con.execute(f"select run_key from {_COMPUTED}").fetchone()
    except duckdb.CatalogException:
        return None
    return None if found is None else str(found[0])


def note_run_key(con: duckdb.DuckDBPyConnection, run_key: str | None) -> None:
    """Note the key of the run that is published; None before tables change."""
    con.execute(f"create or replace table {_COMPUTED} (run_key varchar)")
    if run_key is not None:
        con.execute(f"insert into {_COMPUTED} values ($key)", {"key": run_key})


def shared_for(con: duckdb.DuckDBPyConnection) -> Shared | None:
    """What the shared tables of the warehouse were made for; None: they are not."""
    try:
        found = con.execute(f"from {_SHARED}").fetchone()
    except duckdb.CatalogException:
        return None
    return None if found is None else Shared(*found)


def set_shared_for(con: duckdb.DuckDBPyConnection, shared: Shared | None) -> None:
    """Note what the shared tables are made for; None before they change."""
    con.execute(
        f"create or replace table {_SHARED}"
        " (facts_key varchar, first_date date, last_date date, rules_key varchar)"
    )
    if shared is not None:
        con.execute(f"insert into {_SHARED} values (?, ?, ?, ?)", astuple(shared))


@dataclass(frozen=True)
class KeptMetrics:
    """What the tables of metrics were made from, for which date, and by what."""

    facts_key: str
    as_of_date: datetime.date
    selects: Mapping[str, str]  # table of `core` → digest of the select that makes it


def kept_metrics(con: duckdb.DuckDBPyConnection) -> KeptMetrics | None:
    """What the tables of metrics were made from; None: they are not complete."""
    try:
        rows = con.execute(f"from {_METRICS}").fetchall()
    except duckdb.CatalogException:
        return None
    if not rows:
        return None
    facts_key, as_of_date, *_ = rows[0]
    selects = {table: digest for *_, table, digest in rows}
    return KeptMetrics(facts_key, as_of_date, selects)


def set_kept_metrics(con: duckdb.DuckDBPyConnection, kept: KeptMetrics | None) -> None:
    """Note what the tables of metrics are made from; None before they change."""
    con.execute(
        f"create or replace table {_METRICS} (facts_key varchar, as_of_date date,"
        " table_name varchar, select_digest varchar)"
    )
    if kept is not None:
        con.execute(
            f"insert into {_METRICS} select $facts_key, $as_of_date::date,"
            " unnest($tables::varchar[]), unnest($digests::varchar[])",
            {
                "facts_key": kept.facts_key,
                "as_of_date": kept.as_of_date,
                "tables": list(kept.selects),
                "digests": list(kept.selects.values()),
            },
        )


def made(con: duckdb.DuckDBPyConnection) -> dict[str, Made]:
    """The tables of the warehouse that are complete, as layer.table, and what for."""
    try:
        rows = con.execute(f"from {_MADE}").fetchall()
    except duckdb.CatalogException:
        con.execute(
            f"create table {_MADE}"
            " (name varchar, key varchar, first_date date, last_date date,"
            " reads varchar[])"
        )
        return {}
    return {
        name: Made(key, first_date, last_date, tuple(reads))
        for name, key, first_date, last_date, reads in rows
    }


def set_made(con: duckdb.DuckDBPyConnection, made_for: Mapping[str, Made]) -> None:
    """Note what all tables are made for, in place of what was noted."""
    notes = made_for.values()
    con.execute(f"delete from {_MADE}")
    con.execute(
        f"insert into {_MADE} select unnest($names), unnest($keys),"
        " unnest($first_dates::date[]), unnest($last_dates::date[]),"
        " unnest($reads::varchar[][])",
        {
            "names": list(made_for),
            "keys": [note.key for note in notes],
            "first_dates": [note.first_date for note in notes],
            "last_dates": [note.last_date for note in notes],
            "reads": [list(note.reads) for note in notes],
        },
    )


def parts_of_plan(con: duckdb.DuckDBPyConnection, plan_key: str) -> dict[str, str]:
    """What is kept of the plan of a key: part → its value as JSON."""
    try:
        rows = con.execute(
            f"select part, content from {_PLAN} where plan_key = $key",
            {"key": plan_key},
        ).fetchall()
    except duckdb.CatalogException:
        return {}
    return dict(rows)


def set_parts_of_plan(
    con: duckdb.DuckDBPyConnection, plan_key: str, parts: Mapping[str, str]
) -> None:
    """Keep the parts of one plan, in place of all that was kept of any."""
    con.execute(
        f"create or replace table {_PLAN} as select $key::varchar as plan_key,"
        " unnest($parts::varchar[]) as part, unnest($contents::varchar[]) as content",
        {
            "key": plan_key,
            "parts": list(parts),
            "contents": list(parts.values()),
        },
    )
