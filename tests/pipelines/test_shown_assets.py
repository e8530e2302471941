"""What the UI shows of assets: files, freshness, and lineage where it is kept."""

import datetime
from pathlib import Path

import dagster as dg
import pytest

from pipelines import shown_assets
from pipelines.assembly import assemble
from pipelines.lineage.between_assets import BetweenAssets
from pipelines.lineage.graph import From, Lineage
from project.folder import open_project

LINEAGE = Lineage(
    tables={
        "core.line_metrics": {"spend": From(("core.lines.spend_amount",))},
        "core.customer_metrics": {
            "spend_12m_amount": From(("core.line_metrics.spend",))
        },
        "marts.customer_profile": {
            "spend_12m_amount": From(("core.customer_metrics.spend_12m_amount",)),
            "as_of_date": From(parameters=("as_of_date",)),
        },
    },
    files={},
    schemes={},
)


def assembled(folder, settings):
    (folder / "fenji.yaml").write_text(f"name: shop\n{settings}")
    return assemble(open_project(folder), is_shown=True).resolve_asset_graph()


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    """The assets of a project, with the lineage above as if it were kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shown_assets, "kept_lineage", lambda _: LINEAGE)
        folder = tmp_path_factory.mktemp("shown")
        return assembled(folder, "gates: {fresh: {transactions: 2 days}}\n")


def node(graph, name):
    return graph.get(dg.AssetKey(name.split(".")))


@pytest.mark.parametrize(
    ("asset", "files"),
    [
        ("core.orders", ["orders.sql", "orders.yaml", "core.py"]),
        ("staging.tickets", ["tickets.yaml", "staging.py"]),
        ("marts.scheme_results", ["scheme_results.yaml", "marts.py"]),
        ("release.customer_profile", ["customer_profile.yaml", "release.py"]),
        ("schemes.rfm_8", ["rfm_8.yaml"]),
        ("landing.tickets", ["tickets.yaml", "raw.py"]),
    ],
)
def test_an_asset_names_the_files_where_it_is_written(graph, asset, files):
    references = node(graph, asset).metadata["dagster/code_references"].code_references
    paths = [Path(reference.file_path) for reference in references]
    assert [path.name for path in paths] == files
    assert all(path.is_file() for path in paths)


def test_a_feed_is_as_fresh_as_its_gate_asks_for(graph):
    policy = node(graph, "landing.transactions").freshness_policy
    assert policy.fail_window.to_timedelta() == datetime.timedelta(days=3)
    assert node(graph, "landing.tickets").freshness_policy is None


def test_the_columns_behind_a_column_are_those_of_assets(graph):
    shown = node(graph, "core.customer_metrics").metadata["dagster/column_lineage"]
    lines = dg.TableColumnDep(dg.AssetKey(["core", "lines"]), "spend_amount")
    assert shown.deps_by_column == {"spend_12m_amount": [lines]}


def test_what_a_release_copies_has_the_columns_of_the_copied_table():
    between = BetweenAssets(LINEAGE, ["core.lines", "core.customer_metrics"])
    assert between.deps_of("release.customer_metrics", ["customer_id"]) == {
        "customer_id": (("core.customer_metrics", "customer_id"),)
    }
    columns = ["spend_12m_amount", "as_of_date"]
    assert between.deps_of("release.customer_profile", columns) == {
        "spend_12m_amount": (("release.customer_metrics", "spend_12m_amount"),)
    }


def test_a_run_carries_none_of_it(graph, tmp_path):
    (tmp_path / "fenji.yaml").write_text("name: shop\n")
    carried_out = assemble(open_project(tmp_path)).resolve_asset_graph()
    assert carried_out.get_all_asset_keys() == graph.get_all_asset_keys()
    metadata = node(carried_out, "core.orders").metadata
    assert not {"dagster/code_references", "dagster/column_lineage"} & metadata.keys()
