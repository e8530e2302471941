"""How complete the feeds are, counted over all of them."""

from decimal import Decimal

import duckdb
import pytest

from sql.contracts import contract, feeds
from sql.readiness import data_readiness_select
from sql.selects import quoted


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute("create schema staging")
        for name, feed in feeds().items():
            columns = ", ".join(
                f"{quoted(column.name)} {column.duckdb_type}" for column in feed.columns
            )
            con.execute(f"create table staging.{name} ({columns})")
        yield con


def found(con):
    rows = con.execute(data_readiness_select()).fetchall()
    return {(feed, column): tuple(rest) for feed, column, *rest in rows}


def test_every_column_of_every_feed_is_there_also_without_rows(con):
    assert found(con) == {
        (name, column.name): (0, None)
        for name, feed in feeds().items()
        for column in feed.columns
    }


def test_shares_of_rows_with_a_value(con):
    con.execute(
        "insert into staging.customers by name"
        " select * from ("
        "values ('A', 'north', true), ('B', '', null), ('C', null, null)"
        ") as given (customer_id, region, is_member)"
    )

    got = found(con)

    assert got["customers", "customer_id"] == (3, Decimal(1))
    # Blank texts were made null before; what is stored counts as a value.
    assert got["customers", "region"] == (3, Decimal("0.666667"))
    assert got["customers", "is_member"] == (3, Decimal("0.333333"))
    assert got["customers", "city"] == (3, Decimal(0))
    assert got["tickets", "kind"] == (0, None)


def test_defaults_count_as_values(con):
    con.execute(
        "insert into staging.balances by name select 'A' as customer_id,"
        " 'X' as account_id, date '2026-01-01' as balance_date,"
        " 'deposit' as asset_class, 1 as balance_amount"
    )

    assert found(con)["balances", "asset_class"] == (1, Decimal(1))


def test_the_select_has_the_columns_of_the_contract(con):
    made = con.execute("describe " + data_readiness_select()).fetchall()

    assert [(name, kind) for name, kind, *_ in made] == [
        (column.name, column.duckdb_type)
        for column in contract("marts", "data_readiness").columns
    ]


def test_the_contract_names_every_feed_that_is_read():
    reads = contract("marts", "data_readiness").reads

    assert sorted(reads) == sorted(f"staging.{name}" for name in feeds())
