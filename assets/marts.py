"""The marts layer: grades and their reasons, RFM, the lists of schemes, the feeds' books.

All schemes are computed in one pass over the customers' metrics, so they are one step;
each is an asset of its own, so that its lineage shows.
"""

from collections.abc import Iterator

import dagster as dg

from assets.core import table_asset
from assets.run import Run
from assets.specs import made_in_sql, spec_of
from releases.previous import create_previous_tiers
from schemes.load import Scheme
from sql.contracts import contract
from sql.statements import create, row_count

TABLES = [table_asset(table) for table in made_in_sql("marts")]
RESULTS = contract("marts", "scheme_results")
COMPILED = tuple(
    contract("marts", name)
    for name in (
        "customer_rfm",
        "rfm_cuts",
        "schemes",
        "scheme_tiers",
        "scheme_rules",
    )
)


def scheme_spec(scheme: Scheme) -> dg.AssetSpec:
    """The asset of a scheme: its names, and the schemes that it stands on."""
    return dg.AssetSpec(
        key=["schemes", scheme.scheme],
        deps=[
            dg.AssetKey(["core", "customer_metrics"]),
            *(dg.AssetKey(["schemes", other]) for other in scheme.reads_schemes),
        ],
        description=f"{scheme.name.en} · {scheme.name.zh}",
        group_name="schemes",
        kinds={"duckdb", "yaml"},
        code_version=scheme.digest[:12],
    )
