"""What the expectations of tables count, in SQL, and the counts.

    counts = count_all(con, [Table("customers", select, True, suite), ...])
    counts["customers"]["not_null(customer_id)"]  # how many rows break it
    counts["customers"][ROWS]                     # how many rows there are

A statement of its own costs as much as a scan of a small table. So what looks at one
row at a time is counted in one pass over its table, and the passes over all stored
tables are one statement. What must hold keys or rows in memory meanwhile, such as a
look for shared keys, stands with others only where their tables are small. A view is
asked for by itself: nobody knows what it costs.

A statement that fails is taken apart until it is known which counts cannot be taken;
all others are taken. Nothing is judged here, and Great Expectations is not imported.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from data_quality.suites import TABLE_PLACE, Expectation, Value
from sql.selects import quoted, text

ROWS = ""  # the name of the count of all rows; no expectation is called so
SMALL = 200_000  # so many rows of tables are looked through by one statement

# How many rows or keys break an expectation, or why that could not be counted.
Count = int | duckdb.Error
Counts = Mapping[str, Count]  # of a table, by the names of its expectations


@dataclass(frozen=True)
class Table:
    """A table and what is to be counted of it."""

    name: str
    select: str  # gives its rows
    is_stored: bool  # otherwise a view
    suite: Sequence[Expectation]


@dataclass(frozen=True)
class _Pass:
    """Counts that are taken together, over the rows that a select gives."""

    table: str
    source: str
    aggregates: Mapping[str, str]  # by the names of the counts

    @property
    def select(self) -> str:
        """Gives all counts as one list."""
        return f"[{', '.join(self.aggregates.values())}] from ({self.source})"

    def apart(self) -> "list[_Pass]":
        """A pass for each count."""
        return [
            _Pass(self.table, self.source, {name: aggregate})
            for name, aggregate in self.aggregates.items()
        ]


def count_all(
    con: duckdb.DuckDBPyConnection, tables: Sequence[Table]
) -> Mapping[str, Counts]:
    """The counts of each table by its name; a count that cannot be taken is an error.

    Raises:
        duckdb.InterruptException: the run was interrupted.
    """
    found: dict[str, dict[str, Count]] = {table.name: {} for table in tables}

    def take(passes: Sequence[_Pass]) -> None:
        for table, name, count in _taken(con, passes):
            found[table][name] = count

    take([_over_rows(table) for table in tables if table.is_stored])
    for table in tables:
        if not table.is_stored and _looks_at_rows(table):
            take([_over_rows(table)])
    for passes in _of_queries(tables, found):
        take(passes)
    return found


def query_of(expectation: Expectation) -> str | None:
    """A select over `{batch}` that gives a row for whatever breaks an expectation.

    None: it is told by the rows one by one, or by their number.
    """
    if expectation.kind == "unique":
        # Nulls count as equal.
        key = ", ".join(quoted(name) for name in expectation.columns)
        return f"select {key} from {{batch}} group by {key} having count(*) > 1"
    if expectation.of_list:
        known = ", ".join(_literal(value) for value in expectation.values)
        held = quoted(expectation.columns[0])
        return f"select 1 from {{batch}} where not list_has_all([{known}], {held})"
    return expectation.query


def tables_of(query: str) -> set[str]:
    """The tables that a query reads as `{table}` besides its own."""
    return set(TABLE_PLACE.findall(query)) - {"batch"}


def _looks_at_rows(table: Table) -> bool:
    return any(query_of(expectation) is None for expectation in table.suite)


def _over_rows(table: Table) -> _Pass:
    """The pass that counts the rows, and those that break an expectation."""
    aggregates = {ROWS: "count(*)"}
    for expectation in table.suite:
        aggregate = _aggregate_of(expectation)
        if aggregate is not None:
            aggregates[expectation.name] = aggregate
    return _Pass(table.name, table.select, aggregates)


def broken_where(expectation: Expectation) -> str | None:
    """The condition of a row that breaks an expectation; None: no row can."""
    if expectation.kind in {"columns", "rows"} or query_of(expectation) is not None:
        return None
    column = quoted(expectation.columns[0])
    if expectation.kind == "not_null":
        return f"{column} is null"
    if expectation.kind == "in_set":
        known = ", ".join(_literal(value) for value in expectation.values)
        return f"{column} not in ({known})"
    bounds = (("<", expectation.min), (">", expectation.max))
    return " or ".join(
        f"{column} {beyond} {_literal(bound)}"
        for beyond, bound in bounds
        if bound is not None
    )


def _aggregate_of(expectation: Expectation) -> str | None:
    if expectation.kind == "rows":
        return "count(*)"
    if expectation.kind == "not_null":  # without looking at a value
        return f"count(*) - count({quoted(expectation.columns[0])})"
    broken = broken_where(expectation)
    return f"count(*) filter (where {broken})" if broken else None


def _literal(value: Value) -> str:
    """A value of an expectation, as the type that it has."""
    if isinstance(value, str):
        return f"{text(value)}::varchar"
    if isinstance(value, datetime.date):
        return f"date '{value}'"
    return str(value)


def _of_queries(
    tables: Sequence[Table], counts: Mapping[str, Counts]
) -> Iterator[list[_Pass]]:
    """A pass for each query; those that read few rows come together."""
    selects = {table.name: table.select for table in tables}
    sizes = {
        table.name: n_rows
        for table in tables
        if table.is_stored and isinstance(n_rows := counts[table.name][ROWS], int)
    }
    together: list[_Pass] = []
    n_together = 0
    for table in tables:
        for expectation in table.suite:
            query = query_of(expectation)
            if query is None:
                continue
            read = {table.name, *tables_of(query)}
            n_rows = sum(sizes.get(name, SMALL) for name in read)
            if together and n_together + n_rows > SMALL:
                yield together
                together, n_together = [], 0
            source = filled(query, {**selects, "batch": table.select})
            together.append(_Pass(table.name, source, {expectation.name: "count(*)"}))
            n_together += n_rows
    if together:
        yield together


def filled(query: str, selects: Mapping[str, str]) -> str:
    """The query with selects in the places of tables."""
    written = query.rstrip("; \t\r\n\v\f")
    return TABLE_PLACE.sub(lambda found: f"({selects[found.group(1)]})", written)


def _taken(
    con: duckdb.DuckDBPyConnection, passes: Sequence[_Pass]
) -> Iterator[tuple[str, str, Count]]:
    """Table, name and value of each count, by as few statements as it takes."""
    if not passes:
        return
    statement = " union all ".join(
        f"select {number} as number, {counted.select}"
        for number, counted in enumerate(passes)
    )
    try:
        rows = con.execute(statement).fetchall()
    except duckdb.InterruptException:
        raise
    except duckdb.Error as err:
        parts = passes if len(passes) > 1 else passes[0].apart()
        if len(parts) > 1:
            for part in parts:
                yield from _taken(con, [part])
        else:
            for name in passes[0].aggregates:
                yield passes[0].table, name, err
        return
    for number, counts in rows:
        counted = passes[number]
        for name, count in zip(counted.aggregates, counts, strict=True):
            yield counted.table, name, count
