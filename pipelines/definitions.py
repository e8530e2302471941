"""The Dagster code location: assets, checks, the job, its schedules and sensor."""

import datetime
import os
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from assets import checks, core, marts, raw, release, staging
from assets.specs import AS_OF_DATES
from pipelines.jobs import GRADE
from pipelines.partitions import shown_dates
from pipelines.resources import RunResource
from pipelines.schedules import schedules
from pipelines.sensors import landing_sensor
from project.errors import ConfigurationError
from project.folder import PROJECT_VARIABLE, Project, open_project
from project.settings import Settings
from schemes.language.files import read_schemes


def partition_of(as_of_date: datetime.date) -> str | None:
    """The partition of an as-of date; None where there is none, such as far ahead."""
    key = as_of_date.isoformat()
    return key if AS_OF_DATES.has_partition_key(key) else None


def assemble(
    project: Project, partitions: dg.DailyPartitionsDefinition | None = AS_OF_DATES
) -> dg.Definitions:
    """All definitions; the same for the command line, the UI and the daemon.

    Args:
        project: its schemes are assets.
        partitions: the as-of dates by which what is graded is parted; a date that no
            partition has is graded without, None.
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
    if partitions is not AS_OF_DATES:
        parted = in_partitions(partitions)
        assets = [asset.map_asset_specs(parted) for asset in assets]
    return dg.Definitions(
        assets=[*raw.landing(), *assets],
        asset_checks=[checks.quality_in(partitions)],
        jobs=[GRADE],
        schedules=schedules(project),
        sensors=[landing_sensor(project)],
        resources={"run": RunResource()},
        # One process holds the warehouse; a process a step would pay the imports each.
        executor=dg.in_process_executor,
    )


def in_partitions(
    partitions: dg.DailyPartitionsDefinition | None,
) -> Callable[[dg.AssetSpec], dg.AssetSpec]:
    """What parts an asset by other as-of dates, or by none; files are loaded once."""

    def parted(spec: dg.AssetSpec) -> dg.AssetSpec:
        if spec.partitions_def is None:
            return spec
        return spec.replace_attributes(partitions_def=partitions)

    return parted


@dg.definitions
def definitions() -> dg.Definitions:
    """What `dg`, the webserver and the daemon load: the project of FENJI_PROJECT."""
    try:
        project = open_project()
    except ConfigurationError:
        if PROJECT_VARIABLE in os.environ:
            raise
        # For linting and looking around in a checkout, the library will do.
        project = Project(Path.cwd(), Settings(name="library"))
    return assemble(project, shown_dates(project) or AS_OF_DATES)
