"""The marts layer: grades and their reasons, RFM, the lists of schemes, service tables.

All schemes are computed in one pass over the customers' metrics, so they are one step;
each is an asset of its own, so that its lineage shows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from assets.core import make_where_needed, table_asset
from assets.making import table_assets
from assets.specs import AS_OF_DATES, key_of, made_in_sql, spec_of
from ingest.arrivals import TABLE as ARRIVALS
from ingest.arrivals import make_arrivals
from project.contacts import contact_key
from project.shown import markdown
from releases.contact_hashes import TABLE as CONTACT_LOOKUP
from releases.contact_hashes import make_contact_lookup
from releases.customer_ids import TABLE as ID_CHANGES
from releases.customer_ids import make_changes
from releases.previous import create_previous_tiers
from runs.run import Run
from schemes.language.files import Scheme, in_order
from schemes.plan import COMPILED, RESULTS
from schemes.tables.campaign_tiers import CAMPAIGN_TIERS
from schemes.tables.segments import SEGMENT_COUNTS, SEGMENT_TABLES
from schemes.tables.service_level_months import service_level_months_select
from schemes.tables.tag_rules import TAG_TABLES
from schemes.tables.tag_values import FOUND, VALUES
from schemes.tables.work_lists import LIST_TABLES
from sql.contracts import Contract, contract
from sql.readiness import data_readiness_select
from sql.selects import row_count

LEVEL_MONTHS = contract("marts", "service_level_months")


@table_assets(name="marts__service_level_months", specs=[spec_of(LEVEL_MONTHS)])
def service_level_months(run: Run) -> dg.MaterializeResult[Any]:
    """Find the service level of each customer at the ends of earlier months again."""
    names = ("window_months", "high_share_ratio", "mid_share_ratio")
    with run.noticing():
        rule = run.con.execute(
            f"select {', '.join(names)} from marts.service_level_rule"
        ).fetchone()
    select = service_level_months_select(
        int(str(run.params(LEVEL_MONTHS)["shown_months"])), has_rule=rule is not None
    )
    of_rule = dict(zip(names, rule or (), strict=False))
    return make_where_needed(run, LEVEL_MONTHS, select, of_rule)


TABLES = [
    *(table_asset(table) for table in made_in_sql("marts")),
    table_asset(contract("marts", "data_readiness"), data_readiness_select),
    service_level_months,
]
GRADED = tuple(contract("marts", table) for table in (RESULTS, *COMPILED))
SEGMENTS = tuple(
    contract("marts", table) for table in (*SEGMENT_TABLES, CAMPAIGN_TIERS)
)
TAGS = tuple(contract("marts", table) for table in TAG_TABLES)
TAG_VALUES = tuple(contract("marts", table) for table in (VALUES, FOUND))
LISTS = tuple(contract("marts", table) for table in LIST_TABLES)
CONTACTS = contract("marts", CONTACT_LOOKUP)
CHANGED_IDS = contract("marts", ID_CHANGES)
ARRIVED = contract("marts", ARRIVALS)


@table_assets(name=f"marts__{CONTACT_LOOKUP}", specs=[spec_of(CONTACTS)])
def contact_lookup(run: Run) -> dg.MaterializeResult[Any]:
    """Hash the contacts of all customers; without a key there are none."""
    with run.step(CONTACTS.name, phase="compute") as step:
        settings = run.project.settings.lookup
        key = contact_key(settings.key_variable)
        make_contact_lookup(run.con, key, settings.country)
        step.rows = row_count(run.con, "marts", CONTACT_LOOKUP)
    return dg.MaterializeResult(metadata={"dagster/row_count": step.rows})


@table_assets(name=f"marts__{ID_CHANGES}", specs=[spec_of(CHANGED_IDS)])
def customer_id_changes(run: Run) -> dg.MaterializeResult[Any]:
    """Hold which ids are one customer against the release before."""
    with run.step(CHANGED_IDS.name, phase="compute") as step:
        make_changes(run.con, run.project, run.previous)
        step.rows = row_count(run.con, "marts", ID_CHANGES)
    return dg.MaterializeResult(metadata={"dagster/row_count": step.rows})


@table_assets(name=f"marts__{ARRIVALS}", specs=[spec_of(ARRIVED)])
def feed_arrivals(run: Run) -> dg.MaterializeResult[Any]:
    """Count what came since the release before; a look back loads nothing."""
    with run.step(ARRIVED.name, phase="compute") as step:
        is_look_back = run.known_at is not None
        run.arrivals = make_arrivals(
            run.con,
            since=run.began_at if is_look_back else run.unpublished_since,
            stated_until=run.stated_until,
        )
        step.rows = row_count(run.con, "marts", ARRIVALS)
    return dg.MaterializeResult(metadata={"dagster/row_count": step.rows})


def compiled_step(
    name: str,
    description: str,
    tables: Sequence[Contract],
    make: Callable[[Run], Mapping[str, int]],
) -> dg.AssetsDefinition:
    """The step that makes a family of compiled tables.

    Args:
        name: of the step.
        description: of the step, for the UI.
        tables: those that it makes.
        make: makes them; returns their rows by name.
    """

    @table_assets(
        name=name, description=description, specs=[spec_of(table) for table in tables]
    )
    def step(run: Run) -> Iterator[dg.MaterializeResult[Any]]:
        rows = make(run)
        for table in tables:
            yield _result(table, rows)

    return step


tags = compiled_step(
    "tags",
    "Compile the tag dictionary.",
    TAGS,
    lambda run: run.execution().tags(),
)
tag_values = compiled_step(
    "tag_values",
    "Tag customers by the rules and values of the tag dictionary.",
    TAG_VALUES,
    lambda run: run.execution().tag_values(),
)
work_lists = compiled_step(
    "work_lists",
    "Find the customers to act on, list by list.",
    LISTS,
    lambda run: run.execution().lists(),
)
segments = compiled_step(
    "segments",
    "Count customers by attribute and tier, and sum campaigns by tier.",
    SEGMENTS,
    lambda run: run.execution().segments(run.params(contract("marts", SEGMENT_COUNTS))),
)


def grades_of(schemes: tuple[Scheme, ...]) -> dg.AssetsDefinition:
    """The step that grades every customer by all schemes."""
    scheme_keys = [dg.AssetKey(["schemes", scheme.scheme]) for scheme in schemes]

    @table_assets(
        name="grades",
        description="Grade every customer by all schemes, in one pass.",
        specs=[
            *(_scheme_spec(scheme) for scheme in schemes),
            spec_of(GRADED[0]).replace_attributes(deps=scheme_keys),
            *(spec_of(table) for table in GRADED[1:]),
        ],
    )
    def grades(run: Run) -> Iterator[dg.MaterializeResult[Any]]:
        applicable = run.plan.applicable
        with run.step("marts.previous_tiers", phase="compute"):
            create_previous_tiers(run.con, run.project, run.previous, applicable)
        rows = run.execution().grades()
        for scheme in in_order(schemes):
            yield dg.MaterializeResult(
                asset_key=["schemes", scheme.scheme],
                metadata={
                    "version": scheme.version,
                    "is applicable": scheme.scheme in applicable,
                },
            )
        for table in GRADED:
            yield _result(table, rows)

    return grades


def _result(table: Contract, rows: Mapping[str, int]) -> dg.MaterializeResult[Any]:
    """What Dagster is told of a table that was made; a view has no rows of its own."""
    metadata = {"dagster/row_count": rows[table.table]} if table.table in rows else None
    return dg.MaterializeResult(asset_key=key_of(table.name), metadata=metadata)


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
