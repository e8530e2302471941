"""Whether a run is needed, and opening one."""

import contextlib
import datetime
from importlib.metadata import version
from types import SimpleNamespace

import pytest

from project.errors import ConfigurationError, RunError
from project.folder import open_project
from runs import opening, preflight, scheme_versions, warehouse_state
from runs.dates import today
from runs.key import settings_digest
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


def test_rules_that_a_release_was_made_by_are_not_compiled_again(shop, monkeypatch):
    compiled = []
    monkeypatch.setattr(preflight, "make_plan", lambda *given: compiled.append(given))
    digest = settings_digest(shop)
    for settings, version_of, times in (
        (digest, version("fenji"), 0),
        (digest, "another", 1),
        ("another", version("fenji"), 2),
    ):
        made = SimpleNamespace(settings_digest=settings, fenji_version=version_of)
        monkeypatch.setattr(opening.store, "releases", lambda _, made=made: [made])
        # Neither is there a release of the key, nor one before it.
        monkeypatch.setattr(opening, "previous_to", lambda *_: None)
        monkeypatch.setattr(opening.store, "with_key", lambda *_: None)
        monkeypatch.setattr(scheme_versions, "refuse_changed_versions", lambda _: None)
        decide(shop, AS_OF)
        assert len(compiled) == times


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
