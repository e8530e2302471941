"""Tables that were made for something else are refused, in one line."""

import datetime

import pytest

from assets.making import (
    checked_building,
    every_date,
    refuse_others,
    shared_dates,
    this_date,
    written_building,
)
from project.errors import RunError
from runs import warehouse_state
from runs.warehouse_state import Made

APRIL = datetime.date(2026, 4, 30)


def refused(run, *tables, whole=False):
    with pytest.raises(RunError) as raised:
        refuse_others(run, tables, whole=whole)
    said = str(raised.value)
    assert "\n" not in said
    assert f"launch the job grade for {run.as_of_date}" in said
    return said


def test_what_the_run_made_is_served(new_run):
    new_run.note(["core.orders"], this_date(new_run), ["raw.transactions"])
    new_run.note(["raw.transactions"], every_date(new_run), [])
    refuse_others(new_run, ["core.orders"], whole=True)


def test_a_table_that_is_not_there_is_refused(new_run):
    said = refused(new_run, "core.orders")
    assert said.startswith("core.orders: is not there as of 2026-05-31")


def test_a_table_of_another_date_or_other_files_is_refused(new_run):
    day = new_run.as_of_date
    new_run.note(["core.orders"], Made("other", APRIL, APRIL), [])
    new_run.note(["core.lines"], Made("other", day, day), [])
    new_run.note(["raw.tickets"], Made("other files", None, None), [])
    assert "was made as of 2026-04-30, and" in refused(new_run, "core.orders")
    assert "with other files, settings or code" in refused(new_run, "core.lines")
    assert "select the group raw, too" in refused(new_run, "raw.tickets")


def test_what_a_table_rests_on_is_looked_at_too(new_run):
    new_run.note(["marts.grades"], this_date(new_run), ["core.orders"])
    new_run.note(["core.orders"], this_date(new_run), ["core.lines"])
    assert refused(new_run, "marts.grades").startswith("core.lines: is not there")


def test_a_release_takes_only_what_its_own_run_made(new_run):
    new_run.note(["core.orders"], this_date(new_run), [])
    new_run.made.clear()
    refuse_others(new_run, ["core.orders"], whole=False)
    assert "by another run" in refused(new_run, "core.orders", whole=True)


def test_shared_tables_serve_the_dates_they_were_made_for(new_run):
    with pytest.raises(RuntimeError):
        shared_dates(new_run)
    shared = warehouse_state.Shared("facts", APRIL, new_run.as_of_date)
    warehouse_state.set_shared_for(new_run.con, shared)
    assert shared_dates(new_run) == Made("facts", APRIL, new_run.as_of_date)


def test_nothing_is_checked_or_published_that_was_not_written(new_run):
    with pytest.raises(RunError, match="this run has written no tables to check"):
        written_building(new_run)
    with pytest.raises(RunError, match="its checks did not run"):
        checked_building(new_run)
