"""The job: everything from landing to release, for one as-of date."""

import dagster as dg

GRADE = dg.define_asset_job(
    name="grade",
    description="Ingest what is new, grade every customer, check, publish one release.",
    selection=dg.AssetSelection.all(),
)
