"""The schedule: every morning in the business zone, as of the day before."""

import datetime

import dagster as dg

from pipelines.jobs import GRADE
from pipelines.resources import run_config
from pipelines.running import decide
from project.errors import ConfigurationError
from project.folder import open_project

_AT_FIVE = "0 5 * * *"


def daily() -> dg.ScheduleDefinition:
    """The daily schedule of the project that FENJI_PROJECT or the folder names."""
    try:
        zone = open_project().settings.timezone
    except ConfigurationError:
        # Definitions load without a project too, for linting and for looking around.
        zone = "UTC"

    @dg.schedule(
        name="daily",
        job=GRADE,
        cron_schedule=_AT_FIVE,
        execution_timezone=zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Grade as of the day that has just ended in the business zone.",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        as_of_date = context.scheduled_execution_time.date() - datetime.timedelta(days=1)
        published = decide(open_project(), as_of_date).published
        if published is not None:
            return dg.SkipReason(f"Nothing changed since {published.release_id}.")
        return dg.RunRequest(run_config=run_config(as_of_date))

    return tick
