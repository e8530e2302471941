"""Every table that users rely on has a contract with the columns they rely on."""

from pathlib import Path

import pytest

from data_quality.suites import suite_for
from project.documents import read_yaml
from sql.contracts import contracts

FIXED = read_yaml(Path(__file__).with_name("release_tables.yaml"))
PUBLISHED = {
    table.table: table
    for layer in ("core", "marts")
    for table in contracts(layer)
    if table.published
}


def test_every_table_is_built():
    missing = FIXED.keys() - PUBLISHED.keys()

    assert missing == set(), "each needs a contract that says published"


def test_people_see_what_they_rely_on_and_nothing_else():
    shown = {name for name, table in PUBLISHED.items() if not table.storage}

    assert shown - FIXED.keys() == set(), "list it, or say storage in its contract"
    assert FIXED.keys() - shown == set()


@pytest.mark.parametrize("table", sorted(FIXED.keys() & PUBLISHED.keys()))
def test_fixed_columns_are_there(table):
    columns = [column.name for column in PUBLISHED[table].columns]

    assert [name for name in FIXED[table] if name not in columns] == []


@pytest.mark.parametrize("table", sorted(PUBLISHED))
def test_published_tables_are_described_in_full(table):
    contract = PUBLISHED[table]

    assert contract.grain
    assert contract.description
    assert contract.owner.startswith("team:")
    assert [column.name for column in contract.columns if not column.about] == []


@pytest.mark.parametrize("table", sorted(PUBLISHED))
def test_published_tables_are_checked_beyond_their_columns(table):
    if PUBLISHED[table].kind == "view":
        return
    assert [check for check in suite_for(PUBLISHED[table]) if check.kind != "columns"]


@pytest.mark.parametrize("table", sorted(PUBLISHED))
def test_checks_with_a_query_say_what_they_mean(table):
    suite = suite_for(PUBLISHED[table])

    assert [
        check.name for check in suite if check.kind == "no_rows" and not check.about
    ] == []


def test_files_must_account_for_every_row():
    suite = {check.name: check for check in suite_for(PUBLISHED["feed_reconciliation"])}

    assert suite["rows_add_up"].severity == "ERROR"
