"""What Dagster's UI can start: parts of the graph, for any date, after any other run.

Each selection is carried out as the UI's runs are, by Dagster and by the resource that
opens the project; only the server and its launching of a process are left out (see
`tests/end_to_end/test_ui.py`).
"""

import shutil

import dagster as dg
import duckdb
import pytest

from pipelines.assembly import assemble
from project.folder import PROJECT_VARIABLE, Project, open_project
from project.settings import Settings
from releases import store
from schemes.plan import make_plan
from sql.contracts import feeds
from tests.compiled import compiled_once
from tests.lineage import tables_read

MAY, JUNE = "2026-05-31", "2026-06-30"
ORDERS = """\
transaction_id,customer_id,occurred_at,amount
T1,ann,2026-05-30T12:00:00,1000
T2,bob,2026-05-30T12:00:00,3000
T3,ann,2026-06-10T12:00:00,2500
"""
ALL = dg.AssetSelection.all()
RAW, STAGING, CORE, MARTS, RELEASE = (
    dg.AssetSelection.groups(group).required_multi_asset_neighbors()
    for group in ("raw", "staging", "core", "marts", "release")
)


def grade_job():
    """The job of the project of FENJI_PROJECT, where Dagster can find it."""
    return assemble(open_project()).resolve_job_def("grade")


@pytest.fixture(scope="module", autouse=True)
def _compiled_once():
    with compiled_once():
        yield


