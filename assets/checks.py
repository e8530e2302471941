"""The checks of the release: a suite a table, all validated in one step."""

import warnings
from collections.abc import Iterator

import dagster as dg

from assets import gates
from assets.making import written_building
from assets.release import TABLES, released_tables
from data_quality.failing_keys import failing_keys
from data_quality.gates import FILES_TABLE, TIERS_TABLE
from data_quality.result import CheckResult
from data_quality.suites import suite_for
from releases.building import place_of
from runs.run import Run
from sql.access import guarded_columns
from sql.contracts import Contract

SUITE = "suite"
GATES = "gates"
# The gates by the table under which the Dagster UI and the release show them.
GATED = {
    FILES_TABLE: ("rejected", "refused", "fresh", "rows_fall"),
    TIERS_TABLE: ("tiers_move",),
}


def quality_in(
    partitions: dg.PartitionsDefinition[str] | None,
) -> dg.AssetChecksDefinition:
    """The step that checks the release, parted as its tables are."""
    gated = [table for table in TABLES if table.table in GATED]

    @dg.multi_asset_check(
        name="quality",
        description=(
            "Judge what came in and who moved by the gates of the settings, and check"
            " the tables of the release against their contracts."
        ),
        specs=[
            *(_gates(table, partitions) for table in gated),
            *(_spec(table, partitions) for table in TABLES),
        ],
    )
    def quality(run: dg.ResourceParam[Run]) -> Iterator[dg.AssetCheckResult]:
        """Validate every stored table and view of the release; write the Data Docs."""
        with run.noticing():
            building = written_building(run)
        with run.step("gates", phase="checks"):
            judged = gates.judge(run)
        # Importing Great Expectations takes a second; nothing else of a run needs it.
        with run.step("import of Great Expectations", phase="startup"):
            from data_quality import docs, validation  # noqa: PLC0415
        with run.step("checks", phase="checks") as step:
            batches = [(table, place_of(table)) for table in released_tables(run)]
            found = validation.run_checks(
                run.con, batches, rows=run.counted, has_amounts=run.has_amounts
            )
            run.checks = judged + found
            step.rows = len(run.checks)
            contracts = [table for table, _ in batches]
            docs.write_data_docs(run.checks, building.quality, contracts)
            run.checked = building
        for table in gated:
            yield _result(run, table, GATES)
        for table in released_tables(run):
            yield _result(run, table, SUITE)

    return quality


def _spec(
    table: Contract, partitions: dg.PartitionsDefinition[str] | None
) -> dg.AssetCheckSpec:
    sentences = [f"- {check.sentence} ({check.severity})" for check in suite_for(table)]
    return _blocking(table, SUITE, "\n".join(sentences), partitions)


def _gates(
    table: Contract, partitions: dg.PartitionsDefinition[str] | None
) -> dg.AssetCheckSpec:
    about = f"Gates of fenji.yaml: {', '.join(GATED[table.table])}"
    return _blocking(table, GATES, about, partitions)


def _blocking(
    table: Contract,
    name: str,
    about: str,
    partitions: dg.PartitionsDefinition[str] | None,
) -> dg.AssetCheckSpec:
    with warnings.catch_warnings():
        # A preview in Dagster. Without it a check looks through all dates of its table,
        # which takes 2 s a run.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return dg.AssetCheckSpec(
            name=name,
            asset=dg.AssetKey(["release", table.table]),
            description=about,
            blocking=True,
            partitions_def=partitions,
        )


def _result(run: Run, table: Contract, name: str) -> dg.AssetCheckResult:
    """A table's suite, or its gates, as Dagster shows it: blocking where one stops."""
    results = [
        check
        for check in run.checks
        if check.table_name == table.table and check.is_gate == (name == GATES)
    ]
    failed = [check for check in results if not check.passed]
    blocks = any(check.blocks for check in failed)
    held = [check for check in results if check.passed]
    return dg.AssetCheckResult(
        asset_key=["release", table.table],
        check_name=name,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
        metadata={
            "expectations": len(results),
            **(
                {"rows": run.counted[table.table]} if table.table in run.counted else {}
            ),
            **{check.check_name: _why_failed(run, table, check) for check in failed},
            **{check.check_name: f"holds: {check.observed}" for check in held},
        },
    )


def _why_failed(run: Run, table: Contract, check: CheckResult) -> str:
    """What was found instead, and in which rows, by keys that everybody may see."""
    hidden = guarded_columns(table)
    keys = failing_keys(run.con, table, place_of(table), check.check_name, hidden)
    return "; ".join((f"does not hold: {check.observed}", *keys))
