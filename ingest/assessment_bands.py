"""Assessments whose points contradict their own words, or lie on no scale at all.

The bands come from the schemes of the project, which may change between two runs: the
rows are judged anew before each, after they are loaded.
"""

from collections.abc import Sequence

import duckdb

from ingest import casts, duplicates
from ingest.sql_text import Sql, listed, literal, sql
from sql.bands import Band
from sql.contracts import feeds

FEED = "assessments"
_REASON = "outside_band"


def settle(con: duckdb.DuckDBPyConnection, bands: Sequence[Band]) -> None:
    """Reject the assessments that count and lie outside a band of theirs.

    Those that an earlier run has rejected are taken back first: the bands may have
    changed since.
    """
    feed = feeds()[FEED]
    duplicates.readmit(con, feed, _REASON)
    if not bands:
        return
    duplicates.reject(con, feed, _outside(bands), column="points", reason=_REASON)


def is_settled(con: duckdb.DuckDBPyConnection, bands: Sequence[Band]) -> bool:
    """Whether the rejected assessments are those that lie outside these bands."""
    # Without bands no row is outside of one.
    outside = sql("select null as _file_id, null as _line_no where false")
    if bands:
        outside = _outside(bands)
    found = con.execute(
        sql(
            "with judged as ("
            "select file_id, line_no from raw.rejected_rows"
            " where is_late and feed = {feed} and reason_code = {reason}"
            "), others as ("
            "select file_id, line_no from raw.row_status where feed = {feed}"
            " except from judged"
            "), outside as ("
            "select _file_id as file_id, _line_no as line_no from ({outside})"
            " except from others"
            ") select exists (from outside except from judged)"
            " or exists (from judged except from outside)",
            feed=literal(FEED),
            reason=literal(_REASON),
            outside=outside,
        )
    ).fetchone()
    return found == (False,)


def _outside(bands: Sequence[Band]) -> Sql:
    """A select of the rows that lie outside a band of theirs."""
    return sql(
        "select distinct t._file_id, t._line_no from raw.assessments as t"
        " inner join (values {bands}) as b (characteristic, word, low, high, is_in)"
        " on t.characteristic = b.characteristic"
        " and (b.word is null or b.word = lower({value}))"
        " where t.points < b.low or t.points > b.high"
        " or (t.points = b.high and not b.is_in)",
        bands=listed(_row(band) for band in bands),
        value=casts.trimmed(Sql("t.value")),
    )


def _row(band: Band) -> Sql:
    cells = (
        literal(band.characteristic),
        literal(band.value),
        literal(band.low),
        literal(band.high),
        literal(band.is_high_included),
    )
    return sql("({cells})", cells=listed(cells))
