"""Whatever happened to a project: each date is as if it had been computed alone.

More histories, or others: FENJI_HISTORIES=3000 FENJI_FIRST_HISTORY=1000. One by itself:
`python -m benchmarks.histories --seed 17 --number 1`.
"""

import os

import pytest

from sql.selects import create
from tests.properties.histories import (
    History,
    carry_out,
    history_of,
    play,
    shortened,
)

NUMBER = int(os.environ.get("FENJI_HISTORIES", "300"))
FIRST = int(os.environ.get("FENJI_FIRST_HISTORY", "0"))
MOST_FOR_A_FAULT = 60  # histories, until one of them shows it


@pytest.mark.parametrize("number", range(FIRST, FIRST + NUMBER))
def test_each_date_is_as_if_it_had_been_computed_alone(number, tmp_path):
    history = history_of(number)
    found = play(history, tmp_path)
    assert found is None, f"{found}\nshorter: {shortened(history)}"


def is_there(run, table):
    layer, name = table.split(".")
    return run.con.execute(
        "select 1 from duckdb_tables() where schema_name = ? and table_name = ?"
        " and database_name = current_database()",
        [layer, name],
    ).fetchone()


def one_customer_is_forgotten(run, rng):
    """What one customer spent in 12 months is kept from the run before."""
    table, spent = "core.customer_metrics", "spend_12m_amount"
    of_ann = f"select {spent} from {table} where customer_id = 'ann'"
    kept = run.con.execute(of_ann).fetchone() if is_there(run, table) else None
    carry_out(run, rng)
    if kept is not None:
        run.con.execute(
            f"update {table} set {spent} = ? where customer_id = 'ann'", kept
        )


def an_edge_is_off_by_a_day(run, rng):
    """The lines of one day do not count, where some window begins or ends."""
    carry_out(run, rng)
    select = run.plan.facts["line_metrics"].replace(
        "core.lines",
        "(select * from core.lines where line_date != $as_of_date - interval 1 year)",
    )
    create(run.con, ("core", "line_metrics"), select, run.common_params)


def equal_counts_are_taken_for_equal_lines(run, rng):
    """Metrics of lines are kept where as many lines count as before."""
    table = "core.line_metrics"
    shape = (
        "select (select count(*) from core.lines), list(column_name) from"
        " duckdb_columns() where table_name = 'line_metrics' and schema_name = 'core'"
    )
    before = None
    if is_there(run, table):
        before = run.con.execute(shape).fetchone()
        run.con.execute(f"create or replace table main.kept as from {table}")
    carry_out(run, rng)
    if before == run.con.execute(shape).fetchone():
        run.con.execute(f"create or replace table {table} as from main.kept")


@pytest.mark.parametrize(
    "fault",
    [
        one_customer_is_forgotten,
        an_edge_is_off_by_a_day,
        equal_counts_are_taken_for_equal_lines,
    ],
)
def test_a_fault_is_found(fault, tmp_path):
    for number in range(MOST_FOR_A_FAULT):
        found = play(history_of(number), tmp_path / str(number), ours=fault)
        if found is not None:
            assert found.startswith("As of")
            return
    pytest.fail("it was not found")


def test_a_history_is_played_again_from_its_text():
    for number in range(20):
        history = history_of(number)
        assert History.read(str(history)) == history
