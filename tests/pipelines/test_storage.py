"""What a run in this process stores is what Dagster's own storage would hold.

A small job stands for the real one: every kind of event that the real one tells, and
some that it does not.
"""

import contextlib
import os
import re
import signal
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.events.log import EventLogEntry
from dagster._core.instance.ref import InstanceRef
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.event_log.base import EventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    SqliteEventLogStorage,
)

from pipelines import event_log
from pipelines.event_log import BatchedEventLog
from pipelines.instance import instance_of, not_waiting_for_the_disk, prepare_home
from project.folder import Project, open_project

DATES = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-02-01")
FIRST, SECOND = "2026-01-05", "2026-01-06"
RUNS = [
    (str(uuid.UUID(int=1)), FIRST, "well"),
    (str(uuid.UUID(int=2)), SECOND, "failing"),
    (str(uuid.UUID(int=3)), FIRST, "well"),
]
# What is told of a time, and what is drawn by chance.
CHANCE = re.compile(
    r'("[a-z_]*(?:timestamp|duration_ms|_time|log_key|pid)": )(?:[0-9.e+-]+|"\w+")'
    r"|([a-z_]*(?:timestamp|duration_ms|log_key|file_key|pid)=)[^,)]+"
    r'|\b[0-9.]+m?s\b|pid: [0-9]+|"text": "[0-9]+"'
)
LEFT_OUT = re.compile(r".*(?:timestamp|_time|migration_completed)$")


def spec(*key: str, deps: tuple[str, ...] = (), parted: bool = True) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=[*key],
        deps=[dep.split(".") for dep in deps],
        partitions_def=DATES if parted else None,
        code_version="1",
    )


