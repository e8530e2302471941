"""The core layer: customers, lines, orders and points, and each customer's metrics."""

from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg

from assets.making import shared_dates, table_assets
from assets.specs import key_of, made_in_sql, reads_of, spec_of
from ingest.staging import create_views
from project.errors import RunError
from runs import warehouse_state
from runs.key import facts_key
from runs.run import Run
from schemes.plan import METRICS
from sql.contracts import Contract, contract
from sql.selects import create, row_count, select_of, without_rows


def table_asset(table: Contract, select: str | None = None) -> dg.AssetsDefinition:
    """The asset of a table that is one `select`: of its file unless it is given."""
    name = (table.layer, table.table)

    @table_assets(name=f"{table.layer}__{table.table}", specs=[spec_of(table)])
    def make(run: Run) -> dg.MaterializeResult[Any]:
        with run.step(table.name, phase="compute") as step:
            made = select or select_of(table)
            if table.scheme is not None and table.scheme not in run.plan.applicable:
                made = without_rows(made)
            create(run.con, name, made, run.params(table), kind=table.kind)
            if table.kind == "view":
                return dg.MaterializeResult()
            step.rows = row_count(run.con, *name)
        return dg.MaterializeResult(metadata={"dagster/row_count": step.rows})

    return make


def _in_reading_order(tables: Iterable[Contract]) -> tuple[Contract, ...]:
    """The tables, each after those that it reads."""
    named = {table.name: table for table in tables}
    reads = {name: reads_of(table) & named.keys() for name, table in named.items()}
    return tuple(named[name] for name in TopologicalSorter(reads).static_order())


SHARED = _in_reading_order(
    table for table in made_in_sql("core") if table.for_all_dates
)
TABLES = [
    table_asset(table) for table in made_in_sql("core") if not table.for_all_dates
]
METRICS_TABLE = contract("core", METRICS)


@table_assets(
    name="core__shared",
    description="Make what the as-of dates that are graded together share.",
    specs=[spec_of(table) for table in SHARED],
    serving=shared_dates,
)
def shared(run: Run) -> Iterator[dg.MaterializeResult[Any]]:
    """Make the tables for the first of the dates; those after it find them made.

    They hold what is known up to the last of the dates; what reads them cuts them.
    """
    with run.step("core.shared", phase="compute"):
        facts = facts_key(run.con, run.project)
        made_for = warehouse_state.shared_for(run.con)
    if made_for is None or not made_for.serves(facts, run.as_of_date):
        warehouse_state.set_shared_for(run.con, None)
        if run.last_date != run.as_of_date:
            create_views(run.con, run.project, run.last_date, run.plan.bands)
        for table in SHARED:
            with run.step(table.name, phase="compute") as step:
                target = (table.layer, table.table)
                select = select_of(table)
                create(run.con, target, select, run.params(table), kind=table.kind)
                if table.kind == "table":
                    step.rows = row_count(run.con, *target)
        run.execution().shared()
        if run.last_date != run.as_of_date:
            create_views(run.con, run.project, run.as_of_date, run.plan.bands)
        made_for = warehouse_state.Shared(facts, run.first_date, run.last_date)
        warehouse_state.set_shared_for(run.con, made_for)
    for table in SHARED:
        yield dg.MaterializeResult(asset_key=key_of(table.name))


@table_assets(name="core__customer_metrics", specs=[spec_of(METRICS_TABLE)])
def customer_metrics(run: Run) -> dg.MaterializeResult[Any]:
    """Compute what schemes ask for: one pass a fact table, then one row a customer."""
    with run.step("core.metrics", phase="compute"):
        if not row_count(run.con, "core", "customers"):
            found = run.con.execute(
                "select min(first_known_date) from core.known_customers"
            ).fetchone()
            first = found[0] if found else None
            raise RunError(
                f"as of {run.as_of_date} no customer is known: "
                + (
                    f"the earliest row that names one is of {first}; grade a later date"
                    if first
                    else "no row names one; see customer_id in the files' mappings"
                )
            )
    rows = run.execution().metrics()
    return dg.MaterializeResult(metadata={"dagster/row_count": rows[METRICS]})
