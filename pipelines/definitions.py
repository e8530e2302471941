"""The Dagster code location: assembles assets, checks, the job and the schedule."""

import datetime
import os
from pathlib import Path

import dagster as dg

from assets import checks, core, marts, raw, release, staging
from assets.specs import AS_OF_DATES
from pipelines.jobs import GRADE
from pipelines.resources import RunResource
from pipelines.schedules import schedules
from project.errors import ConfigurationError
from project.folder import PROJECT_VARIABLE, Project, open_project
from project.settings import Settings
from schemes.language.files import read_schemes


def partition_of(as_of_date: datetime.date) -> str | None:
    """The partition of an as-of date; None where there is none, such as far ahead."""
    key = as_of_date.isoformat()
    return key if AS_OF_DATES.has_partition_key(key) else None


def assemble(project: Project, *, in_partitions: bool = True) -> dg.Definitions:
    """All definitions; the same for the command line, the UI and the daemon.

    Args:
        project: its schemes are assets.
        in_partitions: whether what is graded is parted by as-of date; a date that no
            partition has is graded without.
    """
    assets = [
        raw.raw(),
        staging.staging(),
        core.shared,
        *core.TABLES,
        core.customer_metrics,
        marts.grades_of(read_schemes(project)),
        *marts.TABLES,
        marts.contact_lookup,
        marts.tags,
        marts.tag_values,
        marts.work_lists,
        marts.segments,
        release.release_tables,
        release.current,
    ]
    if not in_partitions:
        assets = [asset.map_asset_specs(without_partitions) for asset in assets]
    return dg.Definitions(
        assets=[*raw.landing(), *assets],
        asset_checks=[checks.quality_in(AS_OF_DATES if in_partitions else None)],
        jobs=[GRADE],
        schedules=schedules(project),
        resources={"run": RunResource()},
        # One process holds the warehouse; a process a step would pay the imports each.
        executor=dg.in_process_executor,
    )


def without_partitions(spec: dg.AssetSpec) -> dg.AssetSpec:
    """The asset as one that is not parted by as-of date."""
    return spec.replace_attributes(partitions_def=None)


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
