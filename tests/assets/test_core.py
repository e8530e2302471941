"""The tables of core: in reading order, empty where their scheme does not run."""

import pytest

from assets.core import METRICS_TABLE, SHARED, customer_metrics, table_asset
from assets.specs import reads_of
from project.errors import RunError
from runs import warehouse_state
from sql.contracts import contracts
from tests.assets.conftest import made


def test_tables_that_dates_share_are_made_after_what_they_read():
    names = [table.name for table in SHARED]
    assert names
    for place, table in enumerate(SHARED):
        assert not reads_of(table) & set(names[place:])


def test_metrics_are_made_for_whoever_is_known(facts):
    rows = facts.con.execute(
        f"select customer_id, n_orders from {METRICS_TABLE.name} order by all"
    ).fetchall()
    assert rows == [("ann", 1), ("bob", 1)]
    assert facts.noted[METRICS_TABLE.name].dates == "2026-05-31"
    # The facts that only other selects read are steps, too.
    assert set(facts.plan.facts) <= {
        step.partition(".")[2] for step in facts.step_seconds
    }


def test_shared_tables_are_noted_with_their_dates(facts):
    shared = warehouse_state.shared_for(facts.con)
    assert (shared.first_date, shared.last_date) == (facts.as_of_date,) * 2
    assert all(facts.noted[table.name].key == shared.facts_key for table in SHARED)


def test_a_date_before_the_first_row_is_refused_with_that_date(new_run):
    new_run.con.execute(
        "create schema core; create table core.customers (customer_id text);"
        "create table core.known_customers as"
        " select date '2026-06-02' as first_known_date"
    )
    with pytest.raises(RunError, match=r"no customer is known.* is of 2026-06-02; gr"):
        made(new_run, customer_metrics)


@pytest.mark.parametrize(("applicable", "n_rows"), [(True, 2), (False, 0)])
def test_a_table_of_a_scheme_is_empty_where_that_does_not_run(
    facts, applicable, n_rows
):
    (table, *_) = (table for table in contracts("marts") if table.scheme is not None)
    scheme = "annual_points" if applicable else "rfm_of_nobody"
    table = table.model_copy(update={"scheme": scheme})
    made(facts, table_asset(table, lambda: "select * from core.orders"))
    found = facts.con.execute(f"select count(*) from {table.name}").fetchone()
    assert found == (n_rows,)
