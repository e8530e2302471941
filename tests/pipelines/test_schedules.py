"""Scheduled runs: when they begin, which date they grade, and that it is found."""

import datetime
import json
import zoneinfo

import dagster as dg
import pytest

from pipelines.assembly import assemble
from pipelines.schedules import schedules
from project.errors import ConfigurationError
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


def set_schedule(project, said: str):
    with project.settings_file.open("a") as file:
        file.write(f"schedule: {said}\n")
    return open_project(project.root)


def test_the_settings_say_when_a_run_begins(project):
    daily, monthly = schedules(project)
    assert (daily.cron_schedule, monthly.cron_schedule) == ("0 5 * * *", "0 5 1 * *")
    assert daily.execution_timezone == "Asia/Shanghai"

    changed = set_schedule(project, '{at: "23:59", timezone: Europe/London}')
    daily, monthly = schedules(changed)
    assert daily.cron_schedule == "59 23 * * *"
    assert daily.execution_timezone == "Europe/London"
    assert monthly.cron_schedule == "59 23 1 * *"


@pytest.mark.parametrize(
    ("as_of", "clock", "asked"),
    [
        # In London; the day is that of Shanghai, eight hours ahead in winter.
        ("yesterday", (15, 59), "2026-02-28"),
        ("yesterday", (16, 0), "2026-03-01"),
        ("today", (15, 59), "2026-03-01"),
        ("today", (16, 0), "2026-03-02"),
    ],
)
def test_a_day_is_one_of_the_business_zone(project, as_of, clock, asked):
    changed = set_schedule(project, f"{{as_of: {as_of}, timezone: Europe/London}}")
    london = zoneinfo.ZoneInfo("Europe/London")
    moment = datetime.datetime(2026, 3, 1, *clock, tzinfo=london)
    (request,) = tick(changed, "daily", moment).run_requests
    assert request.partition_key == asked


@pytest.mark.parametrize("at", ["5:00", "24:00", "23:60", "noon", "05:00:00"])
def test_what_is_no_time_of_the_day_is_refused(project, at):
    with pytest.raises(ConfigurationError, match=r"schedule\.at.*no time of the day"):
        set_schedule(project, f'{{at: "{at}"}}')


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
