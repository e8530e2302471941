"""From a table's contract to what the Dagster UI shows of its asset."""

import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from itertools import pairwise

import dagster as dg
import duckdb

from sql.contracts import LAYERS, Contract, contracts
from sql.selects import select_of

# A run grades as of one date: its partition. In any zone today is at most tomorrow's
# date in UTC: one more than the day of UTC that has begun.
AS_OF_DATES = dg.DailyPartitionsDefinition("2000-01-01", end_offset=2)


def key_of(name: str) -> dg.AssetKey:
    """The asset key of a table written as layer.table."""
    return dg.AssetKey(name.split("."))


def spec_of(
    table: Contract,
    *,
    layer: str | None = None,
    reads: Iterable[str] | None = None,
) -> dg.AssetSpec:
    """The asset of a table: its words, columns, owner, code and what it reads."""
    placed = layer or table.layer
    read = reads_of(table) if reads is None else reads
    columns = [
        dg.TableColumn(
            name=column.name,
            type=column.duckdb_type,
            description=column.about + (f" ({column.unit})" if column.unit else ""),
            constraints=dg.TableColumnConstraints(nullable=not column.required),
        )
        for column in table.columns
    ]
    return dg.AssetSpec(
        key=[placed, table.table],
        # What files hold is loaded once, whatever dates are graded.
        partitions_def=None if placed == "raw" else AS_OF_DATES,
        deps=[key_of(name) for name in sorted(read)],
        description=f"One row is {table.grain}.\n\n{table.description}",
        group_name=placed,
        owners=[table.owner],
        kinds={"duckdb", "sql" if table.made_by == "sql" else "python"},
        code_version=code_version(table),
        metadata={
            "dagster/column_schema": dg.TableSchema(columns=columns),
            "dagster/table_name": f"{placed}.{table.table}",
        },
    )


def reads_of(table: Contract) -> frozenset[str]:
    """The tables that a table is computed from, as layer.table."""
    if table.made_by != "sql":
        return frozenset(table.reads)
    words = _words(select_of(table))
    return frozenset(
        f"{layer}.{name}"
        for layer, dot, name in zip(words, words[1:], words[2:], strict=False)
        if dot == "." and layer in LAYERS  # no alias has such a name
    )


def in_reading_order(tables: Iterable[Contract]) -> tuple[Contract, ...]:
    """The tables, each after those that it reads."""
    named = {table.name: table for table in tables}
    reads = {name: reads_of(table) & named.keys() for name, table in named.items()}
    return tuple(named[name] for name in TopologicalSorter(reads).static_order())


def code_version(table: Contract) -> str:
    """A hash that changes with the meaning of a table's code, not with its layout."""
    if table.made_by == "sql":
        meaning = "\n".join(_words(select_of(table))).encode()
    else:
        meaning = table.path.read_bytes()
    return hashlib.sha256(meaning).hexdigest()[:12]


@cache
def _words(select: str) -> tuple[str, ...]:
    """The words and signs of a select, without comments, as DuckDB takes it apart.

    Parsing all selects takes half a second, this a hundredth; what a table reads and
    whether its code has changed are both told by them.
    """
    return tuple(_each_word(select))


def _each_word(select: str) -> Iterator[str]:
    text = select.encode()
    tokens = [*duckdb.tokenize(select), (len(text), None)]
    for (start, kind), (end, _) in pairwise(tokens):
        word = text[start:end].decode().rstrip()
        if kind == duckdb.token_type.string_const or word.startswith('"'):
            yield word
        elif kind != duckdb.token_type.comment:
            yield word.lower()


def made_in_sql(layer: str) -> tuple[Contract, ...]:
    """The tables of a layer that are one `select` in a file."""
    return tuple(table for table in contracts(layer) if table.made_by == "sql")


def published() -> tuple[Contract, ...]:
    """The tables of a release, those that hold rows before the views over them."""
    shown = [
        table
        for layer in ("core", "marts")
        for table in contracts(layer)
        if table.published
    ]
    # Views stand on stored tables, and tables of the release's own on the views.
    late = ("release", "history", "publish")
    own = in_reading_order(table for table in shown if table.made_by == "release")
    places = {table.name: place for place, table in enumerate(own)}
    return tuple(
        sorted(
            shown,
            key=lambda table: (
                late.index(table.made_by) + 1 if table.made_by in late else 0,
                not table.is_stored,
                places.get(table.name, 0),
                table.table,
            ),
        )
    )
