"""The schedule: every morning in the business zone, as of the day before."""

import contextlib
import datetime

import dagster as dg

from pipelines.jobs import GRADE
from pipelines.resources import run_config
from pipelines.running import decide, hold_warehouse
from project.folder import Project, open_project
from releases.manifest import Manifest

_AT_FIVE = "0 5 * * *"


class _Busy(Exception):  # noqa: N818 - a state, no error
    """Another run holds the warehouse."""


def daily(project: Project) -> dg.ScheduleDefinition:
    """The daily schedule of a project."""

    @dg.schedule(
        name="daily",
        job=GRADE,
        cron_schedule=_AT_FIVE,
        execution_timezone=project.settings.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Grade as of the day that has just ended in the business zone.",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        as_of_date = context.scheduled_execution_time.date() - datetime.timedelta(
            days=1
        )
        published = _published(open_project(), as_of_date)
        if published is not None:
            return dg.SkipReason(f"Nothing changed since {published.release_id}.")
        return dg.RunRequest(run_config=run_config(as_of_date))

    return tick


def _published(project: Project, as_of_date: datetime.date) -> Manifest | None:
    """The release that a run would publish again, None where that cannot be told."""

    def give_up() -> None:
        raise _Busy

    with contextlib.suppress(_Busy), hold_warehouse(project, on_wait=give_up):
        return decide(project, as_of_date).published
    return None
