"""What is kept of a step that fails, in Dagster's log and on the terminal."""

import datetime
import traceback

import duckdb
import pytest

from project.folder import open_project
from runs.run import Run, StepError


@pytest.fixture
def run(tmp_path):
    (tmp_path / "fenji.yaml").write_text("name: test\n", encoding="utf-8")
    began = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
    with duckdb.connect() as con:
        con.execute("create table t as select 'Anna Muster' as name")
        yield Run(open_project(tmp_path), began.date(), "key", "inputs", began, con)


def test_what_duckdb_quotes_of_a_value_is_not_kept(run):
    with (
        pytest.raises(StepError) as raised,
        run.step("core.orders", phase="compute"),
    ):
        run.con.execute("select cast(name as integer) from t").fetchall()
    # As Dagster writes it down: with all that caused it.
    kept = "".join(traceback.format_exception(raised.value))
    assert "core.orders: a value is not of the type that is asked for" in kept
    assert "Anna" not in kept
    assert str(run.failure) == str(raised.value)
    # Who debugs sees the cause.
    assert "Anna" in str(run.failure.__cause__)
