"""The table `contact_lookup`: each contact once a customer, found again by its hash."""

import duckdb
import pytest

from project.contacts import ContactKey, hashes_of
from releases.contact_hashes import make_contact_lookup

KEY = ContactKey(b"0123456789abcdef")
CUSTOMERS = [
    ("ann", "138 0013 8000", "Ann@Example.com"),
    ("bob", "+8613800138000", None),
    ("cid", "call the office", "　cid@example.com "),
    ("dan", None, None),
    ("eve", "", " "),
    ("fay", "010-8888 6666 ext 7", "fay@example.com"),
]
IDENTITIES = [
    ("ann", "phone", "13800138000"),  # again, written in another way
    ("ann", "card", "vip 0001-a"),
    ("bob", "email", "ann@example.COM"),
    ("bob", "openid", "o123"),
    ("gus", "card", "nobody's"),  # no customer yet
]


@pytest.fixture
def con():
    with duckdb.connect() as con:
        for schema in ("core", "staging", "marts"):
            con.execute(f"create schema {schema}")
        con.execute(
            "create table core.customers (customer_id text, phone text, email text)"
        )
        con.executemany("insert into core.customers values (?, ?, ?)", CUSTOMERS)
        con.execute(
            "create table staging.identities"
            " (customer_id text, id_kind text, id_value text)"
        )
        con.executemany("insert into staging.identities values (?, ?, ?)", IDENTITIES)
        con.execute(
            "create table staging.other_contacts as from (values"
            " ('dan', 'phone', '139 0013 9000'), ('gus', 'email', 'gus@example.com'))"
            " as t (customer_id, contact_kind, contact)"
        )
        yield con


def owners(con, contact, key=KEY):
    return con.execute(
        "select contact_kind, customer_id from marts.contact_lookup"
        " where contact_hash in (select unnest($1)) order by all",
        [list(hashes_of(key, contact, "CN").values())],
    ).fetchall()


@pytest.mark.parametrize(
    ("contact", "found"),
    [
        ("13800138000", [("phone", "ann"), ("phone", "bob")]),
        ("+86 138-0013-8000", [("phone", "ann"), ("phone", "bob")]),
        ("ANN@example.com", [("email", "ann"), ("email", "bob")]),
        ("cid@example.com", [("email", "cid")]),
        ("VIP0001A", [("card", "ann")]),
        ("01088886666", [("phone", "fay")]),
        ("13900139000", [("phone", "dan")]),  # under a later id
        ("gus@example.com", []),
        ("o123", []),
        ("nobody's", []),
        ("call the office", []),
    ],
)
def test_a_contact_finds_all_who_have_it(con, contact, found):
    make_contact_lookup(con, KEY, "CN")
    assert owners(con, contact) == found
    assert owners(con, contact, ContactKey(b"another key of it")) == []


def test_a_contact_is_there_once_a_customer_and_nothing_in_clear(con):
    make_contact_lookup(con, KEY, "CN")
    rows = con.execute("select * from marts.contact_lookup").fetchall()
    assert len(rows) == len(set(rows)) == 9
    assert all(len(row[0]) == 64 and int(row[0], 16) for row in rows)
    left = con.execute(
        "select table_name from duckdb_tables() where temporary"
    ).fetchall()
    assert left == []


def test_without_a_key_it_is_empty_and_nothing_is_read():
    with duckdb.connect() as con:
        con.execute("create schema marts")
        make_contact_lookup(con, None, "CN")
        assert con.execute("select count(*) from marts.contact_lookup").fetchone() == (
            0,
        )
