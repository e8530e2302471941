"""Two releases compared: rows by key, and who moved between tiers."""

import duckdb
import pytest

from project.errors import ConfigurationError, RunError
from project.folder import Project
from project.settings import Settings
from releases import store
from releases.comparison import Move, TableDifference, compare
from sql.contracts import contract
from tests.releases.two_releases import LONG, SPEND, write_both

METRICS = contract("core", "customer_metrics")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    made = Project(tmp_path_factory.mktemp("shop"), Settings(name="shop"))
    write_both(made)
    return made


def compared(project, tables=(), scheme=None):
    former, latter = (store.release(project, name) for name in ("first", "second"))
    return compare(project, former, latter, tables, scheme)


def test_rows_are_matched_by_the_key_of_the_contract(shop):
    (found,) = compared(shop, [METRICS]).tables
    assert found == TableDifference(
        "customer_metrics", n_added=1, n_removed=1, n_changed=0
    )


def test_without_a_key_whole_rows_are_compared_as_often_as_they_stand(tmp_path):
    project = Project(tmp_path, Settings(name="shop"))
    write_both(project)
    for name, spend in (("first", 1), ("second", 2)):
        with duckdb.connect(str(store.database(project, name))) as con:
            con.execute("insert into customer_metrics values ('A', ?)", [spend])
            con.execute("insert into customer_metrics values ('A', 3)")
    with duckdb.connect(str(store.database(project, "second"))) as con:
        con.execute("insert into customer_metrics values ('A', 3)")
    keyless = METRICS.model_copy(update={"key": ()})
    (found,) = compared(project, [keyless]).tables
    # A with 1 and C are gone; A with 2, A with 3 once more, and D are new.
    assert (found.n_added, found.n_removed, found.n_changed) == (3, 2, 0)


def test_a_row_of_one_key_and_other_values_has_changed(tmp_path):
    project = Project(tmp_path, Settings(name="shop"))
    write_both(project)
    with duckdb.connect(str(store.database(project, "second"))) as con:
        con.execute(
            "update customer_metrics set spend_12m_amount = null"
            " where customer_id in ('A', 'D')"
        )
    (found,) = compared(project, [METRICS]).tables
    assert (found.n_added, found.n_removed, found.n_changed) == (1, 1, 1)


def test_a_table_of_one_release_counts_whole_and_of_none_is_left_out(shop):
    former, latter = (store.release(shop, name) for name in ("first", "second"))
    former = former.model_copy(update={"tables": {}})
    tables = [METRICS, contract("marts", "customers")]
    found = compare(shop, former, latter, tables)
    assert found.tables == (TableDifference("customer_metrics", 3, 0, 0),)


def test_moves_are_counted_by_scheme_and_way(shop):
    found = compared(shop)
    by_scheme = {scheme.scheme: scheme for scheme in found.schemes}
    rfm, size = by_scheme["rfm_8"], by_scheme["size"]
    # By rfm_8, B went up and A down; by size, which has no order, A changed.
    assert (rfm.n_up, rfm.n_down, rfm.n_changed) == (1, 1, 0)
    assert (size.n_up, size.n_down, size.n_changed) == (0, 0, 1)
    for scheme in (rfm, size):
        assert (scheme.n_new, scheme.n_gone) == (1, 1)  # D, C
    assert (rfm.n_customers, rfm.spend_12m_amount) == (4, 4 * SPEND)
    new = next(
        move
        for move in found.moves
        if move.scheme == "rfm_8" and move.from_tier is None
    )
    assert new == Move(
        scheme="rfm_8",
        from_tier=None,
        to_tier=LONG,
        n_customers=1,
        spend_12m_amount=SPEND,
        from_name_en=None,
        from_name_zh=None,
        to_name_en="Important: develop what is of value",
        to_name_zh="重要发展",
    )


def test_of_one_scheme_only_its_moves_are_compared(shop):
    found = compared(shop, [METRICS], "size")
    assert found.tables == ()
    assert {move.scheme for move in found.moves} == {"size"}


def test_a_scheme_that_neither_release_has_is_named_with_the_nearest(shop):
    with pytest.raises(ConfigurationError, match=r"'rfm_9'; did you mean 'rfm_8'"):
        compared(shop, scheme="rfm_9")


def test_a_release_without_its_database_is_named(tmp_path):
    project = Project(tmp_path, Settings(name="shop"))
    write_both(project)
    store.database(project, "first").unlink()
    with pytest.raises(RunError, match=r"first/fenji\.duckdb: is missing"):
        compared(project)
