"""The raw layer: what landing files hold, typed, row for row."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.run import Run
from assets.specs import spec_of
from ingest.load import load_feed
from sql.contracts import feeds

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
    specs=[
        spec_of(feed, reads=[f"landing.{name}"], skippable=True)
        for name, feed in feeds().items()
    ],
)
def raw(run: dg.ResourceParam[Run]) -> Iterator[dg.MaterializeResult[Any]]:
    """Load every feed; a feed without files yields nothing."""
    for name, feed in feeds().items():
        with run.step(f"raw.{name}", phase="ingest") as step:
            load = load_feed(run.con, run.project, feed)
            run.loads[name] = load
            step.rows = load.n_loaded if load.n_new else None
        if load.n_files:
            yield dg.MaterializeResult(
                asset_key=["raw", name],
                metadata={
                    "dagster/row_count": load.n_loaded,
                    "files": load.n_files,
                    "new files": load.n_new,
                    "rows read": load.n_read,
                    "duplicate rows": load.n_duplicate,
                    "rejected rows": load.n_rejected,
                },
            )
