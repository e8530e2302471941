"""The checks of the release: a suite a table, all validated in one step."""

import warnings
from collections.abc import Iterator

import dagster as dg

from assets.release import TABLES, released_tables
from assets.run import Run
from data_quality.result import CheckResult
from data_quality.suites import suite_for
from releases.building import CATALOG
from sql.contracts import Contract
from sql.statements import quoted

SUITE = "suite"


def quality_in(
    partitions: dg.PartitionsDefinition[str] | None,
) -> dg.AssetChecksDefinition:
    """The step that checks the release, parted as its tables are."""

    @dg.multi_asset_check(
        name="quality",
        description="Check the tables of the release against their contracts.",
        specs=[_spec(table, partitions) for table in TABLES],
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
        for table in TABLES:
            of_table = [one for one in run.checks if one.table_name == table.table]
            yield _result(table, of_table)

    return quality


def _spec(
    table: Contract, partitions: dg.PartitionsDefinition[str] | None
) -> dg.AssetCheckSpec:
    sentences = [f"- {one.sentence} ({one.severity})" for one in suite_for(table)]
    with warnings.catch_warnings():
        # A preview in Dagster. Without it a check looks through all dates of its table,
        # which takes 2 s a run.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            name=SUITE,
            asset=dg.AssetKey(["release", table.table]),
            description="\n".join(sentences),
            blocking=True,
            partitions_def=partitions,
        )


def _result(table: Contract, results: list[CheckResult]) -> dg.AssetCheckResult:
    """A table's suite as Dagster shows it: blocking where an error failed."""
    failed = [one for one in results if not one.passed]
    blocks = any(one.blocks for one in failed)
    return dg.AssetCheckResult(
        asset_key=["release", table.table],
        check_name=SUITE,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
        metadata={
            "expectations": len(results),
            **{one.check_name: one.observed for one in failed},
        },
    )
