"""The marts layer: grades and their reasons, RFM, the lists of schemes, service tables.

All schemes are computed in one pass over the customers' metrics, so they are one step;
each is an asset of its own, so that its lineage shows.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.core import table_asset
from assets.making import table_assets
from assets.specs import AS_OF_DATES, key_of, made_in_sql, spec_of
from project.shown import markdown
from releases.previous import create_previous_tiers
from runs.run import Run
from schemes.language.files import Scheme, in_order
from sql.contracts import contract
from sql.readiness import data_readiness_select
from sql.selects import create, row_count

TABLES = [
    *(table_asset(table) for table in made_in_sql("marts")),
    table_asset(contract("marts", "data_readiness"), data_readiness_select()),
]
RESULTS = contract("marts", "scheme_results")
COMPILED = tuple(
    contract("marts", name)
    for name in (
        "customer_rfm",
        "rfm_cuts",
        "schemes",
        "scheme_tiers",
        "scheme_codes",
        "reason_steps",
        "scheme_rules",
        "scheme_flags",
        "segment_playbook",
        "scheme_benefits",
        "birthday_benefits",
        "service_level",
        "category_discounts",
        "opportunity_grades",
        "scheme_results_by_category",
    )
)
TAGS = tuple(
    contract("marts", name)
    for name in ("tag_groups", "tag_dictionary", "tag_terms", "rule_tags")
)


@table_assets(
    name="tags",
    description="Compile the tag dictionary, and tag customers by its rules.",
    specs=[spec_of(table) for table in TAGS],
)
def tags(run: Run) -> Iterator[dg.MaterializeResult[Any]]:
    """Make the tables that customer_tags, tags and unmapped_tags read."""
    for table in TAGS:
        with run.step(table.name, phase="compute") as step:
            name = ("marts", table.table)
            select = run.plan.tags.tables[table.table]
            create(run.con, name, select, run.params(table), kind=table.kind)
            if table.kind == "view":
                yield dg.MaterializeResult(asset_key=key_of(table.name))
                continue
            step.rows = row_count(run.con, *name)
        yield dg.MaterializeResult(
            asset_key=key_of(table.name), metadata={"dagster/row_count": step.rows}
        )


def grades_of(schemes: tuple[Scheme, ...]) -> dg.AssetsDefinition:
    """The step that grades every customer by all schemes."""
    scheme_keys = [dg.AssetKey(["schemes", one.scheme]) for one in schemes]

    @table_assets(
        name="grades",
        description="Grade every customer by all schemes, in one pass.",
        specs=[
            *(_scheme_spec(one) for one in schemes),
            spec_of(RESULTS).replace_attributes(deps=scheme_keys),
            *(spec_of(table) for table in COMPILED),
        ],
    )
    def grades(run: Run) -> Iterator[dg.MaterializeResult[Any]]:
        plan = run.plan
        params = run.params(RESULTS)
        with run.step("marts.scheme_cuts", phase="compute"):
            create(run.con, ("marts", "scheme_cuts"), plan.cuts, params)
        with run.step("marts.previous_tiers", phase="compute"):
            create_previous_tiers(run.con, run.project, run.previous, plan.applicable)
        with run.step(RESULTS.name, phase="compute") as step:
            name = ("marts", RESULTS.table)
            create(run.con, name, plan.results, params)
            step.rows = row_count(run.con, *name)
        for one in in_order(schemes):
            runs = one.scheme in plan.applicable
            yield dg.MaterializeResult(
                asset_key=["schemes", one.scheme],
                metadata={"version": one.version, "is applicable": runs},
            )
        yield dg.MaterializeResult(
            asset_key=key_of(RESULTS.name), metadata={"dagster/row_count": step.rows}
        )
        for table in COMPILED:
            with run.step(table.name, phase="compute") as step:
                name = ("marts", table.table)
                create(run.con, name, plan.tables[table.table], params)
                step.rows = row_count(run.con, *name)
            yield dg.MaterializeResult(
                asset_key=key_of(table.name), metadata={"dagster/row_count": step.rows}
            )

    return grades


def _scheme_spec(scheme: Scheme) -> dg.AssetSpec:
    """The asset of a scheme: its names, and the schemes that it stands on."""
    return dg.AssetSpec(
        key=["schemes", scheme.scheme],
        deps=[
            dg.AssetKey(["core", "customer_metrics"]),
            *(dg.AssetKey(["schemes", other]) for other in scheme.reads_schemes),
        ],
        description=markdown(f"{scheme.name.en} · {scheme.name.zh}"),
        group_name="schemes",
        kinds={"duckdb", "yaml"},
        code_version=scheme.digest[:12],
        partitions_def=AS_OF_DATES,
    )
