"""The schedules: at a time of the day that `schedule:` sets, as of a day that it sets.

What a run grades is in `pipelines.jobs`; runs that begin when files arrive are in
`pipelines.sensors`.
"""

import contextlib
import datetime

import dagster as dg

from pipelines.jobs import GRADE
from project.folder import Project, open_project
from releases.manifest import Manifest
from runs.dates import day_of
from runs.opening import decide, hold_warehouse

_A_DAY = datetime.timedelta(days=1)


class _Busy(Exception):  # noqa: N818 - a state, no error
    """Another run holds the warehouse."""


def schedules(project: Project) -> list[dg.ScheduleDefinition]:
    """A project's schedules: every day, or for those who grade by months."""
    hour, minute = map(int, project.settings.schedule.at.split(":"))
    return [
        _schedule(
            project,
            "daily",
            f"{minute} {hour} * * *",
            f"Grade as of {project.settings.schedule.as_of} in the business zone.",
            dg.DefaultScheduleStatus.RUNNING,
        ),
        _schedule(
            project,
            "monthly",
            f"{minute} {hour} 1 * *",
            "On the first of each month: grade as of"
            f" {project.settings.schedule.as_of} in the business zone, for projects"
            " that grade by months: start it and stop the daily one.",
            dg.DefaultScheduleStatus.STOPPED,
        ),
    ]


def as_of_date(project: Project, now: datetime.datetime) -> datetime.date:
    """The day that a run which begins by itself grades.

    Args:
        project: its business zone decides what a day is.
        now: when the run begins.
    """
    day = day_of(project, now)
    return day if project.settings.schedule.as_of == "today" else day - _A_DAY


def published(project: Project, date: datetime.date) -> Manifest | None:
    """The release that a run would publish again, None where that cannot be told."""

    def give_up() -> None:
        raise _Busy

    with contextlib.suppress(_Busy), hold_warehouse(project, on_wait=give_up):
        return decide(project, date).published
    return None


def _schedule(
    project: Project,
    name: str,
    cron_schedule: str,
    description: str,
    default_status: dg.DefaultScheduleStatus,
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        job=GRADE,
        cron_schedule=cron_schedule,
        execution_timezone=project.settings.schedule.timezone
        or project.settings.timezone,
        default_status=default_status,
        description=description,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        # The settings as they are now: they may have changed since the start.
        opened = open_project()
        date = as_of_date(opened, context.scheduled_execution_time)
        release = published(opened, date)
        if release is not None:
            return dg.SkipReason(f"Nothing changed since {release.release_id}.")
        return dg.RunRequest(partition_key=date.isoformat())

    return tick
