"""Great Expectations on a DuckDB connection that is open already.

Great Expectations 1 has no DuckDB support of its own. Here are a datasource whose
engine works through a cursor of the run's connection, and the metrics that it computes
in a way of its own: the columns of a batch come from `describe`, since asking for them
by running the query would compute a view in full; and no metric fetches rows, so that
no value of a row can reach a result.

Importing Great Expectations takes seconds: only `validation.py` imports this module.
"""

from types import ModuleType
from typing import Any, Literal

import duckdb
import sqlalchemy as sa
from great_expectations.compatibility.pydantic import PrivateAttr
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.metrics.metric_provider import (
    MetricProvider,
    metric_value,
)
from great_expectations.expectations.metrics.query_metric_provider import (
    QueryMetricProvider,
)
from great_expectations.expectations.metrics.table_metric_provider import (
    TableMetricProvider,
)
from sqlalchemy.engine.default import DefaultDialect

from sql.selects import text


class _Session:
    """A DuckDB cursor as SQLAlchemy wants it: connection and cursor in one."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._cursor, name)

    def cursor(self) -> "_Session":
        """Itself: a cursor of a cursor would be a session with other settings."""
        return self

    def close(self) -> None:
        """Nothing: the data source ends the session."""

    def end(self) -> None:
        """Close the cursor and let go of it.

        Great Expectations keeps its last context for good; a cursor that outlives the
        interpreter makes DuckDB's bindings complain on its way out.
        """
        self._cursor.close()
        del self._cursor

    def rollback(self) -> None:
        """Nothing: each statement is its own transaction."""

    commit = rollback


class DuckDBDialect(DefaultDialect):
    """What SQLAlchemy must know to write the counts of an expectation for DuckDB."""

    name = "duckdb"
    driver = "duckdb"
    default_paramstyle = "qmark"
    supports_statement_cache = False
    supports_native_boolean = True

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """The module with the error classes."""
        return duckdb


sa.dialects.registry.register("fenji_duckdb", __name__, DuckDBDialect.__name__)


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):  # type: ignore[misc]
    """Runs the queries of Great Expectations in DuckDB."""

    def execute_query(self, query: Any) -> Any:  # noqa: ANN401 - any SQLAlchemy select
        """The rows of a query, read before its connection goes back to the pool.

        A DuckDB cursor forgets its result then; read later, every expectation fails.
        """
        with self.get_connection() as connection:
            return connection.execute(query).freeze()()

    def batch_query(self, metric_domain_kwargs: dict[str, Any]) -> str:
        """The select that makes the batch of a metric."""
        batch, _, _ = self.get_compute_domain(
            metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE
        )
        return str(batch.compile(dialect=self.engine.dialect)).strip()

    def rows_of(self, statement: str) -> list[Any]:
        """The rows of a statement, which is run as it is written."""
        with self.get_connection() as connection:
            return list(connection.exec_driver_sql(statement).fetchall())


class DuckDBDatasource(SQLDatasource):  # type: ignore[misc]
    """A data source on an open DuckDB connection; give it to `connect` before use."""

    type: Literal["fenji_duckdb"] = "fenji_duckdb"
    connection_string: str = "fenji_duckdb://"
    _session: _Session = PrivateAttr()

    def connect(self, con: duckdb.DuckDBPyConnection) -> None:
        """Work through a cursor of this connection, in its time zone.

        A cursor sees every attached catalog, but neither temporary tables of the
        connection nor what it has not committed yet.
        """
        found = con.execute("select current_setting('TimeZone')").fetchone()
        cursor = con.cursor()
        if found:
            cursor.execute(f"set TimeZone = {text(found[0])}")
        self._session = session = _Session(cursor)
        self._engine = sa.create_engine(
            self.connection_string,
            creator=lambda: session,
            poolclass=sa.pool.StaticPool,
        )
        self._execution_engine = DuckDBExecutionEngine(
            engine=self._engine, create_temp_table=False
        )

    def get_engine(self) -> sa.Engine:
        """SQLAlchemy's engine over the connection."""
        return self._engine

    def get_execution_engine(self) -> DuckDBExecutionEngine:
        """The one engine of this data source."""
        return self._execution_engine

    def close(self) -> None:
        """Close the cursor; the connection itself stays open."""
        self._engine.dispose()
        self._session.end()


class DuckDBColumnTypes(TableMetricProvider):  # type: ignore[misc]
    """The columns of a batch, without running its query."""

    metric_name = "table.column_types"
    value_keys = ("include_nested",)
    default_kwarg_values = {"include_nested": True}  # noqa: RUF012 - as the base has it

    @metric_value(engine=DuckDBExecutionEngine)  # type: ignore[untyped-decorator]
    def _duckdb(
        cls,  # noqa: N805 - the base class makes it a class method
        execution_engine: DuckDBExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        **_: Any,  # noqa: ANN401
    ) -> list[dict[str, Any]]:
        query = execution_engine.batch_query(metric_domain_kwargs)
        # Names only: expectations must not judge types that SQLAlchemy does not know.
        return [
            {"name": column[0]}
            for column in execution_engine.rows_of(f"describe {query}")
        ]


class DuckDBUnexpectedRows(QueryMetricProvider):  # type: ignore[misc]
    """How many rows a query over `{batch}` gives."""

    metric_name = "unexpected_rows_query.row_count"
    value_keys = ("unexpected_rows_query",)

    @metric_value(engine=DuckDBExecutionEngine)  # type: ignore[untyped-decorator]
    def _duckdb(
        cls,  # noqa: N805
        execution_engine: DuckDBExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: Any,  # noqa: ANN401
    ) -> int:
        batch = execution_engine.batch_query(metric_domain_kwargs)
        query = metric_value_kwargs["unexpected_rows_query"]
        query = query.replace("{batch}", f"({batch})")
        # The select is a contract's; the table in it is one of the run's own.
        counted = f"select count(*) from ({query})"
        return int(execution_engine.rows_of(counted)[0][0])


class _NoExamples(MetricProvider):  # type: ignore[misc]
    """Examples of unexpected values, of which there are none on purpose.

    The keys are those of the metric that this one stands in for.
    """

    domain_keys: tuple[str, ...] = (
        "batch_id",
        "table",
        "column",
        "row_condition",
        "condition_parser",
    )

    @metric_value(engine=DuckDBExecutionEngine)  # type: ignore[untyped-decorator]
    def _duckdb(cls, **_: Any) -> list[Any]:  # noqa: N805, ANN401
        return []


class NullExamples(_NoExamples):
    """None for `expect_column_values_to_not_be_null`."""

    metric_name = "column_values.nonnull.unexpected_values"
    value_keys = ("result_format",)


class SetExamples(_NoExamples):
    """None for `expect_column_values_to_be_in_set`."""

    metric_name = "column_values.in_set.unexpected_values"
    value_keys = ("value_set", "result_format")


class RangeExamples(_NoExamples):
    """None for `expect_column_values_to_be_between`."""

    metric_name = "column_values.between.unexpected_values"
    value_keys = ("min_value", "max_value", "strict_min", "strict_max", "result_format")


class RowExamples(_NoExamples):
    """None for `UnexpectedRowsExpectation`."""

    metric_name = "unexpected_rows_query.table"
    domain_keys = ("batch_id", "row_condition", "condition_parser")
    value_keys = ("unexpected_rows_query",)
