"""The hashes of all contacts, made for a release: the table `contact_lookup`.

A contact is written in one way as in `project.contacts`, here for all at a time: plain
numbers, e-mail addresses and cards in SQL, other telephone numbers by the package
phonenumbers, each once. Where there is no key nothing is read.
"""

from pathlib import Path

import duckdb

from project.contacts import (
    BETWEEN_CARD,
    BETWEEN_PHONE,
    BLANKS,
    ContactKey,
    parsed_phone,
    plain_numbers,
)
from sql.contracts import contract
from sql.selects import create_with_rows, select_in, used

TABLE = "contact_lookup"
_SELECTS = Path(__file__).parent / "sql" / "contact_hashes"


def make_contact_lookup(
    con: duckdb.DuckDBPyConnection, key: ContactKey | None, country: str
) -> None:
    """Make `marts.contact_lookup` of the customers of the as-of date.

    Args:
        con: has `core.customers` and `staging.identities`.
        key: of the hashes; None: the table is empty.
        country: whose telephone numbers those without a country code are.
    """
    create_with_rows(con, ("marts", TABLE), contract("marts", TABLE), ())
    if key is None:
        return
    code, pattern = plain_numbers(country)
    inner, outer = key.pads
    params: dict[str, str | bytes] = {
        "between_card": BETWEEN_CARD,
        "between_phone": BETWEEN_PHONE,
        "blanks": BLANKS,
        "country_code": str(code),
        # To the end, which regexp_extract does not ask for by itself.
        "plain": f"^{pattern}$",
        "inner_pad": inner,
        "outer_pad": outer,
    }
    try:
        _make_temporary(con, "given_contacts", "contacts", params)
        unusual = con.execute(*_select("unusual_phones", params)).fetchall()
        con.execute(
            "create or replace temp table parsed_phones as"
            " select unnest($1::varchar[]) as contact, unnest($2::varchar[]) as normal",
            [
                [phone for (phone,) in unusual],
                [parsed_phone(phone, country) for (phone,) in unusual],
            ],
        )
        select, given = _select("hashes", params)
        con.execute(f"insert into marts.{TABLE} {select}", given)
    finally:
        for table in ("given_contacts", "parsed_phones"):
            con.execute(f"drop table if exists temp.main.{table}")


def _make_temporary(
    con: duckdb.DuckDBPyConnection,
    table: str,
    name: str,
    params: dict[str, str | bytes],
) -> None:
    select, given = _select(name, params)
    con.execute(f"create or replace temp table {table} as {select}", given)


def _select(
    name: str, params: dict[str, str | bytes]
) -> tuple[str, dict[str, str | bytes]]:
    """A select of this module, and those of the parameters that it names."""
    select = select_in(_SELECTS / f"{name}.sql")
    return select, {key: params[key] for key in used(dict.fromkeys(params), select)}
