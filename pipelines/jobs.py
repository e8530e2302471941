"""The job: everything from landing to release, for one as-of date."""

import dagster as dg

RANGES = "backfill"  # the group of what grades ranges of dates

GRADE = dg.define_asset_job(
    name="grade",
    description="Ingest what is new, grade every customer, check, publish one release.",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups(RANGES),
)
