"""A backfill in the UI: all dates of a range in one run, as `fenji backfill` does it.

The asset `backfill/releases` has a single-run policy: Dagster begins one run for a
range of dates, and that grades them together, in order, by `pipelines.backfill`. Each
date is on the timeline with its steps as well, as when the command line grades it.
"""

import datetime
from collections.abc import Iterator

import dagster as dg

from pipelines import backfill, notices, serving
from pipelines.jobs import RANGES
from project.folder import open_project
from runs.run import Run

RELEASES = dg.AssetKey([RANGES, "releases"])
_DESCRIPTION = """\
A release for each date of a range: "Materialize", choose the dates, and all of them are
graded in one run that shares what they have in common.

各截止日期的发布：点击 Materialize 并选择日期范围，所有日期在同一次运行中分级。
"""


class RangeConfig(dg.Config):
    """As the options of `fenji backfill`."""

    accept: bool = False
    full: bool = False


def releases_of_dates(
    partitions: dg.DailyPartitionsDefinition,
) -> dg.AssetsDefinition:
    """The asset that grades a range of dates.

    Args:
        partitions: the as-of dates that people may choose.
    """
    spec = dg.AssetSpec(
        key=RELEASES,
        partitions_def=partitions,
        group_name=RANGES,
        kinds={"duckdb"},
        description=_DESCRIPTION,
        skippable=True,  # each date is told by itself, once it is there
    )

    @dg.multi_asset(
        name=RANGES, specs=[spec], backfill_policy=dg.BackfillPolicy.single_run()
    )
    def graded(
        context: dg.AssetExecutionContext, config: RangeConfig
    ) -> Iterator[dg.AssetMaterialization]:
        if len(context.job_def.nodes) > 1:
            # The run that makes the others holds the warehouse.
            context.log.info(
                "Left out: a range of dates is graded by a run of its own."
            )
            return
        dates = sorted(map(datetime.date.fromisoformat, context.partition_keys))

        def tell_waiting() -> None:
            context.log.info("Waiting for another run to release the warehouse.")

        def on_end(run: Run) -> None:
            if run.released is None:
                notices.tell(run, context.log.info)

        project = open_project()
        for done in backfill.backfill(
            project,
            dates,
            publish="all",
            accept=config.accept,
            full=config.full,
            on_wait=tell_waiting,
            on_upgrade=context.log.info,
            on_end=on_end,
            progress=None,
        ):
            made = _materialization(done)
            context.log.info("%s: release %s", made.partition, done.manifest.release_id)
            yield made
        serving.serve_and_tell(project, context.log.info)

    return graded


def _materialization(done: backfill.Graded) -> dg.AssetMaterialization:
    """That a date is graded, as Dagster is told."""
    return dg.AssetMaterialization(
        asset_key=RELEASES,
        partition=done.manifest.as_of_date.isoformat(),
        metadata={
            "release": done.manifest.release_id,
            "is new": done.is_new,
            "seconds": round(done.seconds, 1),
        },
    )
