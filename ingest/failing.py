"""Rows on which the query that types them fails, though each of its casts may fail.

A cast that cannot be made makes its row a rejected one. Where DuckDB ends the whole
query all the same, the rows that are to blame are looked for by halves, so that
they are rejected by their numbers and the others are loaded.
"""

from dataclasses import replace

import duckdb

from ingest.relation import Failing, Group
from ingest.sql_text import Sql, literal, sql

# More are no single bad cells: the file is refused.
MOST = 100

_CELLS = Sql("_cells")
_PROBE = Sql("_probe")


def failing_rows(con: duckdb.DuckDBPyConnection, group: Group) -> tuple[Failing, ...]:
    """The rows of a file that cannot be typed, in their order, at most `MOST` + 1.

    Called outside of a transaction, for each failure would end it.

    Args:
        con: the warehouse.
        group: the file; rows that are known to fail are left out.

    Raises:
        duckdb.OutOfMemoryException: the fault does not lie with a row.
    """
    con.execute(
        sql(
            "create or replace temporary table {cells} as {rows}",
            cells=_CELLS,
            rows=group.typable(),
        )
    )
    try:
        (ends,) = con.execute(
            sql("select min(_line), max(_line) from {cells}", cells=_CELLS)
        ).fetchall()
        if ends[0] is None:
            return ()
        places: dict[int, int] = {}
        # One column at a time: that costs a fraction of all, and tells which it is.
        for place, bound in enumerate(group.bounds, start=1):
            alone = replace(group, bounds=(bound,))
            for line in _lines(con, alone, ends, with_rejects=False):
                places.setdefault(line, place)
        if not places:
            # None fails for itself, or how it is shown does.
            found = _lines(con, group, ends, with_rejects=True)
            places = dict.fromkeys(found, 0)
        lines = sorted(places)[: MOST + 1]
        return tuple(Failing(line, places[line]) for line in lines)
    finally:
        con.execute(sql("drop table {cells}", cells=_CELLS))


def _lines(
    con: duckdb.DuckDBPyConnection,
    group: Group,
    ends: tuple[int, int],
    *,
    with_rejects: bool,
) -> list[int]:
    """The numbers of the rows that fail, at most `MOST` + 1."""
    some = sql("select * from {cells} where _line between $1 and $2", cells=_CELLS)
    con.execute(
        sql(
            "prepare {probe} as select bit_xor(hash(r)) from ({typed}) as r",
            probe=_PROBE,
            typed=group.typed_rows(some, with_rejects=with_rejects),
        )
    )
    found: list[int] = []
    ranges = [ends]
    while ranges and len(found) <= MOST:
        first, last = ranges.pop()
        if not _fails(con, first, last):
            continue
        if first == last:
            found.append(first)
            continue
        middle = (first + last) // 2
        ranges += [(middle + 1, last), (first, middle)]
    con.execute(sql("deallocate {probe}", probe=_PROBE))
    return found


def _fails(con: duckdb.DuckDBPyConnection, first: int, last: int) -> bool:
    call = sql(
        "execute {probe}({first}, {last})",
        probe=_PROBE,
        first=literal(first),
        last=literal(last),
    )
    try:
        con.execute(call).fetchall()
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        return True
    return False
