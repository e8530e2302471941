"""The hashes of all contacts, made for a release: the table `contact_lookup`.

A contact is written in one way as in `project.contacts`, by `sql.contacts` for all at a
time. Where there is no key nothing is read.
"""

from pathlib import Path

import duckdb

from project.contacts import ContactKey
from sql.contacts import GIVEN, WRITTEN, write_in_one_way
from sql.contracts import contract
from sql.selects import create_with_rows, select_in

TABLE = "contact_lookup"
_SELECTS = Path(__file__).parent / "sql" / "contact_hashes"


def make_contact_lookup(
    con: duckdb.DuckDBPyConnection, key: ContactKey | None, country: str
) -> None:
    """Make `marts.contact_lookup` of the customers of the as-of date.

    Args:
        con: has `core.customers`, `staging.identities` and `staging.other_contacts`.
        key: of the hashes; None: the table is empty.
        country: whose telephone numbers those without a country code are.
    """
    create_with_rows(con, ("marts", TABLE), contract("marts", TABLE), ())
    if key is None:
        return
    inner, outer = key.pads
    try:
        given = select_in(_SELECTS / "contacts.sql")
        con.execute(f"create or replace temp table {GIVEN} as {given}")
        write_in_one_way(con, country)
        hashes = select_in(_SELECTS / "hashes.sql")
        con.execute(
            f"insert into marts.{TABLE} {hashes}",
            {"inner_pad": inner, "outer_pad": outer},
        )
    finally:
        for table in (GIVEN, WRITTEN):
            con.execute(f"drop table if exists temp.main.{table}")
