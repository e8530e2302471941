"""The select of `marts.data_readiness`, which follows from the feeds' definitions.

It is built rather than written down, so that a feed or column that is added to
`sql/raw/` is counted without a second list of names.
"""

import sqlglot
from sqlglot import exp

from sql.contracts import Contract, feeds

# Shares in whole millionths, rounded half up; there is none of nothing.
_SHARES = """
    select
        feed,
        column_name,
        n_rows,
        (
            (2000000 * n_filled::hugeint + n_rows) // nullif(2 * n_rows, 0) * 0.000001
        )::decimal(18, 6) as completeness_ratio
    from cells
"""


def data_readiness_select() -> str:
    """One row per feed × column: rows that count, and the share that has a value."""
    cells = exp.union(*(_cells(feed) for feed in feeds().values()), distinct=False)
    shares = sqlglot.parse_one(_SHARES, into=exp.Select, dialect="duckdb")
    return shares.with_("cells", as_=cells).sql("duckdb", pretty=True)


def _cells(feed: Contract) -> exp.Select:
    """A row per column of one feed, from one pass over its rows."""
    rows = exp.Count(this=exp.Star())
    filled = [
        # Rows without a required value were rejected; defaults are filled in.
        rows.copy()
        if (column.required and not column.waivable) or column.default is not None
        else exp.Count(this=exp.column(column.name, quoted=True))
        for column in feed.columns
    ]
    names = [exp.Literal.string(column.name) for column in feed.columns]
    counted = exp.select(
        exp.alias_(rows, "n_rows"),
        exp.alias_(exp.Array(expressions=names), "names"),
        exp.alias_(exp.Array(expressions=filled), "filled"),
    ).from_(exp.table_(feed.table, db="staging", quoted=True))
    return exp.select(
        exp.alias_(exp.Literal.string(feed.table), "feed"),
        exp.alias_(exp.Explode(this=exp.column("names")), "column_name"),
        "n_rows",
        exp.alias_(exp.Explode(this=exp.column("filled")), "n_filled"),
    ).from_(counted.subquery("counted"))
