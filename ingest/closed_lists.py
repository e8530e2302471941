"""Words that a column's closed list does not have, for who maps a file.

Rows with such words are rejected, and their text is masked wherever it is kept. Here it
is said which words they are, of the rows that `ingest.preview` has loaded aside, with
the lists left open. They are shown to the person who has the files, and kept nowhere.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import duckdb

from ingest.masks import MASK
from ingest.sql_text import identifier, sql
from sql.contracts import Column, Contract

_MANY = 12  # different words: no words of a list, but of people
_LONG = 24  # characters
# A word of one row only may have slipped there from another column.
_LEAST_ROWS = 2


@dataclass(frozen=True)
class ClosedList:
    """A column of a closed list of which rows have other words."""

    feed: str
    column: str
    allowed: tuple[str, ...]
    found: tuple[tuple[str, int], ...]  # other words and their rows, most first
    n_others: int  # rows whose words are not shown: long, many, rare or personal


def opened(contract: Contract, columns: Collection[str]) -> Contract:
    """The feed with the lists of some columns left open: they take any word."""
    made = tuple(
        column.model_copy(update=_any_word(column))
        if column.name in columns
        else column
        for column in contract.columns
    )
    return contract.model_copy(update={"columns": made})


def _any_word(column: Column) -> Mapping[str, object]:
    masked = "words" if column.type == "choice" else None
    return {"values": (), "default": None, "masked": masked}


def unknown_words(
    con: duckdb.DuckDBPyConnection,
    contract: Contract,
    columns: Iterable[str],
    *,
    show_personal: bool,
) -> Iterable[ClosedList]:
    """The words that the lists do not have, column by column.

    Args:
        con: a warehouse whose rows were loaded with the columns `opened`.
        contract: the feed as it is.
        columns: those that were opened.
        show_personal: show words of personal columns, and of single rows, as well.
    """
    for name in columns:
        column = contract.column(name)
        rows = con.execute(
            sql(
                "select cast({name} as varchar) as word, count(*) as n from {raw}"
                " where not list_contains($allowed::varchar[], cast({name} as varchar))"
                " group by word order by n desc, word",
                name=identifier(name),
                raw=identifier("raw", contract.table),
            ),
            {"allowed": [*column.values]},
        ).fetchall()
        is_few = len(rows) <= _MANY and (show_personal or not column.personal)
        shown = tuple(
            (word, n)
            for word, n in rows
            if is_few
            and len(word) <= _LONG
            and MASK not in word
            and (show_personal or n >= _LEAST_ROWS)
        )
        n_others = sum(n for _, n in rows) - sum(n for _, n in shown)
        yield ClosedList(contract.table, name, column.values, shown, n_others)
