"""Whether a run is needed, and opening one."""

import contextlib
import datetime

import pytest

from project.errors import ConfigurationError, RunError
from project.folder import open_project
from runs import warehouse_state
from runs.dates import today
from runs.opening import decide, hold_warehouse, open_run

DAY = datetime.timedelta(days=1)
AS_OF = datetime.date(2026, 5, 31)


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "fenji.yaml").write_text("name: shop\ntimezone: Asia/Shanghai\n")
    (tmp_path / "landing").mkdir()
    return open_project(tmp_path)


def opened(project, **options):
    return open_run(project, AS_OF, on_upgrade=pytest.fail, **options)


def test_a_run_for_a_date_to_come_is_refused_whoever_asks(shop):
    with pytest.raises(ConfigurationError, match="is to come"):
        decide(shop, today(shop) + DAY)


def test_a_run_is_needed_where_nothing_is_published(shop):
    decision = decide(shop, AS_OF)
    assert decision.published is None
    assert decision.previous is None
    assert decision == decide(shop, AS_OF)
    assert decision.key != decide(shop, AS_OF - DAY).key
    assert decision.inputs_key == decide(shop, AS_OF - DAY).inputs_key


def test_an_open_run_has_a_warehouse_in_the_business_zone(shop):
    with hold_warehouse(shop, on_wait=pytest.fail), opened(shop) as run:
        zone = run.con.execute("select current_setting('TimeZone')").fetchone()
        assert zone == ("Asia/Shanghai",)
        # Its tables change, so that they are of no release any more.
        assert warehouse_state.noted_run_key(run.con) is None
        assert run.release_id == f"{AS_OF}-{run.key[:8]}"
    assert not hasattr(run, "con")


def test_a_run_that_fails_keeps_what_was_complete(shop):
    with contextlib.suppress(RunError), opened(shop) as run:
        run.take_back(["core.orders"])
        run.note(["core.orders"], warehouse_state.Made(run.key, AS_OF, AS_OF), [])
        run.take_back(["core.lines"])
        raise RunError("broken")
    with opened(shop) as again:
        assert set(again.noted) == {"core.orders"}
        assert again.is_served_by(again.noted["core.orders"])
