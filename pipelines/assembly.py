"""What the code location is made of: assets, checks, job, schedules and sensor."""

import datetime
from collections.abc import Callable, Sequence
from functools import reduce

import dagster as dg

from assets import checks, core, marts, raw, release, staging
from assets.specs import AS_OF_DATES
from pipelines.jobs import GRADE
from pipelines.resources import RunResource
from pipelines.schedules import schedules
from pipelines.sensors import landing_sensor
from project.folder import Project
from schemes.language.files import read_schemes


def partition_of(as_of_date: datetime.date) -> str | None:
    """The partition of an as-of date; None where there is none, such as far ahead."""
    key = as_of_date.isoformat()
    return key if AS_OF_DATES.has_partition_key(key) else None


def assemble(
    project: Project,
    partitions: dg.DailyPartitionsDefinition | None = AS_OF_DATES,
    *,
    is_shown: bool = False,
) -> dg.Definitions:
    """All definitions; the same for the command line, the UI and the daemon.

    Args:
        project: its schemes are assets.
        partitions: the as-of dates by which what is graded is parted; a date that no
            partition has is graded without, None.
        is_shown: whether people look at the assets, so that they are told more of them.
    """
    landing, schemes = raw.landing(), read_schemes(project)
    assets = [
        raw.raw(),
        staging.staging(),
        core.shared,
        *core.TABLES,
        core.customer_metrics,
        marts.grades_of(schemes),
        *marts.TABLES,
        marts.contact_lookup,
        marts.customer_id_changes,
        marts.feed_arrivals,
        marts.tags,
        marts.tag_values,
        marts.work_lists,
        marts.segments,
        release.release_tables,
        release.current,
    ]
    changes = [] if partitions is AS_OF_DATES else [in_partitions(partitions)]
    if is_shown:
        from pipelines.shown_assets import ShownAssets  # noqa: PLC0415 - no run needs it

        keys = [key for asset in assets for key in asset.keys]
        names = [".".join(key.path) for key in keys]
        shown = ShownAssets(project, schemes, names)
        landing = [shown.add_to(spec) for spec in landing]
        changes.append(shown.add_to)
    if changes:
        assets = [asset.map_asset_specs(in_turn(changes)) for asset in assets]
    return dg.Definitions(
        assets=[*landing, *assets],
        asset_checks=[checks.quality_in(partitions)],
        jobs=[GRADE],
        schedules=schedules(project),
        sensors=[landing_sensor(project)],
        resources={"run": RunResource()},
        # One process holds the warehouse; a process a step would pay the imports each.
        executor=dg.in_process_executor,
    )


Change = Callable[[dg.AssetSpec], dg.AssetSpec]


def in_turn(changes: Sequence[Change]) -> Change:
    """Several changes of an asset as one."""
    return lambda spec: reduce(lambda changed, change: change(changed), changes, spec)


def in_partitions(partitions: dg.DailyPartitionsDefinition | None) -> Change:
    """What parts an asset by other as-of dates, or by none; files are loaded once."""

    def parted(spec: dg.AssetSpec) -> dg.AssetSpec:
        if spec.partitions_def is None:
            return spec
        return spec.replace_attributes(partitions_def=partitions)

    return parted
