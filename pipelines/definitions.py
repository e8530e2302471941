"""The Dagster code location: assembles assets, checks, the job and the schedule."""

import dagster as dg

from assets import checks, core, marts, raw, release, staging
from pipelines.jobs import GRADE
from pipelines.resources import RunResource
from pipelines.schedules import daily


def assemble() -> dg.Definitions:
    """All definitions; the same for the command line, the UI and the daemon."""
    return dg.Definitions(
        assets=[
            *raw.LANDING,
            raw.raw,
            staging.staging,
            *core.TABLES,
            core.customer_metrics,
            *marts.TABLES,
            *marts.GRADES,
            release.release_tables,
            release.current,
        ],
        asset_checks=[checks.quality],
        jobs=[GRADE],
        schedules=[daily()],
        resources={"run": RunResource()},
        # One process holds the warehouse; steps of their own would each pay the imports.
        executor=dg.in_process_executor,
    )


@dg.definitions
def definitions() -> dg.Definitions:
    """What `dg`, the webserver and the daemon load."""
    return assemble()
