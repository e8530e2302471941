"""Expectations of a suite in the words of Great Expectations.

`suites` says what is expected, and `counting` counts what breaks it; `validation` has
Great Expectations judge what this module makes of it.
"""

from typing import Any, ClassVar

from data_quality import gx
from data_quality.counting import ROWS, Counts, query_of
from data_quality.counts_engine import COUNTS
from data_quality.suites import Expectation

_SEVERITIES = {"ERROR": "critical", "WARN": "warning"}
_N_ROWS = "table.row_count"
_N_NULL = "column_values.nonnull.unexpected_count"
_EXAMPLES = "unexpected_rows_query.table"


class _Counted:
    """An expectation that Great Expectations judges by the counts of its table.

    By itself each expectation depends on up to nine metrics, and Great Expectations
    works out for each what it depends on in turn. These share one metric, the counts of
    the table, and each finds the count of its own name in it.
    """

    counted_as: ClassVar[str]  # the metric that the count stands for
    batch_id: str | None
    meta: dict[str, str]
    _kept: gx.ExpectationConfiguration | None

    @property
    def configuration(self) -> gx.ExpectationConfiguration:
        """What the expectation is made of, read once: it is asked for seven times."""
        if self._kept is None:
            self._kept = super().configuration  # type: ignore[misc]
        return self._kept

    def get_validation_dependencies(
        self,
        execution_engine: object = None,  # noqa: ARG002
        runtime_configuration: dict[str, Any] | None = None,
    ) -> gx.ValidationDependencies:
        """The counts of the table, and nothing else."""
        asked = runtime_configuration or {}
        return gx.ValidationDependencies(
            {COUNTS: gx.MetricConfiguration(COUNTS, {"batch_id": self.batch_id})},
            gx.parse_result_format(asked.get("result_format", "BASIC")),
        )

    def _validate(
        self, metrics: dict[str, Counts], *args: object, **kwargs: object
    ) -> Any:  # noqa: ANN401 - a result in Great Expectations' words
        counts = metrics[COUNTS]
        known = {
            _N_ROWS: counts.get(ROWS),
            _N_NULL: 0,  # what is empty breaks no other expectation
            _EXAMPLES: (),  # none, on purpose: they would be values of rows
            self.counted_as: counts[self.meta["name"]],
        }
        return super()._validate(known, *args, **kwargs)  # type: ignore[misc]


class RowCount(_Counted, gx.ExpectTableRowCountToBeBetween):  # type: ignore[misc]
    """How many rows a table has."""

    counted_as = _N_ROWS
    _kept: Any = gx.PrivateAttr(default=None)


class NotNull(_Counted, gx.ExpectColumnValuesToNotBeNull):  # type: ignore[misc]
    """Every row has a value in a column."""

    counted_as = _N_NULL
    _kept: Any = gx.PrivateAttr(default=None)


class Between(_Counted, gx.ExpectColumnValuesToBeBetween):  # type: ignore[misc]
    """Values of a column lie between bounds."""

    counted_as = "column_values.between.unexpected_count"
    _kept: Any = gx.PrivateAttr(default=None)


class InSet(_Counted, gx.ExpectColumnValuesToBeInSet):  # type: ignore[misc]
    """Values of a column are among some."""

    counted_as = "column_values.in_set.unexpected_count"
    _kept: Any = gx.PrivateAttr(default=None)


class NoRows(_Counted, gx.UnexpectedRowsExpectation):  # type: ignore[misc]
    """A select finds no row that breaks the rule."""

    counted_as = "unexpected_rows_query.row_count"
    _kept: Any = gx.PrivateAttr(default=None)


def translated(table: str, expectation: Expectation) -> gx.Expectation:
    """The expectation for Great Expectations; its name is in the meta data.

    Args:
        table: the table that it is about.
        expectation: any kind but `columns`, which Great Expectations cannot judge here:
            its type expectations do not know DuckDB's types.

    Raises:
        ValueError: it cannot be said; the last line of the message tells why.
    """
    given: dict[str, Any] = {
        "batch_id": table,
        "severity": _SEVERITIES[expectation.severity],
        "meta": {"name": expectation.name},
    }
    query = query_of(expectation)
    if query is not None:
        return NoRows(unexpected_rows_query=query, **given)
    if expectation.kind == "rows":
        return RowCount(min_value=expectation.min, max_value=expectation.max, **given)
    if expectation.kind == "not_null":
        return NotNull(column=expectation.columns[0], **given)
    if expectation.kind == "between":
        return Between(
            column=expectation.columns[0],
            min_value=expectation.min,
            max_value=expectation.max,
            **given,
        )
    return InSet(
        column=expectation.columns[0], value_set=list(expectation.values), **given
    )
