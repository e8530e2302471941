"""Whatever happened to a project: each date is as if it had been computed alone.

More histories, or others: FENJI_HISTORIES=3000 FENJI_FIRST_HISTORY=1000. One by itself:
`python -m benchmarks.histories --seed 17 --number 1`.
"""

import os
from dataclasses import replace

import pytest

from runs import difference
from tests.properties.histories import (
    History,
    carry_out,
    history_of,
    play,
    shortened,
)

NUMBER = int(os.environ.get("FENJI_HISTORIES", "300"))
FIRST = int(os.environ.get("FENJI_FIRST_HISTORY", "0"))
MOST_FOR_A_FAULT = 20  # histories, until one of them shows it


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
    """Of those whose facts are others now, one goes on from the former date."""
    real = difference.find_restated

    def forgets(con, *dates, has_changes):
        found = real(con, *dates, has_changes=has_changes)
        con.execute(
            "delete from temp.restated_customers where customer_id ="
            " (select min(customer_id) from temp.restated_customers)"
        )
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(difference, "find_restated", forgets)
        return carry_out(run, rng)


def an_edge_is_off_by_a_day(run, rng):
    """What windows held at the former date is taken for what they held a day later."""
    former = "CAST($kept_date AS DATE)"
    updates = run.plan.metric_updates
    assert any(former in select for select in updates.values())
    late = {
        table: select.replace(former, f"({former} + 1)")
        for table, select in updates.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(vars(run.plan), "metric_updates", late)
        return carry_out(run, rng)


def one_customer_keeps_its_history(run, rng):
    """Of those whose history has other days now, one goes on with the former ones."""
    real = difference.find_rated_anew

    def forgets(con, history, *dates):
        found = real(con, history, *dates)
        con.execute(
            f"delete from {history.customers} where customer_id ="
            f" (select min(customer_id) from {history.customers})"
        )
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(difference, "find_rated_anew", forgets)
        return carry_out(run, rng)


def what_is_held_waits_for_facts(run, rng):
    """Nobody is rated again because time went on."""
    late = {}
    for scheme, history in run.plan.history_updates.items():
        if history is None:
            continue
        held = f"{scheme}_held"
        first, *others = history.tables[held]
        waits = (
            f"create or replace temporary table {held}_anew as from {history.customers}"
        )
        assert first.startswith(waits.partition(" as ")[0])
        late[scheme] = replace(
            history, tables={**history.tables, held: [waits, *others]}
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(vars(run.plan), "history_updates", late)
        return carry_out(run, rng)


def equal_counts_are_taken_for_equal_lines(run, rng):
    """Metrics are kept where as many lines count as before."""
    table = "core.customer_metrics"
    shape = (
        "select (select count(*) from core.lines), list(column_name) from"
        " duckdb_columns() where table_name = 'customer_metrics'"
        " and schema_name = 'core'"
    )
    before = None
    if is_there(run, table):
        before = run.con.execute(shape).fetchone()
        run.con.execute(f"create or replace table main.kept as from {table}")
    carry_out(run, rng)
    if before == run.con.execute(shape).fetchone():
        run.con.execute(f"create or replace table {table} as from main.kept")


@pytest.mark.parametrize(
    ("fault", "first"),  # the first history that shows it
    [
        (one_customer_is_forgotten, 10),
        (an_edge_is_off_by_a_day, 1),
        (one_customer_keeps_its_history, 7),
        (what_is_held_waits_for_facts, 1),
        (equal_counts_are_taken_for_equal_lines, 1),
    ],
)
def test_a_fault_is_found(fault, first, tmp_path):
    for number in range(first, first + MOST_FOR_A_FAULT):
        found = play(history_of(number), tmp_path / str(number), ours=fault)
        if found is not None:
            assert found.startswith("As of")
            return
    pytest.fail("it was not found")


def test_a_history_is_played_again_from_its_text():
    for number in range(20):
        history = history_of(number)
        assert History.read(str(history)) == history