@pytest.fixture(scope="module")
def may(tmp_path_factory):
    """A project that was graded as of May."""
    folder = tmp_path_factory.mktemp("may")
    (folder / "landing/transactions").mkdir(parents=True)
    (folder / "landing/transactions/orders.csv").write_text(ORDERS)
    (folder / "fenji.yaml").write_text(
        "name: parts\ntimezone: Asia/Shanghai\nschemes: {only: [annual_points]}\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PROJECT_VARIABLE, str(folder))
        with dg.DagsterInstance.ephemeral() as instance:
            done = grade_job().execute_in_process(instance=instance, partition_key=MAY)
    assert done.success
    return folder


@pytest.fixture
def project(may, tmp_path, monkeypatch):
    folder = tmp_path / "project"
    shutil.copytree(may, folder, symlinks=True)
    monkeypatch.setenv(PROJECT_VARIABLE, str(folder))
    return open_project(folder)


def materialize(date, selection, *, checks=True):
    """Start what is selected for a date, as the UI does; the errors of its steps."""
    definitions = assemble(open_project())
    if not checks:
        selection = selection.without_checks()
    repository = dg.Definitions(
        assets=definitions.assets,
        asset_checks=definitions.asset_checks,
        resources=definitions.resources,
        executor=definitions.executor,
        jobs=[dg.define_asset_job("part", selection=selection)],
    )
    with dg.DagsterInstance.ephemeral() as instance:
        done = repository.resolve_job_def("part").execute_in_process(
            instance=instance, partition_key=date, raise_on_error=False
        )
    return errors(done.all_events)


def errors(events):
    """What the UI shows of the steps that failed, cause by cause."""
    found = {}
    for event in events:
        if event.is_step_failure:
            error = event.event_specific_data.error
            said = []
            while error:
                said.append(error.message.strip())
                error = error.cause
            found[event.step_key] = said[-1]
    return found


def published(project):
    return {
        release.release_id: release.as_of_date.isoformat()
        for release in store.releases(project)
    }


def history(project):
    database = store.database(project, project.current.resolve().name)
    with duckdb.connect(str(database), read_only=True) as con:
        return con.execute("from customer_tier_history order by all").fetchall()


def graph(definitions):
    """Every asset, as layer.table, with what its step says that it reads and makes."""
    steps = [
        {".".join(spec.key.path): spec for spec in assets.specs}
        for assets in definitions.assets
        if isinstance(assets, dg.AssetsDefinition)
    ]
    return {
        name: {
            ".".join(dep.asset_key.path) for spec in step.values() for dep in spec.deps
        }
        | step.keys()
        for step in steps
        for name in step
    }


def test_every_asset_goes_the_one_way_and_leaves_a_note(project):
    made = {
        name for name in graph(assemble(project)) if not name.startswith("release.")
    }
    with duckdb.connect(str(project.warehouse), read_only=True) as con:
        noted = con.execute("select name from main.tables_made").fetchall()
    assert sorted(name for (name,) in noted) == sorted(made)


def test_what_is_compiled_reads_nothing_but_what_its_asset_says(project):
    """The notes of what is read are looked at, and those that it rests on."""
    columns = {
        name: frozenset(column.name for column in feed.columns)
        for name, feed in feeds().items()
    }
    whole = Project(project.root, Settings(name="whole"))
    plan = make_plan(whole, columns)
    read_by = graph(assemble(whole))
    compiled = {
        "core.customer_metrics": [*plan.facts.values(), plan.customer_metrics],
        "marts.scheme_results": [plan.cuts, plan.results, *plan.tables.values()],
        "marts.customer_tag_values": plan.tag_values.values(),
    }
    for name, selects in compiled.items():
        known, waiting = set(), {name}
        while waiting:
            known |= waiting
            waiting = (
                set().union(*(read_by.get(name, set()) for name in waiting)) - known
            )
        read = frozenset().union(*map(tables_read, selects))
        assert (read & read_by.keys()) - known == set(), name


def test_a_release_of_another_date_than_its_tables_is_refused(project):
    """Core of May again, then the release of June: what was published wrongly."""
    before = published(project), history(project)
    assert materialize(MAY, CORE) == {}
    (said,) = materialize(JUNE, RELEASE).values()
    assert said.startswith("project.errors.RunError: ")
    assert "was made as of 2026-05-31, and this run is as of 2026-06-30" in said
    assert "select it and what it is made from, too, or launch the job grade" in said
    assert "\n" not in said
    assert (published(project), history(project)) == before
    assert not list(project.releases.glob(".*"))

    assert materialize(JUNE, ALL) == {}
    assert sorted(published(project).values()) == [MAY, JUNE]
    with duckdb.connect(str(project.current / "fenji.duckdb"), read_only=True) as con:
        assert con.execute(
            "select customer_id, as_of_date::varchar, tier, previous_tier"
            " from customer_tiers order by all"
        ).fetchall() == [("ann", JUNE, "C", "B"), ("bob", JUNE, "C", "C")]


def test_only_a_whole_run_publishes_whatever_is_selected(project):
    before = published(project)
    # All tables are those of May, and were made by other runs.
    (said,) = materialize(MAY, RELEASE).values()
    assert "by another run, and a release is published only by a run that" in said
    for selection in (
        MARTS | RELEASE,
        CORE | MARTS | RELEASE,
        ALL - dg.AssetSelection.assets(dg.AssetKey(["core", "customers"])),
    ):
        (said,) = materialize(MAY, selection).values()
        assert "by another run" in said, selection
    current = dg.AssetSelection.assets(dg.AssetKey(["release", "current"]))
    (said,) = materialize(MAY, current).values()
    assert "is not there as of 2026-05-31" in said
    assert published(project) == before


def test_nothing_is_published_without_its_checks(project):
    (project.landing / "transactions/more.csv").write_text(ORDERS.replace("T", "U"))
    before = published(project)
    (said,) = materialize(MAY, ALL, checks=False).values()
    assert "its checks did not run" in said
    assert published(project) == before


def test_a_part_can_be_made_to_look_at_and_what_rests_on_it_is_refused(project):
    assert materialize(JUNE, RAW | STAGING | CORE) == {}
    with duckdb.connect(str(project.warehouse)) as con:
        assert con.execute(
            "select distinct as_of_date::varchar from core.customer_metrics"
        ).fetchall() == [(JUNE,)]
    found = materialize(MAY, MARTS)
    assert found
    assert all("as of 2026-06-30, and this run" in said for said in found.values())
    assert materialize(JUNE, MARTS) == {}


def test_new_files_are_loaded_before_anything_rests_on_them(project):
    (project.landing / "transactions/more.csv").write_text(ORDERS.replace("T", "U"))
    (said,) = materialize(MAY, STAGING).values()
    assert "was loaded when other landing files were there" in said


def test_going_on_from_a_failure_after_another_date_is_refused(project, monkeypatch):
    """June fails while it grades, May is made meanwhile, June goes on from there."""
    before = published(project)
    with dg.DagsterInstance.ephemeral() as instance:
        with monkeypatch.context() as patch:
            patch.setattr("assets.marts.create_previous_tiers", _breaks)
            failed = grade_job().execute_in_process(
                instance=instance, partition_key=JUNE, raise_on_error=False
            )
        assert not failed.success
        assert materialize(MAY, RAW | STAGING | CORE) == {}
        again = dg.execute_job(
            dg.reconstructable(grade_job),
            instance=instance,
            reexecution_options=dg.ReexecutionOptions.from_failure(
                failed.run_id, instance
            ),
            tags={"dagster/partition": JUNE},  # the UI hands them on
        )
        found = errors(again.all_events)
    assert found
    for said in found.values():
        assert "was made as of 2026-05-31, and this run is as of 2026-06-30" in said
    assert published(project) == before


def _breaks(*_):
    raise OSError("the disk is full")


def test_a_date_to_come_is_refused_in_words(project):
    job = assemble(project, None).resolve_job_def("grade")
    with dg.DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(
            instance=instance,
            tags={"dagster/partition": "2999-01-31"},
            raise_on_error=False,
        )
    assert not done.success
    said = [
        event.event_specific_data.error.cause.message
        for event in done.all_events
        if event.is_failure and getattr(event.event_specific_data, "error", None)
    ]
    assert any("partition: 2999-01-31 is to come; today is" in line for line in said)
    assert list(published(project).values()) == [MAY]
