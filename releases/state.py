"""What the tables of the warehouse were computed for.

Whoever changes tables takes the note about them away first, and it is written when they
are complete: what failed or was killed on its way leaves none.
"""

import datetime
from dataclasses import astuple, dataclass

import duckdb

_COMPUTED = "main.computed_for"
_SHARED = "main.shared_dates"


@dataclass(frozen=True)
class Shared:
    """What the tables that serve many as-of dates were made from, and for which."""

    facts_key: str
    first_date: datetime.date
    last_date: datetime.date

    def serves(self, facts_key: str, as_of_date: datetime.date) -> bool:
        """Whether the tables hold for a date, on these facts."""
        is_among = self.first_date <= as_of_date <= self.last_date
        return is_among and self.facts_key == facts_key


def computed_for(con: duckdb.DuckDBPyConnection) -> str | None:
    """The key of the run whose release the tables of the warehouse belong to."""
    try:
        found = con.execute(f"select run_key from {_COMPUTED}").fetchone()
    except duckdb.CatalogException:
        return None
    return None if found is None else str(found[0])


def set_computed_for(con: duckdb.DuckDBPyConnection, run_key: str | None) -> None:
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
        " (facts_key varchar, first_date date, last_date date)"
    )
    if shared is not None:
        con.execute(f"insert into {_SHARED} values (?, ?, ?)", astuple(shared))
