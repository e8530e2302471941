"""Notes in the warehouse: what its tables were made for."""

import datetime

import duckdb
import pytest

from runs import warehouse_state
from runs.warehouse_state import Made, Shared

APRIL, MAY = datetime.date(2026, 4, 30), datetime.date(2026, 5, 31)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def con():
    with duckdb.connect() as made:
        yield made


def test_a_new_warehouse_has_no_notes(con):
    assert warehouse_state.noted_run_key(con) is None
    assert warehouse_state.shared_for(con) is None
    assert warehouse_state.made(con) == {}


def test_the_key_of_the_release_is_kept_until_tables_change(con):
    warehouse_state.note_run_key(con, "one")
    warehouse_state.note_run_key(con, "other")
    assert warehouse_state.noted_run_key(con) == "other"
    warehouse_state.note_run_key(con, None)
    assert warehouse_state.noted_run_key(con) is None


def test_shared_tables_serve_their_dates_on_their_facts(con):
    warehouse_state.set_shared_for(con, Shared("facts", APRIL, MAY))
    shared = warehouse_state.shared_for(con)
    assert shared == Shared("facts", APRIL, MAY)
    assert shared.serves("facts", APRIL)
    assert shared.serves("facts", MAY)
    assert not shared.serves("facts", APRIL - DAY)
    assert not shared.serves("facts", MAY + DAY)
    assert not shared.serves("others", MAY)
    warehouse_state.set_shared_for(con, None)
    assert warehouse_state.shared_for(con) is None


def test_notes_of_tables_replace_those_before(con):
    notes = {
        "raw.tickets": Made("files", None, None),
        "core.orders": Made("run", MAY, MAY, ("raw.tickets", "staging.tickets")),
        "core.lines": Made("facts", APRIL, MAY, ("raw.tickets",)),
    }
    warehouse_state.made(con)
    warehouse_state.set_made(con, {"core.gone": Made("run", MAY, MAY)})
    warehouse_state.set_made(con, notes)
    assert warehouse_state.made(con) == notes
    assert notes["core.orders"].dates == "2026-05-31"
    assert notes["core.lines"].dates == "2026-04-30 to 2026-05-31"
