"""What Dagster shows of a table, from its contract."""

import pytest

from assets import specs
from assets.specs import (
    AS_OF_DATES,
    code_version,
    key_of,
    made_in_sql,
    published,
    spec_of,
)
from sql.contracts import contract, contracts, feeds
from sql.selects import select_of
from tests.lineage import tables_read


def test_an_asset_shows_the_words_of_its_contract():
    orders = contract("core", "orders")
    spec = spec_of(orders)
    assert spec.key == key_of("core.orders")
    assert spec.description.startswith(f"One row is {orders.grain}.")
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {
        name.replace(".", "/") for name in specs.reads_of(orders)
    }
    columns = spec.metadata["dagster/column_schema"].columns
    assert [column.name for column in columns] == [
        column.name for column in orders.columns
    ]
    assert spec.partitions_def == AS_OF_DATES


def test_what_is_loaded_serves_every_date():
    assert spec_of(feeds()["transactions"], reads=[]).partitions_def is None


@pytest.mark.parametrize(
    "table", made_in_sql("core") + made_in_sql("marts"), ids=lambda table: table.name
)
def test_what_a_select_reads_is_what_its_parser_finds(table):
    assert specs.reads_of(table) == tables_read(select_of(table))


def test_a_table_that_is_compiled_says_itself_what_it_reads():
    results = contract("marts", "scheme_results")
    assert specs.reads_of(results) == set(results.reads)


@pytest.mark.parametrize(
    ("select", "is_same"),
    [
        ("select\n  A, 'Über X' /* 为何 */ as b from CORE.t -- why", True),
        ("select a, 'über x' as b from core.t", False),
        ("select b, 'Über X' as a from core.t", False),
        ("select a, 'Über X' as b, from core.t", False),
    ],
)
def test_a_version_of_code_is_of_its_meaning(monkeypatch, select, is_same):
    orders = contract("core", "orders")
    monkeypatch.setattr(
        specs, "select_of", lambda _: "select a, 'Über X' as b from core.t"
    )
    before = code_version(orders)
    monkeypatch.setattr(specs, "select_of", lambda _: select)
    assert (code_version(orders) == before) is is_same


def test_views_of_a_release_come_after_the_tables_they_stand_on():
    tables = published()
    assert {table.table for table in tables} == {
        table.table
        for layer in ("core", "marts")
        for table in contracts(layer)
        if table.published
    }
    compiled = [table.is_stored for table in tables if table.made_by == "compiled"]
    assert compiled == sorted(compiled, reverse=True)
