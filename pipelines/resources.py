"""The resource that opens a run where nobody has yet: in the daemon and the UI.

The tag that names a run's partition is private to Dagster; see `pipelines.event_log`
for the version that is pinned because of such things.
"""

import contextlib
from collections.abc import Iterator

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG

from pipelines import notices, serving
from project.folder import open_project
from runs.dates import read_date, refuse_to_come, today
from runs.opening import hold_warehouse, open_run
from runs.run import Run


class RunResource(dg.ConfigurableResource[Run]):
    """Holds the warehouse for as long as the run lasts.

    The run's partition is its as-of date; without one, today in the business zone.
    """

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Run]:
        """Wait for the warehouse, open it, and close it when the run ends."""
        project = open_project()
        partition = context.run.tags.get(PARTITION_NAME_TAG) if context.run else None
        as_of_date = today(project)
        if partition:
            as_of_date = read_date(project, partition, option="partition")
            refuse_to_come(project, as_of_date, option="partition")

        def tell(told: str) -> None:
            if context.log:
                context.log.info(told)

        def tell_waiting() -> None:
            tell("Waiting for another run to release the warehouse.")

        with (
            hold_warehouse(project, on_wait=tell_waiting),
            open_run(project, as_of_date, on_upgrade=tell) as run,
        ):
            try:
                yield run
            finally:
                notices.tell(run, tell)
        if run.released is not None:
            serving.serve_and_tell(project, tell)
