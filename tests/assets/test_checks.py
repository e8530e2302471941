"""The checks of a release: a suite a table, and the gates of two."""

import dagster as dg

from assets.checks import GATES, SUITE, quality_in
from assets.release import TABLES, release_tables
from assets.specs import AS_OF_DATES
from pipelines.assembly import in_partitions
from project.errors import RunError


def test_every_table_of_the_release_has_a_suite_that_blocks():
    specs = list(quality_in(None).check_specs)
    suites = {spec.asset_key.path[1] for spec in specs if spec.name == SUITE}
    assert suites == {table.table for table in TABLES}
    assert all(spec.blocking for spec in specs)
    gated = {spec.asset_key.path[1] for spec in specs if spec.name == GATES}
    assert gated == {"feed_reconciliation", "tier_migrations"}


def test_checks_are_parted_as_their_tables_are():
    for parts in (None, AS_OF_DATES):
        specs = quality_in(parts).check_specs
        assert {spec.partitions_def for spec in specs} == {parts}


def test_there_is_nothing_to_check_before_a_release_is_written(new_run):
    quality = dg.Definitions(
        assets=[release_tables.map_asset_specs(in_partitions(None))],
        asset_checks=[quality_in(None)],
        jobs=[dg.define_asset_job("check", dg.AssetSelection.checks(quality_in(None)))],
        resources={"run": new_run},
    )
    job = quality.resolve_job_def("check")
    assert not job.execute_in_process(raise_on_error=False).success
    assert isinstance(new_run.failure, RunError)
    assert "has written no tables to check" in str(new_run.failure)
