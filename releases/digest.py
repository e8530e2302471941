"""The content digest: equal for equal facts, whatever made them.

Each stored table adds its name, its row count, and the exact sums of the two halves of
its rows' MD5 sums. A row is hashed as the text of its values in column order, so
neither the order of rows, nor threads, nor the machine, nor DuckDB's own hash plays
a part.
"""

import hashlib
from collections.abc import Mapping

import duckdb

from sql.selects import quoted, text

# Raised when equal tables would get another digest line than before.
DEFINITION = 1
NO_ROWS = "0\t0\t0"  # the digest line of an empty table
_SEPARATOR = "\x1f"
_NULL = "\x1e"


def table_digest(
    con: duckdb.DuckDBPyConnection, relation: str, without: tuple[str, ...] = ()
) -> str:
    """The digest line of one table: rows and sums of hashes, without some columns."""
    described = con.execute(f"describe {relation}").fetchall()
    parts = [
        _text_of(name, kind) for name, kind, *_ in described if name not in without
    ]
    row = f"concat({f', {text(_SEPARATOR)}, '.join(parts)})"
    ((n_rows, upper, lower),) = con.execute(
        # Halves that fit into 64 bits have exact sums.
        "select count(*), sum((sum_of_row & ((1::uhugeint << 64) - 1))::ubigint),"
        " sum((sum_of_row >> 64)::ubigint)"
        f" from (select md5_number({row})::uhugeint as sum_of_row from {relation})"
    ).fetchall()
    return f"{n_rows}\t{upper or 0}\t{lower or 0}"


def content_digest(tables: Mapping[str, str]) -> str:
    """The digest of a release from the digest lines of its facts' tables, by name."""
    lines = [f"{name}\t{line}\n" for name, line in sorted(tables.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _text_of(name: str, kind: str) -> str:
    """A value as text that no setting of the session changes."""
    column = quoted(name)
    # The text of a time depends on the session's zone; its microseconds do not.
    value = f"epoch_us({column})" if kind.startswith("TIMESTAMP") else column
    return f"coalesce(cast({value} as varchar), {text(_NULL)})"
