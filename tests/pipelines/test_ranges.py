"""A range of dates in the UI; that it is graded by one run is in test_ui.py."""

import dagster as dg

from assets.specs import AS_OF_DATES
from pipelines.definitions import definitions
from pipelines.ranges import RELEASES, releases_of_dates


def test_beside_other_assets_it_is_left_out(monkeypatch):
    """Their run holds the warehouse, so that it would wait for itself."""
    monkeypatch.setattr("pipelines.ranges.backfill.backfill", None)

    @dg.asset(partitions_def=AS_OF_DATES)
    def another() -> None:
        """Stand for the tables of a run."""

    done = dg.materialize(
        [releases_of_dates(AS_OF_DATES), another], partition_key="2026-05-31"
    )
    made = [event.asset_key for event in done.get_asset_materialization_events()]
    assert done.success
    assert made == [another.key]


def test_the_job_of_one_date_is_without_it(monkeypatch, tmp_path):
    (tmp_path / "fenji.yaml").write_text("name: shop\nschemes: {only: [rfm_8]}\n")
    monkeypatch.setenv("FENJI_PROJECT", str(tmp_path))
    found = definitions()
    assert RELEASES in found.resolve_all_asset_keys()
    selected = found.resolve_job_def("grade").asset_layer.selected_asset_keys
    assert RELEASES not in selected
    assert dg.AssetKey(["release", "current"]) in selected
