"""What a table of a release becomes in PostgreSQL: types, keys, what is left out."""

import duckdb
import pytest

from releases.postgres.tables import Column, Table, tables_of
from sql.contracts import TYPES


def test_each_type_of_a_contract_has_one_in_postgresql():
    for kind in TYPES.values():
        assert Column("c", kind, None).type
    assert Column("c", "DECIMAL(24,8)[]", None).type == "numeric(24,8)[]"
    assert Column("c", "ENUM('a', 'b')", None).type == "text"


@pytest.mark.parametrize(
    ("name", "names", "key"),
    [
        ("customers", ("customer_id", "is_active"), ("customer_id",)),
        # One of its columns may be null, is not there, or the table is not known.
        ("tier_migrations", ("scheme", "from_tier", "to_tier"), ()),
        ("customers", ("is_active",), ()),
        ("bookings", ("booking_id",), ()),
    ],
)
def test_a_key_is_one_only_where_nothing_of_it_may_be_null(name, names, key):
    columns = tuple(Column(column, "VARCHAR", None) for column in names)
    assert Table("main", name, None, columns).key == key


def test_storage_stays_out_unless_a_role_names_it_and_what_is_left_out():
    with duckdb.connect() as con:
        con.execute("create schema storage")
        for name in ("customers", "customer_tiers"):
            con.execute(f"create table {name} (customer_id varchar)")
        for name in ("overrides_in_force", "tier_stretches"):
            con.execute(f"create table storage.{name} (customer_id varchar)")
        found = [table.name for table in tables_of(con, ("customer_tiers",))]
    assert found == ["customers", "overrides_in_force"]
