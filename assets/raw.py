"""The raw layer: what landing files hold, typed, row for row."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.run import Run
from assets.specs import spec_of
from ingest.load import load_feed
from project.errors import RunError
from sql.contracts import feeds
from sql.statements import row_count

LANDING = [
    dg.AssetSpec(
        key=["landing", name],
        description=f"Files below landing/{name}/. One row is {feed.grain}.",
        group_name="landing",
        kinds={"file"},
        owners=[feed.owner],
    )
    for name, feed in feeds().items()
]


@dg.multi_asset(
    name="raw",
    description="Load the landing files that are new or changed.",
    specs=[spec_of(feed, reads=[f"landing.{name}"]) for name, feed in feeds().items()],
)
def raw(run: dg.ResourceParam[Run]) -> Iterator[dg.MaterializeResult[Any]]:
    """Load every feed; one without files is an empty table."""
    for name, feed in feeds().items():
        with run.step(f"raw.{name}", phase="ingest") as step:
            load = load_feed(run.con, run.project, feed)
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
            },
        )
    with run.step("raw", phase="ingest"):
        if not any(row_count(run.con, "raw", name) for name in feeds()):
            raise RunError(
                f"{run.project.landing}: nothing could be loaded; put files below"
                " landing/<feed>/, such as landing/transactions/sales.csv"
            )
