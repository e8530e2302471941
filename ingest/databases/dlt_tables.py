"""What dlt is to do: read a table or a query of a database, in pieces.

dlt finds the columns and their types, and reads so many rows at a time that memory is
bounded. PostgreSQL is read through ADBC, which copies columns and makes no Python
object of a value: a tenth of the time. Its `numeric` comes as text, exactly as it is.

Importing this module imports dlt: `reading` does so once dlt is told to be quiet.
"""

from collections.abc import Iterator
from typing import Any

import pyarrow
import sqlalchemy
from adbc_driver_postgresql import dbapi
from dlt.common.exceptions import DltException
from dlt.sources.sql_database import sql_table
from dlt.sources.sql_database.helpers import BaseTableLoader

from ingest.databases.address import POSTGRESQL, native_url
from project.origins import PulledTable

_CHUNK = 100_000  # rows that are in memory at a time
_QUERY = "fenji_pulled"  # what a query is called


class _Adbc(BaseTableLoader):
    """Reads PostgreSQL through ADBC."""

    def load_rows(
        self,
        backend_kwargs: dict[str, Any] | None = None,  # noqa: ARG002 - dlt's signature
    ) -> Iterator[pyarrow.Table]:
        """The rows, piece by piece."""
        query = self.compile_query(self.make_query())
        with (
            dbapi.connect(native_url(self.engine)) as con,
            con.cursor() as cursor,
        ):
            cursor.execute(query)
            for batch in cursor.fetch_record_batch():
                yield pyarrow.Table.from_batches([batch])


def pieces(
    engine: sqlalchemy.Engine, pulled: PulledTable, since: object | None
) -> Iterator[pyarrow.Table]:
    """The rows of a table or query, piece by piece.

    Args:
        engine: of the database.
        pulled: the table or query.
        since: the cursor from which on rows are asked for; None: all rows.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database refuses what is asked.
        adbc_driver_manager.Error: PostgreSQL does.
    """
    schema, _, table = (pulled.table or _QUERY).rpartition(".")
    metadata = sqlalchemy.MetaData(schema=schema or None)
    if pulled.query is not None:
        sqlalchemy.Table(_QUERY, metadata)  # or dlt would look for it

    def asked(query: sqlalchemy.Select[Any], _: object) -> sqlalchemy.Select[Any]:
        """The rows that are asked for, as dlt is to ask for them."""
        if pulled.query is not None:
            inner = pulled.query.strip().rstrip(";")
            query = sqlalchemy.select(sqlalchemy.text("*")).select_from(
                sqlalchemy.text(f"({inner}) as {_QUERY}")
            )
        if pulled.cursor is None or since is None:
            return query
        cursor: sqlalchemy.ColumnElement[Any] = sqlalchemy.column(pulled.cursor)
        return query.where(sqlalchemy.or_(cursor >= since, cursor.is_(None)))

    is_postgresql = engine.url.get_backend_name() == POSTGRESQL
    rows = sql_table(
        credentials=engine,
        table=table,
        metadata=metadata,
        backend="pyarrow",
        chunk_size=_CHUNK,
        reflection_level="full_with_precision",
        included_columns=[*pulled.columns] or None,
        query_adapter_callback=asked,
        table_loader_class=_Adbc if is_postgresql else None,
    )
    try:
        yield from rows
    except DltException as err:
        # What the database said counts, not that dlt was asked.
        raise err.__cause__ or err from None
