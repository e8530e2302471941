"""The schedules: in the morning in the business zone, as of the day before."""

import contextlib
import datetime

import dagster as dg

from pipelines.jobs import GRADE
from project.folder import Project, open_project
from releases.manifest import Manifest
from runs.opening import decide, hold_warehouse

_AT_FIVE = "0 5 * * *"
_FIRST_AT_FIVE = "0 5 1 * *"


class _Busy(Exception):  # noqa: N818 - a state, no error
    """Another run holds the warehouse."""


def schedules(project: Project) -> list[dg.ScheduleDefinition]:
    """A project's schedules: every day, or for those who grade by months."""
    return [
        _schedule(
            project,
            "daily",
            _AT_FIVE,
            "Grade as of the day that has just ended in the business zone.",
            dg.DefaultScheduleStatus.RUNNING,
        ),
        _schedule(
            project,
            "monthly",
            _FIRST_AT_FIVE,
            "Grade as of the last day of the month that has just ended, for projects"
            " that grade by months: start it and stop the daily one.",
            dg.DefaultScheduleStatus.STOPPED,
        ),
    ]


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
        execution_timezone=project.settings.timezone,
        default_status=default_status,
        description=description,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        as_of_date = context.scheduled_execution_time.date() - datetime.timedelta(
            days=1
        )
        published = _published(open_project(), as_of_date)
        if published is not None:
            return dg.SkipReason(f"Nothing changed since {published.release_id}.")
        return dg.RunRequest(partition_key=as_of_date.isoformat())

    return tick


def _published(project: Project, as_of_date: datetime.date) -> Manifest | None:
    """The release that a run would publish again, None where that cannot be told."""

    def give_up() -> None:
        raise _Busy

    with contextlib.suppress(_Busy), hold_warehouse(project, on_wait=give_up):
        return decide(project, as_of_date).published
    return None
