"""What a run takes of its plan is kept, and only where it would be the same."""

import datetime

import pytest

import runs.run
from project.folder import open_project
from runs import kept_plan
from runs.kept_plan import KeptPlan
from runs.opening import hold_warehouse, open_run
from schemes.plan import make_plan
from sql.contracts import all_columns
from tests.runs.steps import STEPS, take

FOUR = {"transaction_id", "customer_id", "occurred_at", "amount"}
MAY = datetime.date(2026, 5, 31)
DAY = datetime.timedelta(days=1)
SETTINGS = "name: small\ntimezone: UTC\nschemes: {only: [annual_points, rfm_8]}\n"
LINES = "transaction_id,customer_id,occurred_at,amount{more}\nT1,ann,2026-05-30,10{x}\n"
PARTS = [name for name, part in vars(KeptPlan).items() if type(part) is kept_plan._Part]


@pytest.fixture
def project(tmp_path):
    (tmp_path / "fenji.yaml").write_text(SETTINGS)
    (tmp_path / "landing/transactions").mkdir(parents=True)
    land(tmp_path)
    return tmp_path


def land(folder, more="", value=""):
    lines = LINES.format(more=more, x=value)
    (folder / "landing/transactions/may.csv").write_text(lines)


def say(folder, former, now):
    (folder / "fenji.yaml").write_text(SETTINGS.replace(former, now))


@pytest.fixture
def n_compiled(monkeypatch):
    """How often a plan was compiled: the length of the list."""
    compiled = []

    def counting(*given):
        compiled.append(given)
        return make_plan(*given)

    monkeypatch.setattr(runs.run, "make_plan", counting)
    return compiled


def parts_of(folder, as_of):
    """Carry a run out up to the metrics; all parts of its plan."""
    project = open_project(folder)
    with (
        hold_warehouse(project, on_wait=pytest.fail),
        open_run(project, as_of, on_upgrade=pytest.fail) as run,
    ):
        for step in STEPS:
            take(step, run)
        return {name: getattr(run.plan, name) for name in PARTS}


def test_a_plan_is_compiled_once_for_many_dates(project, n_compiled):
    first = parts_of(project, MAY)
    assert len(n_compiled) == 1
    assert parts_of(project, MAY + DAY) == first
    assert parts_of(project, MAY - DAY) == first
    assert len(n_compiled) == 1


def test_what_is_kept_is_what_the_plan_says(project):
    parts_of(project, MAY)
    kept = parts_of(project, MAY + DAY)
    plan = make_plan(
        open_project(project), {"transactions": all_columns()["transactions"] & FOUR}
    )
    assert set(PARTS) >= {"applicable", "bands", "results", "views", "tag_tables"}
    for name in PARTS:
        said = getattr(plan, name)
        assert kept[name] == (dict(said) if hasattr(said, "items") else said), name


def test_what_was_not_asked_for_is_compiled_when_it_is(project, n_compiled):
    project = open_project(project)
    for asked, times in ((("cuts",), 1), (("cuts",), 1), (("cuts", "views"), 2)):
        with (
            hold_warehouse(project, on_wait=pytest.fail),
            open_run(project, MAY, on_upgrade=pytest.fail) as run,
        ):
            take(STEPS[0], run)
            for name in asked:
                assert getattr(run.plan, name)
        assert len(n_compiled) == times


@pytest.mark.parametrize(
    ("change", "is_other"),
    [
        (lambda folder: say(folder, "annual_points", "value_pyramid"), True),
        (
            lambda folder: say(
                folder, "}", ", parameters: {annual_points.tiers.C.from: 3500}}"
            ),
            True,
        ),
        # No scheme reads the column; that is found out by compiling.
        (lambda folder: land(folder, ",category", ",tea"), False),
    ],
)
def test_other_rules_or_columns_are_compiled(change, is_other, project, n_compiled):
    first = parts_of(project, MAY)
    change(project)
    assert (parts_of(project, MAY) != first) == is_other
    assert len(n_compiled) == 2


def test_a_plan_of_other_code_or_by_another_library_is_not_taken(
    project, n_compiled, monkeypatch
):
    parts_of(project, MAY)
    with monkeypatch.context() as patch:
        patch.setattr(kept_plan, "rules_key", lambda _: "other code")
        parts_of(project, MAY)
    assert len(n_compiled) == 2
    with monkeypatch.context() as patch:
        patch.setattr(kept_plan, "version", lambda _: "another version")
        parts_of(project, MAY)
    assert len(n_compiled) == 3
