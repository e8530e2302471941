"""Runs the checks of tables in DuckDB and says what became of each.

    results = run_checks(con, [(contract, "release.main.customers"), ...])
    failed = [result.line for result in results if result.blocks]
    write_data_docs(results, folder / "quality", contracts)

All tables go in one call: what their checks count is counted together, and a `no_rows`
check may read the other tables of the call as `{table}` beside its own as `{batch}`.
Great Expectations judges each expectation by its count; it never sees a row, so that no
result holds a value of one. Each check ends as one result, also where it cannot be
judged (a missing column, a broken query): it has failed then.

Importing this module imports Great Expectations, which takes a second: import it in the
step that checks, never where Dagster loads its definitions.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from data_quality import gx
from data_quality.counting import (
    ROWS,
    Counts,
    Table,
    count_all,
    query_of,
    tables_of,
)
from data_quality.counts_engine import CountsEngine
from data_quality.expectations import translated
from data_quality.result import CheckResult
from data_quality.suites import Expectation, suite_for
from sql.contracts import Contract

# Counts only, never values.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
# Errors about names are raised before a row is read; any other may quote a value.
_NAMING_ERRORS = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ParserException,
)
# The parts of a name such as release.main."customers".
_PARTS = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')
_SHOWN = 5  # deviating columns that one line names

_Columns = Mapping[str, str]  # name → DuckDB's type


@dataclass(frozen=True)
class _Batch:
    """A table under check: what is expected of it, and what it is like."""

    contract: Contract
    select: str
    suite: Sequence[Expectation]
    columns: _Columns
    missing: str | None = None  # why it cannot be read at all
    # What Great Expectations can be asked, by name, and why not the rest.
    asked: Mapping[str, gx.Expectation] = field(default_factory=dict)
    unasked: Mapping[str, str] = field(default_factory=dict)

    @property
    def counted(self) -> Table:
        """What of it is counted."""
        suite = [
            expectation for expectation in self.suite if expectation.name in self.asked
        ]
        contract = self.contract
        return Table(contract.table, self.select, contract.is_stored, suite)


def run_checks(
    con: duckdb.DuckDBPyConnection,
    batches: Sequence[tuple[Contract, str]],
    *,
    rows: dict[str, int] | None = None,
    has_amounts: bool = True,
) -> list[CheckResult]:
    """Check each relation against its contract, in the order given.

    Args:
        con: the run's own connection; it stays open and as it is.
        batches: contracts, each with the relation to check as SQL names it, such as
            `release.main.customers`. A personal column may be missing from it: what
            privacy leaves out is not checked.
        rows: is told how many rows each table has, by name, where they were counted.
        has_amounts: whether amounts are known; columns of money may be empty else.
    """
    known = _known_columns(con, [relation for _, relation in batches])
    described = [
        _described(
            con, contract, relation, known.get(_path(relation)), has_amounts=has_amounts
        )
        for contract, relation in batches
    ]
    tables = {batch.contract.table for batch in described if batch.missing is None}
    asked = [_asked(batch, tables) for batch in described]
    counts = count_all(con, [batch.counted for batch in asked if not batch.missing])
    if rows is not None:
        taken = {table: found.get(ROWS) for table, found in counts.items()}
        rows |= {name: found for name, found in taken.items() if isinstance(found, int)}
    validator = gx.Validator(execution_engine=CountsEngine(counts))
    validator.metrics_calculator.show_progress_bars = False
    results: list[CheckResult] = []
    for batch in asked:
        results += _results(con, validator, batch, counts.get(batch.contract.table, {}))
    return results


def _path(relation: str) -> tuple[str, ...]:
    """The parts of a relation's name, without quotes."""
    return tuple(
        within.replace('""', '"') or plain for within, plain in _PARTS.findall(relation)
    )


def _known_columns(
    con: duckdb.DuckDBPyConnection, relations: Sequence[str]
) -> Mapping[tuple[str, ...], _Columns]:
    """The columns of tables and views, as the catalogs have them.

    To describe a view binds what it stands over, which takes longer than all this.
    """
    catalogs = sorted({_path(relation)[0] for relation in relations})
    known: dict[tuple[str, ...], dict[str, str]] = {}
    for *path, name, kind in con.execute(
        """
        select database_name, schema_name, table_name, column_name, data_type
        from duckdb_columns()
        where database_name in (select unnest($catalogs))
        order by all
        """,
        {"catalogs": catalogs},
    ).fetchall():
        known.setdefault(tuple(path), {})[name] = kind
    return known


