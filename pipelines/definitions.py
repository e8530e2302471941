"""The Dagster code location: what `dg`, the webserver and the daemon load."""

import os
from pathlib import Path

import dagster as dg

from assets.specs import AS_OF_DATES
from pipelines.assembly import assemble
from pipelines.partitions import shown_dates
from pipelines.pulls import pulls
from pipelines.ranges import releases_of_dates
from project.errors import ConfigurationError
from project.folder import PROJECT_VARIABLE, Project, open_project
from project.settings import Settings


@dg.definitions
def definitions() -> dg.Definitions:
    """The project of FENJI_PROJECT, with what grades ranges of dates, and pulls."""
    try:
        project = open_project()
    except ConfigurationError:
        if PROJECT_VARIABLE in os.environ:
            raise
        # For linting and looking around in a checkout, the library will do.
        project = Project(Path.cwd(), Settings(name="library"))
    partitions = shown_dates(project) or AS_OF_DATES
    return dg.Definitions.merge(
        assemble(project, partitions, is_shown=True),
        dg.Definitions(assets=[releases_of_dates(partitions)]),
        pulls(project),
    )
