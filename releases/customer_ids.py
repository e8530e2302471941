"""Merges and splits of customers since the release before: `customer_id_changes`.

A release says which ids are one customer as of its date. Here two releases are held
against each other; who is one customer is decided in `ingest.identity`.
"""

from pathlib import Path

import duckdb

from project.folder import Project
from releases import reading, store
from releases.previous import Previous
from sql.contracts import contract
from sql.selects import column_names, create_with_rows, select_in

TABLE = "customer_id_changes"
_CATALOG = "former_ids"
_SELECTS = Path(__file__).parent / "sql" / "customer_ids"


def make_changes(
    con: duckdb.DuckDBPyConnection, project: Project, previous: Previous | None
) -> None:
    """Make `marts.customer_id_changes`.

    Args:
        con: has `marts.customer_ids`.
        project: the project.
        previous: the release before; None where there is none.

    Raises:
        RunError: the database of the release before is damaged.
    """
    create_with_rows(con, ("marts", TABLE), contract("marts", TABLE), ())
    if previous is None:
        return
    database = store.database(project, previous.release_id)
    if not database.is_file():
        return
    reading.attach(con, database, _CATALOG)
    try:
        _take_former(con)
        con.execute(
            f"insert into marts.{TABLE} {select_in(_SELECTS / 'changes.sql')}",
            {"from_as_of_date": previous.as_of_date},
        )
    finally:
        for name in ("previous_ids", "previous_customers"):
            con.execute(f"drop table if exists temp.main.{name}")
        con.execute(f"detach {_CATALOG}")


def _take_former(con: duckdb.DuckDBPyConnection) -> None:
    """Copy what the release before says of ids that are, or were, linked."""
    ids = "select null::varchar as given_id, null::varchar as customer_id where false"
    if column_names(
        con, "main.customer_ids", _CATALOG
    ):  # older ones have no such table
        ids = f"select given_id, customer_id from {_CATALOG}.main.customer_ids"
    con.execute(f"create or replace temp table previous_ids as {ids}")
    con.execute(
        "create or replace temp table previous_customers as select customer_id"
        f" from {_CATALOG}.main.customer_metrics"
        " where customer_id in (select given_id from marts.customer_ids)"
    )