def _described(
    con: duckdb.DuckDBPyConnection,
    contract: Contract,
    relation: str,
    columns: _Columns | None,
    *,
    has_amounts: bool,
) -> _Batch:
    """The table with its columns; expectations of columns left out are left out too."""
    # The relation is one of the run's own tables.
    select = f"select * from {relation}"
    suite = suite_for(contract)
    if columns is None:
        try:
            described = con.execute(f"describe {select}").fetchall()
        except duckdb.Error as err:
            return _Batch(contract, select, suite, columns={}, missing=_why(err))
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
        and (has_amounts or not expectation.of_money)
    ]
    return _Batch(contract, select, shown, columns)


def _asked(batch: _Batch, tables: Collection[str]) -> _Batch:
    """The table with what Great Expectations can judge of it, and why not the rest."""
    asked: dict[str, gx.Expectation] = {}
    unasked: dict[str, str] = {}
    for expectation in batch.suite:
        if batch.missing is not None or expectation.kind == "columns":
            continue
        absent = [name for name in expectation.columns if name not in batch.columns]
        strange = tables_of(query_of(expectation) or "").difference(tables)
        if absent:
            unasked[expectation.name] = f"{', '.join(absent)} is missing"
        elif strange:
            named = ", ".join(sorted(strange))
            unasked[expectation.name] = (
                f"reads {named}, which is not among the checked tables"
            )
        else:
            try:
                asked[expectation.name] = translated(batch.contract.table, expectation)
            except ValueError as err:
                last_line = str(err).strip().splitlines()[-1].strip()
                unasked[expectation.name] = last_line
    return replace(batch, asked=asked, unasked=unasked)


def _results(
    con: duckdb.DuckDBPyConnection,
    validator: gx.Validator,
    batch: _Batch,
    counts: Counts,
) -> Iterator[CheckResult]:
    """The result of each expectation of a table."""
    missing = batch.missing
    if missing is None and not any(isinstance(count, int) for count in counts.values()):
        missing = _unreadable(con, batch.select)
    judged = _judged_by_great_expectations(validator, batch, counts)
    for expectation in batch.suite:
        count = counts.get(expectation.name)
        reason = missing or batch.unasked.get(expectation.name)
        if reason is None and isinstance(count, duckdb.Error):
            reason = _why(count)
        if reason is not None:
            yield _unjudged(batch, expectation, reason)
        elif expectation.kind == "columns":
            yield _judge_columns(batch, expectation)
        else:
            yield _judged(batch, expectation, judged[expectation.name])


def _unreadable(con: duckdb.DuckDBPyConnection, select: str) -> str | None:
    """Why the rows of a select cannot be read; None: they can."""
    try:
        con.execute(f"describe {select}")
    except duckdb.Error as err:
        return _why(err)
    return None


def _judged_by_great_expectations(
    validator: gx.Validator, batch: _Batch, counts: Counts
) -> Mapping[str, Any]:
    """The outcome of each expectation that could be counted, by its name."""
    countable = [
        expectation
        for name, expectation in batch.asked.items()
        if isinstance(counts.get(name), int)
    ]
    suite = gx.ExpectationSuite(name=batch.contract.table, expectations=countable)
    outcomes = validator.graph_validate(
        suite.expectation_configurations, {"result_format": _RESULT_FORMAT}
    )
    return {outcome.expectation_config.meta["name"]: outcome for outcome in outcomes}


def _judged(batch: _Batch, expectation: Expectation, outcome: Any) -> CheckResult:  # noqa: ANN401
    counts: dict[str, Any] = outcome.result
    info = outcome.exception_info or {}
    if info.get("raised_exception"):
        # It has seen no value that it could quote.
        reason = " ".join(str(info.get("exception_message")).split())
        return _unjudged(batch, expectation, reason)
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
        n_failed = int(counts["unexpected_count"])
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


def _why(err: duckdb.Error) -> str:
    """Why something could not be judged, in one line that quotes no value."""
    if isinstance(err, _NAMING_ERRORS):
        return str(err).splitlines()[0].strip()
    return f"{type(err).__name__} in DuckDB"