@dg.multi_asset(
    specs=[
        spec("raw", "a", deps=("landing.a",), parted=False),
        spec("raw", "b", deps=("landing.b",), parted=False),
    ]
)
def raw(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
    context.log.info("what a step says")
    yield dg.MaterializeResult(asset_key=["raw", "a"], metadata={"rows": 3})
    yield dg.MaterializeResult(asset_key=["raw", "b"], metadata={"rows": 4})


@dg.multi_asset(
    specs=[
        spec("core", "c", deps=("raw.a", "raw.b")),
        spec("core", "d", deps=("core.c", "raw.b")),
        spec("core", "e", deps=("core.c", "core.d")),
    ]
)
def core(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
    yield dg.MaterializeResult(asset_key=["core", "c"])
    context.log_event(dg.AssetObservation(["core", "d"], partition=FIRST))
    yield dg.MaterializeResult(asset_key=["core", "d"], tags={"colour": "red"})
    yield dg.MaterializeResult(
        asset_key=["core", "e"], data_version=dg.DataVersion("mine")
    )
    same_as_stored(context.instance.event_log_storage)


@dg.multi_asset(specs=[spec("marts", "f", deps=("core.d", "core.e"))])
def marts(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
    same_as_stored(context.instance.event_log_storage)
    ends = context.run.tags["ends"]
    if ends == "failing":
        raise ValueError("a step that fails")
    if ends != "well":
        os.kill(os.getpid(), signal.Signals[ends])
        time.sleep(60)
    return dg.MaterializeResult()


CHECKS = [
    dg.AssetCheckSpec(
        "suite", asset=["core", "e"], blocking=True, partitions_def=DATES
    ),
    dg.AssetCheckSpec("gates", asset=["core", "e"], partitions_def=DATES),
    dg.AssetCheckSpec("whole", asset=["raw", "a"]),
]


@dg.multi_asset_check(specs=CHECKS)
def checked() -> Iterator[dg.AssetCheckResult]:
    for check, passed in zip(CHECKS, (True, False, True), strict=True):
        yield dg.AssetCheckResult(
            asset_key=check.asset_key,
            check_name=check.name,
            passed=passed,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"expectations": 2},
        )


DEFINITIONS = dg.Definitions(
    assets=[*(dg.AssetSpec(["landing", name]) for name in "ab"), raw, core, marts],
    asset_checks=[checked],
    jobs=[dg.define_asset_job("grade", selection=dg.AssetSelection.all())],
    executor=dg.in_process_executor,
)
KEYS = sorted(DEFINITIONS.resolve_asset_graph().get_all_asset_keys())
SOME = [key for key in KEYS if key.path[-1] in "ade"]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def answers(log: EventLogStorage) -> list[Any]:
    """What a run asks for before its steps and checks."""
    made = dg.DagsterEventType.ASSET_MATERIALIZATION
    return [
        log.get_asset_records(KEYS),
        log.get_asset_records([*reversed(KEYS[:3]), KEYS[0]]),
        [
            log.get_latest_tags_by_partition(
                key, made, ["dagster/data_version"], asset_partitions=dates
            )
            for key in SOME
            for dates in ([FIRST], [FIRST, SECOND])
        ],
        [
            log.fetch_materializations(
                dg.AssetRecordsFilter(key, asset_partitions=dates), limit=1
            )
            for key in SOME
            for dates in ([FIRST], None)
        ],
    ]


def same_as_stored(log: EventLogStorage) -> None:
    """Hold what a log answers against what Dagster's own finds in its files."""
    if isinstance(log, BatchedEventLog):
        assert answers(log) == answers(SqliteEventLogStorage(log._base_dir))


def project_at(root: Path) -> Project:
    root.mkdir(exist_ok=True)
    (root / "fenji.yaml").write_text("name: shop\n")
    return open_project(root)


@contextlib.contextmanager
def of_the_command_line(root: Path) -> Iterator[dg.DagsterInstance]:
    with instance_of(project_at(root)) as instance:
        yield instance


@contextlib.contextmanager
def of_the_ui(root: Path) -> Iterator[dg.DagsterInstance]:
    home = prepare_home(project_at(root))
    ref = InstanceRef.from_dir(str(home))
    with not_waiting_for_the_disk(home), dg.DagsterInstance.from_ref(ref) as instance:
        yield instance


def grade(instance: dg.DagsterInstance, run_id: str, date: str, ends: str) -> bool:
    """Carry a run out; whether it succeeded."""
    job = DEFINITIONS.resolve_job_def("grade")
    return job.execute_in_process(
        instance=instance,
        run_id=run_id,
        partition_key=date,
        tags={"ends": ends},
        run_config=QUIET,
        raise_on_error=False,
    ).success


OPENED = {"own": of_the_ui, "ours": of_the_command_line}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A project graded with Dagster's own storage, and one with that of commands."""
    folder = tmp_path_factory.mktemp("projects")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", "")
        for name, opened in OPENED.items():
            with opened(folder / name) as instance:
                for run in RUNS:
                    assert grade(instance, *run) == (run[2] == "well")
    return folder / "own", folder / "ours"


def by_no_chance(text: str) -> str:
    return CHANCE.sub(r"\1\2", text)


def contents(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of all tables of a database, without times."""
    with contextlib.closing(sqlite3.connect(path)) as con:
        tables = con.execute("select name from sqlite_master where type = 'table'")
        found = {}
        for (table,) in tables.fetchall():
            rows = con.execute(f"select * from {table}")
            kept = [
                place
                for place, column in enumerate(rows.description)
                if not LEFT_OUT.match(column[0])
            ]
            found[table] = [
                tuple(
                    by_no_chance(row[place])
                    if isinstance(row[place], str)
                    else row[place]
                    for place in kept
                )
                for row in rows
            ]
        schema = con.execute("select name, sql from sqlite_master").fetchall()
        return found | {"schema": sorted(schema)}


def databases(root: Path) -> dict[str, dict[str, list[tuple[Any, ...]]]]:
    """What all databases of runs and events hold."""
    history = root / "data/dagster/history"
    found = {
        path.relative_to(history).as_posix(): contents(path)
        for path in history.rglob("*.db")
    }
    found["runs.db"].pop("instance_info")  # an id by chance
    return found


def same_tables(own: Path, ours: Path) -> None:
    """Hold all databases of two projects against each other."""
    stored, found = databases(own), databases(ours)
    assert stored.keys() == found.keys()
    for name, tables in stored.items():
        assert tables.keys() == found[name].keys()
        for table, rows in tables.items():
            assert found[name][table] == rows, f"{name}: {table}"


def test_all_tables_hold_what_dagster_stores(both):
    same_tables(*both)
    assert {*databases(both[1])} == {"runs.db", "runs/index.db"} | {
        f"runs/{run_id}.db" for run_id, *_ in RUNS
    }


def told(instance: dg.DagsterInstance) -> dict[str, Any]:
    """What the UI asks an instance for, as text without times."""
    graph = DEFINITIONS.resolve_asset_graph()
    stale = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    log = instance.event_log_storage
    found = {
        "runs": [(run.run_id, run.status, run.tags) for run in instance.get_runs()],
        "events": [instance.get_records_for_run(run_id) for run_id, *_ in RUNS],
        "steps": [
            [
                (step.step_key, step.status)
                for step in instance.get_run_step_stats(run_id)
            ]
            for run_id, *_ in RUNS
        ],
        "assets": instance.get_asset_records(KEYS),
        "dates": [sorted(instance.get_materialized_partitions(key)) for key in KEYS],
        "checks": [
            log.get_asset_check_execution_history(check.key, limit=9)
            for check in CHECKS
        ],
        "stale": [
            (stale.get_status(key, date), stale.get_stale_causes(key, date))
            for key in graph.executable_asset_keys
            for date in ([FIRST, SECOND] if graph.get(key).is_partitioned else [None])
        ],
    }
    return {name: by_no_chance(str(answer)) for name, answer in found.items()}


def test_the_ui_is_told_the_same(both):
    answers = []
    for root in both:
        with of_the_ui(root) as instance:
            answers.append(told(instance))
    own, ours = answers
    assert own == ours
    assert "StaleStatus.FRESH" in ours["stale"]


def test_what_is_changed_otherwise_is_seen_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", "")
    with of_the_command_line(tmp_path / "shop") as instance:
        assert grade(instance, *RUNS[0])
        log = instance.event_log_storage
        same_as_stored(log)
        assert log.get_asset_records(KEYS[:1])
        log.wipe_asset(KEYS[0])
        assert log.get_asset_records(KEYS[:1]) == []
        same_as_stored(log)

        assert grade(instance, *RUNS[2])
        same_as_stored(log)
        assert log.get_asset_records(KEYS[:1])
        SqliteEventLogStorage(log._base_dir).wipe_asset(KEYS[0])
        assert log.get_asset_records(KEYS[:1]) == []
        same_as_stored(log)


def interrupted(root: Path, name: str, number: str) -> int:
    """A run that a signal ends in its last step, in a process of its own."""
    child = os.fork()
    if not child:
        try:
            with OPENED[name](root) as instance:
                grade(instance, RUNS[0][0], FIRST, number)
        finally:
            os._exit(7)
    return os.waitpid(child, 0)[1]


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_signal_leaves_what_was_told_until_then(tmp_path, monkeypatch, number):
    monkeypatch.setenv("DAGSTER_HOME", "")
    for name in OPENED:
        assert (
            os.waitstatus_to_exitcode(interrupted(tmp_path / name, name, number)) == 7
        )
    same_tables(tmp_path / "own", tmp_path / "ours")


def test_a_kill_costs_the_last_events_and_the_next_run_goes_well(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", "")
    ended = interrupted(tmp_path / "ours", "ours", "SIGKILL")
    assert os.waitstatus_to_exitcode(ended) == -signal.SIGKILL
    with of_the_command_line(tmp_path / "ours") as instance:
        (run,) = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.STARTED
        events = instance.all_logs(run.run_id)
        assert events[-1].dagster_event.event_type == dg.DagsterEventType.STEP_START
        assert events[-1].step_key == "marts"
        assert grade(instance, *RUNS[2])
        same_as_stored(instance.event_log_storage)


@contextlib.contextmanager
def counted() -> Iterator[Counter[str]]:
    """What SQLite is asked meanwhile: statements, and how often something is kept."""
    found: Counter[str] = Counter()

    def on_statement(*_: object) -> None:
        found["statements"] += 1

    def on_commit(_: object) -> None:
        found["commits"] += 1

    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", on_statement)
    sqlalchemy.event.listen(sqlalchemy.Engine, "commit", on_commit)
    yield found
    sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", on_statement)
    sqlalchemy.event.remove(sqlalchemy.Engine, "commit", on_commit)


def test_events_are_written_together(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setattr(event_log, "_LONGEST", 3600)  # however slow the machine is
    monkeypatch.setitem(globals(), "same_as_stored", lambda _: None)
    with of_the_command_line(tmp_path / "shop") as instance:
        assert grade(instance, *RUNS[0])
        with counted() as found:
            assert grade(instance, *RUNS[2])
        # SQLite keeps such files beside what is open: a database a date is not.
        (beside,) = tmp_path.rglob("runs/*.db-wal")
        assert beside.name == "index.db-wal"
        assert len(instance.all_logs(RUNS[2][0])) == 44
    # With Dagster's own 243 and 139. 26 statements make the tables of a run's database.
    assert found["statements"] <= 114
    assert found["commits"] <= 57


def test_no_more_than_some_events_wait(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setattr(event_log, "_LONGEST", 3600)
    run_id = RUNS[0][0]
    with of_the_command_line(tmp_path / "shop") as instance:
        log = instance.event_log_storage
        stored = SqliteEventLogStorage(log._base_dir)
        for number in range(1, 502):
            log.store_event(
                EventLogEntry(
                    error_info=None,
                    level=10,
                    user_message=str(number),
                    run_id=run_id,
                    timestamp=float(number),
                )
            )
            if number in (499, 500):
                assert len(stored.get_logs_for_run(run_id)) == (number == 500) * 500
        (event, *_) = stored.get_logs_for_run(run_id)
        monkeypatch.setattr(event_log, "_LONGEST", 0)
        log.store_event(event)
        assert len(stored.get_logs_for_run(run_id)) == 502
        monkeypatch.setattr(event_log, "_LONGEST", 3600)
        log.store_event(event)
        assert len(stored.get_logs_for_run(run_id)) == 502
        assert len(log.get_logs_for_run(run_id)) == 503
        log.store_event(event)
        assert len(stored.get_logs_for_run(run_id)) == 503
    assert len(stored.get_logs_for_run(run_id)) == 504
