"""Transactions of DuckDB: begun, and committed or rolled back, in one place.

What a transaction holds is up to the caller. What must happen outside of one, such as
removing files once their rows are committed, stands after the `with` block.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what the block does; roll all of it back where the block raises.

    DuckDB does not nest transactions: the connection may not be in one already.

    Raises:
        duckdb.Error: the transaction cannot be begun or committed.
    """
    con.begin()
    try:
        yield
    except BaseException:
        # An error that broke the database itself leaves nothing to roll back, and
        # says more than the failed rollback would.
        with suppress(duckdb.Error):
            con.rollback()
        raise
    con.commit()
