"""The raw layer: what landing files hold, typed, row for row."""

import datetime
from collections.abc import Iterator

import dagster as dg

from assets.making import Result, every_date, table_assets
from assets.specs import spec_of
from ingest import known_files, replaced_files
from ingest.load import load_feed, look
from ingest.problems import nothing_loaded
from project.errors import RunError
from runs.run import Run
from sql.contracts import feeds
from sql.selects import row_count


def landing() -> list[dg.AssetSpec]:
    """The folders of all feeds, those of the project as well."""
    return [
        dg.AssetSpec(
            key=["landing", name],
            description=f"Files below landing/{name}/. One row is {feed.grain}.",
            group_name="landing",
            kinds={"file"},
            owners=[feed.owner],
        )
        for name, feed in feeds().items()
    ]


def raw() -> dg.AssetsDefinition:
    """The step that loads all feeds, those of the project as well."""
    return table_assets(
        name="raw",
        description="Load the landing files that are new or changed.",
        specs=[
            spec_of(feed, reads=[f"landing.{name}"]) for name, feed in feeds().items()
        ],
        serving=every_date,
    )(_load)


def _load(run: Run) -> Iterator[Result | dg.AssetMaterialization]:
    """Load every feed; one without files is an empty table.

    A run on what was known at an earlier time loads nothing.
    """
    landed = look(run.con, run.project) if run.known_at is None else None
    for name, feed in feeds().items():
        with run.step(f"raw.{name}", phase="ingest") as step:
            if landed is not None:
                load = load_feed(run.con, run.project, feed, run.began_at, landed)
            else:
                load = known_files.settle(run.con, feed)
            run.loads[name] = load
            step.rows = load.n_loaded if load.n_new else None
        yield dg.MaterializeResult(
            asset_key=["raw", name],
            metadata={
                "dagster/row_count": row_count(run.con, "raw", name),
                "files": load.n_files,
                "new files": load.n_new,
                "new rows": load.n_read,
                "new duplicate rows": load.n_duplicate,
                "new rejected rows": load.n_rejected,
                "new skipped rows": load.n_skipped,
            },
        )
        if load.n_new and name in run.project.settings.gates.fresh:
            # Since when there are new files; the UI holds it against the gate.
            yield dg.AssetMaterialization(
                asset_key=["landing", name], metadata={"new files": load.n_new}
            )
    with run.step("raw", phase="ingest"):
        days = run.project.settings.publish.keep_replaced_days
        if run.known_at is None and days is not None:
            replaced_files.remove_older(
                run.con, run.began_at - datetime.timedelta(days=days)
            )
        if not any(row_count(run.con, "raw", name) for name in feeds()):
            raise RunError(nothing_loaded(run.con, run.project))
