"""The checks of the release: one Dagster asset check an expectation, in one step."""

import re
from collections.abc import Iterator

import dagster as dg

from assets.release import TABLES, released_tables
from assets.run import Run
from data_quality.suites import Expectation, suite_for
from releases.building import CATALOG
from sql.contracts import Contract
from sql.statements import quoted

_SEVERITIES = {
    "ERROR": dg.AssetCheckSeverity.ERROR,
    "WARN": dg.AssetCheckSeverity.WARN,
}


def check_name(name: str) -> str:
    """The name of an expectation in Dagster's alphabet."""
    return re.sub(r"\W+", "_", name).strip("_")


def _spec(table: Contract, expectation: Expectation) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        name=check_name(expectation.name),
        asset=dg.AssetKey(["release", table.table]),
        description=expectation.sentence,
        blocking=expectation.severity == "ERROR",
    )


@dg.multi_asset_check(
    name="quality",
    description="Check the tables of the release against their contracts.",
    specs=[_spec(table, one) for table in TABLES for one in suite_for(table)],
    can_subset=True,
)
def quality(run: dg.ResourceParam[Run]) -> Iterator[dg.AssetCheckResult]:
    """Validate every stored table and view of the release; write the Data Docs."""
    # Importing Great Expectations takes seconds; nothing else of a run needs it.
    with run.step("import of Great Expectations", phase="startup"):
        from data_quality import docs, validation  # noqa: PLC0415
    with run.step("checks", phase="checks") as step:
        batches = [
            (table, quoted(CATALOG, "main", table.table))
            for table in released_tables(run)
        ]
        run.checks = validation.run_checks(run.con, batches)
        step.rows = len(run.checks)
        if run.building is not None:
            contracts = [table for table, _ in batches]
            docs.write_data_docs(run.checks, run.building.quality, contracts)
    for one in run.checks:
        yield dg.AssetCheckResult(
            asset_key=["release", one.table_name],
            check_name=check_name(one.check_name),
            passed=one.passed,
            severity=_SEVERITIES[one.severity],
            metadata={"failed rows": one.n_failed, "observed": one.observed},
        )
