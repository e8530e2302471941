"""The core layer: customers, lines, orders and points, and each customer's metrics."""

from typing import Any

import dagster as dg

from assets.run import Run
from assets.specs import made_in_sql, spec_of
from project.errors import RunError
from sql.contracts import Contract, contract
from sql.statements import create, row_count, select_of, without_rows


def table_asset(table: Contract, select: str | None = None) -> dg.AssetsDefinition:
    """The asset of a table that is one `select`: of its file unless it is given."""
    name = (table.layer, table.table)

    @dg.multi_asset(name=f"{table.layer}__{table.table}", specs=[spec_of(table)])
    def make(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[Any]:
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


TABLES = [table_asset(table) for table in made_in_sql("core")]
METRICS = contract("core", "customer_metrics")


@dg.multi_asset(name="core__customer_metrics", specs=[spec_of(METRICS)])
def customer_metrics(run: dg.ResourceParam[Run]) -> dg.MaterializeResult[Any]:
    """Compute what schemes ask for: one pass a fact table, then one row a customer."""
    with run.step("core.metrics", phase="compute"):
        if not row_count(run.con, "core", "customers"):
            raise RunError(
                f"--as-of {run.as_of_date}: no customer is known by this date; the"
                " landing files begin later"
            )
        plan = run.plan
    for name, select in plan.facts.items():
        with run.step(f"core.{name}", phase="compute"):
            create(run.con, ("core", name), select, run.params(METRICS))
    with run.step(METRICS.name, phase="compute") as step:
        create(
            run.con, ("core", METRICS.table), plan.customer_metrics, run.params(METRICS)
        )
        step.rows = row_count(run.con, "core", "customer_metrics")
    return dg.MaterializeResult(metadata={"dagster/row_count": step.rows})
