"""The jobs: everything from landing to release, for one as-of date; and pulls."""

import dagster as dg

RANGES = "backfill"  # the group of what grades ranges of dates
PULLED = "databases"  # the group of tables that are pulled

GRADE = dg.define_asset_job(
    name="grade",
    description="Ingest what is new, grade every customer, check, publish one release.",
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups(RANGES, PULLED),
)
PULL = dg.define_asset_job(
    name="pull",
    description="Bring what is new elsewhere into the landing folders.",
    selection=dg.AssetSelection.groups(PULLED),
)
