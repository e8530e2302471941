"""For which run the tables of the warehouse were computed.

Whoever changes them takes the note away first, and a run writes it when its release is
published: a run that failed or was killed on its way leaves none.
"""

import duckdb

_TABLE = "main.computed_for"


def computed_for(con: duckdb.DuckDBPyConnection) -> str | None:
    """The key of the run whose release the tables of the warehouse belong to."""
    try:
        found = con.execute(f"select run_key from {_TABLE}").fetchone()
    except duckdb.CatalogException:
        return None
    return None if found is None else str(found[0])


def set_computed_for(con: duckdb.DuckDBPyConnection, run_key: str | None) -> None:
    """Note the key of the run that is published; None before tables change."""
    con.execute(f"create or replace table {_TABLE} (run_key varchar)")
    if run_key is not None:
        con.execute(f"insert into {_TABLE} values ($key)", {"key": run_key})
