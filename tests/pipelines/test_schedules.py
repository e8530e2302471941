"""Scheduled runs: which date a tick asks for, and that a run finds its date."""

import datetime
import json
import zoneinfo

import dagster as dg
import pytest

from pipelines.definitions import assemble
from project.folder import PROJECT_VARIABLE, open_project

ORDERS = """\
transaction_id,customer_id,occurred_at,amount
T1,A,2026-05-30T12:00:00,10
T2,A,2026-06-01T12:00:00,10
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "landing/transactions").mkdir(parents=True)
    (tmp_path / "landing/transactions/orders.csv").write_text(ORDERS)
    (tmp_path / "fenji.yaml").write_text(
        "name: morning\ntimezone: Asia/Shanghai\nschemes: {only: [annual_points]}\n"
    )
    monkeypatch.setenv(PROJECT_VARIABLE, str(tmp_path))
    return open_project(tmp_path)


def tick(project, name: str, moment: datetime.datetime):
    definitions = assemble(project)
    schedule = definitions.resolve_schedule_def(name)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=moment,
            repository_def=definitions.get_repository_def(),
        )
        return schedule.evaluate_tick(context)


def morning(month: int, day: int) -> datetime.datetime:
    zone = zoneinfo.ZoneInfo("Asia/Shanghai")
    return datetime.datetime(2026, month, day, 5, tzinfo=zone)


@pytest.mark.parametrize(
    ("name", "moment", "asked"),
    [
        ("daily", morning(6, 1), "2026-05-31"),
        ("daily", morning(6, 2), "2026-06-01"),
        ("monthly", morning(6, 1), "2026-05-31"),
    ],
)
def test_a_tick_asks_for_the_day_before(project, name, moment, asked):
    (request,) = tick(project, name, moment).run_requests
    assert request.partition_key == asked


def test_a_run_grades_as_of_its_partition_and_is_not_asked_for_again(project):
    job = assemble(project).resolve_job_def("grade")
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(
            instance=instance, partition_key="2026-05-31"
        ).success
    manifest = json.loads((project.current / "manifest.json").read_text())
    assert manifest["as_of_date"] == "2026-05-31"

    again = tick(project, "daily", morning(6, 1))
    assert not again.run_requests
    assert manifest["release_id"] in again.skip_message
