"""Contacts of a whole table, each written in one way.

What one way is stands in `project.contacts`; here the same is done for all rows at a
time: plain telephone numbers, e-mail addresses and cards in SQL, other telephone
numbers by the package phonenumbers, each once. Tables are temporary: contacts are
personal, and nothing of them stays.
"""

from collections.abc import Callable
from pathlib import Path

import duckdb

from project.contacts import (
    BETWEEN_CARD,
    BETWEEN_PHONE,
    BLANKS,
    parsed_phone,
    plain_numbers,
)
from sql.selects import select_in, used

GIVEN = "given_contacts"  # customer_id, contact_kind, contact
WRITTEN = "written_contacts"  # customer_id, contact_kind, contact; null of no contact
_SELECTS = Path(__file__).parent / "contacts"


def write_in_one_way(
    con: duckdb.DuckDBPyConnection,
    country: str,
    parse: Callable[[str, str], str | None] = parsed_phone,
) -> None:
    """Make `temp.written_contacts` of the telephone numbers, addresses and cards given.

    Args:
        con: has `temp.given_contacts`; the caller drops both.
        country: whose telephone numbers those without a country code are.
        parse: writes a telephone number that is not plain, of a country.
    """
    code, pattern = plain_numbers(country)
    params = {
        "between_card": BETWEEN_CARD,
        "between_phone": BETWEEN_PHONE,
        "blanks": BLANKS,
        "country_code": str(code),
        # To the end, which regexp_extract does not ask for by itself.
        "plain": f"^{pattern}$",
    }
    try:
        _make(con, "compact_contacts", "compact", params)
        select = select_in(_SELECTS / "unusual_phones.sql")
        unusual = con.execute(select, used(params, select)).fetchall()
        con.execute(
            "create or replace temp table parsed_phones as"
            " select unnest($1::varchar[]) as contact, unnest($2::varchar[]) as normal",
            [
                [phone for (phone,) in unusual],
                [parse(phone, country) for (phone,) in unusual],
            ],
        )
        _make(con, WRITTEN, "written", params)
    finally:
        for table in ("compact_contacts", "parsed_phones"):
            con.execute(f"drop table if exists temp.main.{table}")


def _make(
    con: duckdb.DuckDBPyConnection, table: str, name: str, params: dict[str, str]
) -> None:
    select = select_in(_SELECTS / f"{name}.sql")
    given = used(params, select)
    con.execute(f"create or replace temp table {table} as {select}", given)
