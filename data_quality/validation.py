"""Runs the checks of tables in DuckDB and says what became of each.

    results = run_checks(con, [(contract, "release.main.customers"), ...])
    failed = [result.line for result in results if result.blocks]
    write_data_docs(results, folder / "quality", contracts)

All tables go in one call: they share one set-up, and a `no_rows` check may read the
other tables of the call as `{table}` beside its own as `{batch}`. The checks run
through a cursor of the given connection, so what they are to see must be committed and
not temporary. Each check ends as one result, also where it cannot be judged (a missing
column, a broken query): it has failed then. No result holds a value of a row.

Importing this module imports Great Expectations, which takes seconds: import it in the
step that checks, never where Dagster loads its definitions.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import great_expectations as gx
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.datasource.fluent.sql_datasource import QueryAsset

from data_quality.duckdb_datasource import DuckDBDatasource
from data_quality.expectations import translated
from data_quality.result import CheckResult
from data_quality.suites import Expectation, suite_for
from sql.contracts import Contract

# Counts only, never values.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
_DUCKDB_ERROR = re.compile(r"\(_duckdb\.(\w+)\) ([^\n]*)")
# Errors about names are raised before a row is read; any other may quote a value.
_NAMING_ERRORS = {"BinderException", "CatalogException", "ParserException"}
_SHOWN = 5  # deviating columns that one line names


@dataclass(frozen=True)
class _Batch:
    """A table under check: what is expected of it, and what it is like."""

    contract: Contract
    select: str
    suite: Sequence[Expectation]
    columns: Mapping[str, str]  # name → DuckDB's type
    missing: str | None = None  # why it cannot be read at all


def run_checks(
    con: duckdb.DuckDBPyConnection, batches: Sequence[tuple[Contract, str]]
) -> list[CheckResult]:
    """Check each relation against its contract, in the order given.

    Args:
        con: the run's own connection; it stays open and as it is.
        batches: contracts, each with the relation to check as SQL names it, such as
            `release.main.customers`. A personal column may be missing from it: what
            privacy leaves out is not checked.
    """
    described = [_described(con, contract, relation) for contract, relation in batches]
    readable = [batch for batch in described if batch.missing is None]
    selects = {batch.contract.table: batch.select for batch in readable}
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(enable=False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = DuckDBDatasource(
        name="duckdb",
        assets=[QueryAsset(name=name, query=query) for name, query in selects.items()],
    )
    source.connect(con)
    try:
        context.add_datasource(datasource=source)
        judged = {
            batch.contract.table: _judge(
                source.get_asset(batch.contract.table), batch, selects
            )
            for batch in readable
        }
    finally:
        source.close()
    results: list[CheckResult] = []
    for batch in described:
        of_table = judged.get(batch.contract.table, {})
        for expectation in batch.suite:
            if batch.missing is not None:
                results.append(_unjudged(batch, expectation, batch.missing))
            elif expectation.kind == "columns":
                results.append(_judge_columns(batch, expectation))
            else:
                results.append(of_table[expectation.name])
    return results


def _described(
    con: duckdb.DuckDBPyConnection, contract: Contract, relation: str
) -> _Batch:
    """The table with its columns; expectations of columns left out are left out too."""
    # The relation is one of the run's own tables.
    select = f"select * from {relation}"
    suite = suite_for(contract)
    try:
        described = con.execute(f"describe {select}").fetchall()
    except duckdb.Error as err:
        why = str(err).splitlines()[0]
        return _Batch(contract, select, suite, columns={}, missing=why)
    columns = {name: kind for name, kind, *_ in described}
    hidden = {
        column.name
        for column in contract.columns
        if column.personal and column.name not in columns
    }
    shown = [
        expectation
        for expectation in suite
        if not hidden.intersection(expectation.columns)
    ]
    return _Batch(contract, select, shown, columns)


def _judge(
    asset: QueryAsset, batch: _Batch, selects: Mapping[str, str]
) -> dict[str, CheckResult]:
    """The result of each expectation that Great Expectations can judge, by name."""
    results: dict[str, CheckResult] = {}
    asked: dict[str, Expectation] = {}
    suite = gx.ExpectationSuite(name=asset.name)
    for expectation in batch.suite:
        if expectation.kind == "columns":
            continue
        absent = [
            column for column in expectation.columns if column not in batch.columns
        ]
        if absent:
            results[expectation.name] = _unjudged(
                batch, expectation, f"{', '.join(absent)} is missing"
            )
            continue
        try:
            suite.add_expectation(translated(expectation, selects))
        except ValueError as err:
            last_line = str(err).strip().splitlines()[-1].strip()
            results[expectation.name] = _unjudged(batch, expectation, last_line)
        else:
            asked[expectation.name] = expectation
    loaded = asset.get_batch(asset.build_batch_request())
    for outcome in loaded.validate(suite, result_format=_RESULT_FORMAT).results:
        expectation = asked[outcome.expectation_config.meta["name"]]
        error = _error(outcome.exception_info)
        results[expectation.name] = (
            _unjudged(batch, expectation, error)
            if error
            else _judged(batch, expectation, outcome)
        )
    return results


def _judged(batch: _Batch, expectation: Expectation, outcome: Any) -> CheckResult:  # noqa: ANN401
    counts: dict[str, Any] = outcome.result
    if expectation.kind == "rows":
        n_rows = int(counts["observed_value"])
        n_failed = _beyond(n_rows, expectation)
        observed = _number_of(n_rows, "row")
    elif "observed_value" in counts:
        n_failed = int(counts["observed_value"])
        observed = _number_of(
            n_failed, "key" if expectation.kind == "unique" else "row"
        )
    else:
        # The sum over no rows is null.
        n_failed = int(counts["unexpected_count"] or 0)
        observed = f"{n_failed} of {_number_of(counts['element_count'], 'row')}"
    return _result(batch, expectation, bool(outcome.success), n_failed, observed)


def _beyond(n_rows: int, expectation: Expectation) -> int:
    """How many rows are missing, or are too many."""
    least = n_rows if expectation.min is None else int(str(expectation.min))
    most = n_rows if expectation.max is None else int(str(expectation.max))
    return max(0, least - n_rows, n_rows - most)


def _judge_columns(batch: _Batch, expectation: Expectation) -> CheckResult:
    """Whether the table has the columns of its contract, with their types."""
    wrong: list[str] = []
    for column in batch.contract.columns:
        kind = batch.columns.get(column.name)
        if kind is None and not column.personal:
            wrong.append(f"{column.name} is missing")
        elif kind is not None and kind != column.duckdb_type:
            wrong.append(f"{column.name} is {kind}, not {column.duckdb_type}")
    if not wrong:
        return _result(
            batch, expectation, True, 0, _number_of(len(batch.columns), "column")
        )
    shown = wrong[:_SHOWN] + (["…"] if len(wrong) > _SHOWN else [])
    return _result(batch, expectation, False, len(wrong), ", ".join(shown))


def _number_of(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _unjudged(batch: _Batch, expectation: Expectation, reason: str) -> CheckResult:
    return _result(batch, expectation, False, None, reason)


def _result(
    batch: _Batch,
    expectation: Expectation,
    passed: bool,
    n_failed: int | None,
    observed: str,
) -> CheckResult:
    return CheckResult(
        table_name=batch.contract.table,
        check_name=expectation.name,
        severity=expectation.severity,
        passed=passed,
        n_failed=n_failed,
        observed=observed,
        expected=expectation.sentence,
    )


def _error(info: Mapping[str, Any] | None) -> str | None:
    """Why an expectation could not be judged, in one line that quotes no value."""
    for found in [info, *info.values()] if info else []:
        if isinstance(found, Mapping) and found.get("raised_exception"):
            message = str(found.get("exception_message") or "")
            error = _DUCKDB_ERROR.search(message)
            if error is None:
                return " ".join(message.split()) or "could not be judged"
            kind, said = error.groups()
            return said.strip() if kind in _NAMING_ERRORS else f"{kind} in DuckDB"
    return None
