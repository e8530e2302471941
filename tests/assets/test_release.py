"""Which tables a release has, and what each is made from."""

from assets.release import CURRENT, QUALITY, TABLES, release_tables, released_tables
from assets.specs import published


def test_every_published_table_is_written_but_the_one_of_checks():
    """That one is written when the checks have run."""
    names = {table.table for table in TABLES}
    assert names == {table.table for table in published()} - {QUALITY.table}
    assert {key.path[1] for key in release_tables.keys} == {
        table.table for table in TABLES
    }


def test_current_waits_for_every_table():
    assert {dep.asset_key.path[1] for dep in CURRENT.deps} == {
        table.table for table in TABLES
    }


def test_personal_columns_are_left_out_unless_they_are_asked_for(facts):
    personal = {
        (table.table, column.name)
        for table in TABLES
        for column in table.columns
        if column.personal
    }
    written = {
        (table.table, column.name)
        for table in released_tables(facts)
        for column in table.columns
    }
    assert personal
    assert not personal & written


def test_a_view_reads_the_release_and_a_copy_reads_the_warehouse():
    reads = {
        spec.key.path[1]: {dep.asset_key.path[0] for dep in spec.deps}
        for spec in release_tables.specs
    }
    assert reads["customer_tiers"] == {"release"}
    assert reads["customer_metrics"] == {"core"}
    assert reads["access_roles"] == set()
