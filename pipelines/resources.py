"""The resource that opens a run where nobody has yet: in the daemon and the UI."""

import contextlib
import datetime
from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.run import Run
from pipelines.running import hold_warehouse, open_run, read_date, today
from project.folder import open_project


def run_config(as_of_date: datetime.date) -> dict[str, Any]:
    """The run configuration that grades as of a date."""
    return {"resources": {"run": {"config": {"as_of_date": as_of_date.isoformat()}}}}


class RunResource(dg.ConfigurableResource[Run]):
    """Holds the warehouse for as long as the run lasts."""

    as_of_date: str = ""  # ISO; empty: today in the business zone

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Run]:
        """Wait for the warehouse, open it, and close it when the run ends."""
        project = open_project()
        as_of_date = read_date(self.as_of_date) if self.as_of_date else today(project)
        waiting = "Waiting for another run to release the warehouse."

        def tell() -> None:
            if context.log:
                context.log.info(waiting)

        with (
            hold_warehouse(project, on_wait=tell),
            open_run(project, as_of_date) as run,
        ):
            yield run
