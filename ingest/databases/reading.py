"""The rows of a table or query of a database, read through dlt into Parquet.

dlt is told to be quiet before it is imported, which only `read` does.
"""

import os
from pathlib import Path

import pyarrow
from pyarrow import parquet

from ingest.databases.address import engine_of, in_words
from ingest.databases.quiet import QUIET
from project.folder import Project
from project.origins import PulledTable
from project.places import Place


def read(
    project: Project,
    database: str,
    pulled: PulledTable,
    since: object | None,
    folder: Path,
    place: Place,
) -> int:
    """Write the rows into Parquet files in a folder; returns how many there are.

    Args:
        project: the project.
        database: the name of the database in its settings.
        pulled: the table or query.
        since: the cursor from which on rows are asked for, those with none as well;
            None: all rows.
        folder: that is empty.
        place: of the table in the settings, for errors.

    Raises:
        ConfigurationError: the environment names no address, or there is no such
            table or column.
        RunError: the database cannot be reached, or refuses what is asked.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    from ingest.databases.dlt_tables import pieces  # noqa: PLC0415 - imports dlt

    n_rows = 0
    with in_words(place), engine_of(project, database, place) as engine:
        for number, piece in enumerate(pieces(engine, pulled, since)):
            plain = _plain(piece)
            parquet.write_table(plain, folder / f"{number:08}.parquet")
            n_rows += plain.num_rows
    return n_rows


def _plain(table: pyarrow.Table) -> pyarrow.Table:
    """The table without types that are the database's own: these are text, or bytes."""
    columns = [
        column.cast(column.type.storage_type)
        if isinstance(column.type, pyarrow.OpaqueType | pyarrow.JsonType)
        else column
        for column in table.columns
    ]
    fields = [
        pyarrow.field(name, column.type)
        for name, column in zip(table.column_names, columns, strict=True)
    ]
    return pyarrow.table(columns, schema=pyarrow.schema(fields))
