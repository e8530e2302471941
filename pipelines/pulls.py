"""Tables of databases in the UI: the job `pull`, and when it begins by itself.

Each table of `databases:`, list of `services:` and pattern of `buckets:` is an asset
below `databases/`, on which the landing folder of its feed depends. The job brings what
is new, as `fenji pull` does. It grades nothing: that is for the schedule, or the sensor
of landing files.
"""

from collections.abc import Iterator

import dagster as dg

from ingest.databases.tables import is_asked, refuse_without_extra, tables_of
from pipelines.jobs import PULL, PULLED
from project.errors import FenjiError
from project.folder import Project, open_project
from project.lock import hold

_DESCRIPTION = """\
What {database} has in {table}, for the feed {feed}: "Materialize" brings what is new
into the landing folder.

{database} 中 {table} 的数据：点击 Materialize 将新增数据写入落地目录。
"""


def keys_of(project: Project, feed: str) -> list[dg.AssetKey]:
    """The tables whose rows land in the folder of a feed."""
    return [key for key, of_feed, _ in _tables(project) if of_feed == feed]


def pulls(project: Project) -> dg.Definitions:
    """The assets, the job and the schedule; none where no database is named."""
    tables = [*_tables(project)]
    if not tables:
        return dg.Definitions()
    specs = [
        dg.AssetSpec(
            key=key,
            group_name=PULLED,
            kinds={"parquet"},
            description=_DESCRIPTION.format(
                table=key.path[-1], database=key.path[1], feed=feed
            ),
            metadata={"asks for": asked},
            skippable=True,  # what is as it was is not made again
        )
        for key, feed, asked in tables
    ]
    return dg.Definitions(
        assets=[_step(specs)], jobs=[PULL], schedules=_schedules(project)
    )


def _tables(project: Project) -> Iterator[tuple[dg.AssetKey, str, str]]:
    """Each table: its key, its feed, and what is asked for."""
    for table in tables_of(project) if is_asked(project) else ():
        key = dg.AssetKey([PULLED, table.database, table.feed, table.pulled.folder])
        cursor = getattr(table.pulled, "cursor", None)
        yield key, table.feed, "all rows" if cursor is None else f"by {cursor}"


def _step(specs: list[dg.AssetSpec]) -> dg.AssetsDefinition:
    @dg.multi_asset(name="pull_databases", specs=specs, can_subset=False)
    def pulled(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.MaterializeResult[None]]:
        if len(context.job_def.nodes) > 1:
            # The run that makes the others holds the warehouse.
            context.log.info("Left out: tables are pulled by a run of their own.")
            return

        def tell_waiting() -> None:
            context.log.info("Waiting for another run to release the warehouse.")

        project = open_project()
        try:
            refuse_without_extra(project)
            # Imports dlt and SQLAlchemy, which only a pull needs.
            from ingest.databases.pulling import pull  # noqa: PLC0415

            with hold(project.lock, on_wait=tell_waiting):
                for table in pull(project):
                    key = [PULLED, table.database, table.feed, table.table]
                    context.log.info(
                        "%s: %d %ss read, %d new",
                        "/".join(key[1:]),
                        table.n_read,
                        table.unit,
                        table.n_new,
                    )
                    if table.file is not None:
                        yield dg.MaterializeResult(
                            asset_key=key,
                            metadata={
                                f"{table.unit}s read": table.n_read,
                                f"new {table.unit}s": table.n_new,
                                "file": table.file.name,
                            },
                        )
        except FenjiError as err:
            # In one line, and without what a database says of itself.
            raise dg.Failure(str(err), allow_retries=False) from None

    return pulled


def _schedules(project: Project) -> list[dg.ScheduleDefinition]:
    """The schedule of the settings; none where they name no time."""
    schedule = project.settings.schedule
    if schedule.pull_at is None:
        return []
    hour, minute = map(int, schedule.pull_at.split(":"))
    return [
        dg.ScheduleDefinition(
            name="pull",
            job=PULL,
            cron_schedule=f"{minute} {hour} * * *",
            execution_timezone=schedule.timezone or project.settings.timezone,
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Bring what is new elsewhere into the landing folders.",
        )
    ]
