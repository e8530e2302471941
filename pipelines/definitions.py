"""The Dagster code location: assembles assets, checks, the job and the schedule."""

import os
from pathlib import Path

import dagster as dg

from assets import checks, core, marts, raw, release, staging
from pipelines.jobs import GRADE
from pipelines.resources import RunResource
from pipelines.schedules import daily
from project.errors import ConfigurationError
from project.folder import PROJECT_VARIABLE, Project, open_project
from project.settings import Settings
from schemes.load import read_schemes


def assemble(project: Project) -> dg.Definitions:
    """All definitions; the same for the command line, the UI and the daemon."""
    return dg.Definitions(
        assets=[
            *raw.LANDING,
            raw.raw,
            staging.staging,
            *core.TABLES,
            core.customer_metrics,
            marts.grades_of(read_schemes(project)),
            *marts.TABLES,
            marts.tags,
            release.release_tables,
            release.current,
        ],
        asset_checks=[checks.quality],
        jobs=[GRADE],
        schedules=[daily(project)],
        resources={"run": RunResource()},
        # One process holds the warehouse; a process a step would pay the imports each.
        executor=dg.in_process_executor,
    )


@dg.definitions
def definitions() -> dg.Definitions:
    """What `dg`, the webserver and the daemon load: the project of FENJI_PROJECT."""
    try:
        return assemble(open_project())
    except ConfigurationError:
        if PROJECT_VARIABLE in os.environ:
            raise
        # For linting and looking around in a checkout, the library will do.
        return assemble(Project(Path.cwd(), Settings(name="library")))
