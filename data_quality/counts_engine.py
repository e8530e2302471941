"""What Great Expectations judges by: counts that were taken beforehand.

Great Expectations 1 has no DuckDB support, and asks for each metric of each expectation
by itself. Here is an engine that has the counts of all tables and asks nobody, and the
one metric that every expectation depends on: the counts of its table. An engine without
rows cannot put a value of a row into a result.

Importing Great Expectations takes a second: only `validation.py` imports this module.
"""

from collections.abc import Mapping
from typing import Any, NoReturn

from data_quality import gx
from data_quality.counting import Counts

COUNTS = "fenji.counts"  # the name of the metric


class CountsEngine(gx.ExecutionEngine):  # type: ignore[misc]
    """Gives the counts of tables; a batch is a table."""

    def __init__(self, counts: Mapping[str, Counts]) -> None:
        super().__init__()
        self.counts = counts

    def resolve_metric_bundle(self, metric_fn_bundle: object) -> dict[Any, Any]:  # noqa: ARG002
        """Nothing: no metric is computed with others."""
        return {}

    def _no_rows(self, *_: object) -> NoReturn:
        raise NotImplementedError("there are counts and no rows")

    # What the base class leaves open is about reading rows.
    get_batch_data_and_markers = _no_rows
    _comparison_condition_to_filter_clause = _no_rows
    _nullity_condition_to_filter_clause = _no_rows
    _and_condition_to_filter_clause = _no_rows
    _or_condition_to_filter_clause = _no_rows


class TableCounts(gx.MetricProvider):  # type: ignore[misc]
    """The counts of a table, by the names of its expectations."""

    metric_name = COUNTS
    domain_keys = ("batch_id",)

    @gx.metric_value(engine=CountsEngine)  # type: ignore[untyped-decorator]
    def _counts(
        cls,  # noqa: N805 - the base class makes it a class method
        execution_engine: CountsEngine,
        metric_domain_kwargs: dict[str, Any],
        **_: Any,  # noqa: ANN401
    ) -> Counts:
        return execution_engine.counts[metric_domain_kwargs["batch_id"]]
