"""Which tables a select reads, told by another parser than the one that Fenji asks."""

import sqlglot
from sqlglot import exp


def tables_read(select):
    """The tables that a select reads, as layer.table."""
    parsed = sqlglot.parse_one(select, dialect="duckdb")
    return frozenset(
        f"{table.db}.{table.name}" for table in parsed.find_all(exp.Table) if table.db
    )
