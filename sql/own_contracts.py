"""Contracts of what a project adds: its own feeds, and its own columns of feeds.

They are written here as contracts of `sql/` are in YAML; `sql.contracts` reads both the
same way. What a contract of Fenji has to say and a project need not, such as which text
is masked, is decided here.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import duckdb

from project.own import OwnFeed
from project.settings import OwnColumn

# Words that DuckDB takes as names and sqlglot does not.
_BEGINNINGS = frozenset(
    {
        "alter",
        "cube",
        "drop",
        "force",
        "grant",
        "if",
        "insert",
        "install",
        "lock",
        "revoke",
        "rollback",
        "rollup",
    }
)

Written = dict[str, Any]  # as YAML is read


def feed_content(feed: OwnFeed) -> Written:
    """The contract of an own feed."""
    customer = feed.customer_column
    ids = {*feed.key, customer}
    return {
        "grain": feed.grain,
        "description": feed.about.en if feed.about else f"One row is {feed.grain}.",
        "made_by": "feed",
        "key": list(feed.key),
        "dated_by": [feed.date] if feed.date else [],
        "customer": customer,
        "columns": [
            column_content(name, column, is_id=name in ids, happened=name != feed.date)
            for name, column in feed.columns.items()
        ],
    }


def columns_content(added: Mapping[str, OwnColumn]) -> Iterator[Written]:
    """The columns that a project adds to a feed of Fenji."""
    for name, column in added.items():
        yield column_content(name, column, is_id=False, happened=True)


def column_content(
    name: str, column: OwnColumn, *, is_id: bool, happened: bool
) -> Written:
    """One column.

    Args:
        name: its name.
        column: what the project says of it.
        is_id: whether rows are found by it: ids stay as they are.
        happened: whether a day that is a fact is read as null until it has come; what
            dates the row has come with it.
    """
    is_day = column.type in {"date", "month", "timestamp"}
    unit = "currency" if column.type == "amount" else column.unit
    return {
        "name": name,
        "type": column.type,
        "about": column.about.en if column.about else name.replace("_", " "),
        "unit": unit,
        "required": column.required,
        "values": list(column.values),
        "personal": column.personal,
        "segment": column.segment,
        "masked": None if column.personal or is_id else _masked(name, column),
        "happened": is_day and happened and not column.planned,
    }


def _masked(name: str, column: OwnColumn) -> str | None:
    """How text that releases may hold is masked as it is loaded."""
    if column.type == "choice":
        return None if column.values else "codes"
    if column.type == "text":
        return "codes" if name.endswith("_id") else "words"
    return None


def taken_by(columns: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The names that columns take: each its own, and a time that of its day as well.

    Args:
        columns: names and types.
    """
    for name, kind in columns:
        yield name
        if kind == "timestamp":
            yield f"{name.removesuffix('_at')}_date"


@cache
def words_of_sql() -> frozenset[str]:
    """The words that mean something in SQL, so that nothing may be called so."""
    with duckdb.connect() as con:
        rows = con.execute(
            "select keyword_name from duckdb_keywords()"
            " where keyword_category != 'unreserved'"
        ).fetchall()
    return _BEGINNINGS.union(word for (word,) in rows)
