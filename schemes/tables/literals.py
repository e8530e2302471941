"""Tables whose rows stand in the text of a select.

The rows are written as JSON: DuckDB takes a thousandth of a second for hundreds of
them, where it plans each cell of a `values` list. A cell that is computed, such as a
bound that the population gives, stands in a list beside them.
"""

import json
from collections.abc import Sequence

from sqlglot import exp

from schemes.compiler.queries import named, text_of
from schemes.compiler.values import cast
from sql.contracts import Column, contract
from sql.selects import quoted
from sql.selects import text as literal

_ROWS = "select {columns}\nfrom (select unnest({rows}) as given) as listed"
_COMPUTED = "\ncross join (\n{computed}\n) as computed"

# What a cell holds; of one that is computed, nothing.
Cell = str | bool | list["Cell"] | None


def literal_rows(
    table: str, rows: Sequence[Sequence[exp.Expr]], relation: str | None = None
) -> str:
    """A select of the rows with the columns of the table's contract.

    Args:
        table: of `marts`.
        rows: a cell for each column; a literal, or an expression.
        relation: a table of one row, whose columns expressions may name.
    """
    columns = contract("marts", table).columns
    written: list[dict[str, Cell | int]] = []
    computed: dict[str, list[exp.Expr]] = {}
    for cells in rows:
        row: dict[str, Cell | int] = {}
        for column, cell in zip(columns, cells, strict=True):
            try:
                row[column.name] = _read(cell)
            except ValueError:
                found = computed.setdefault(column.name, [])
                found.append(cell)
                row[_place(column.name)] = len(found)
        written.append(row)
    types = {column.name: column.duckdb_type for column in columns}
    types |= {_place(name): "INTEGER" for name in computed}
    # DuckDB asks for every field in every row.
    whole = [{name: row.get(name) for name in types} for row in written]
    given = f"from_json_strict({_json(whole)}, {_json([types])})"
    select = _ROWS.format(
        columns=", ".join(_shown(column, computed) for column in columns), rows=given
    )
    if not computed:
        return select
    made = exp.select(
        *(
            named(cast(exp.Array(expressions=cells), f"{types[name]}[]"), name)
            for name, cells in computed.items()
        ),
        copy=False,
    )
    if relation is not None:
        made.from_(relation, copy=False)
    return select + _COMPUTED.format(computed=text_of(made))


def _shown(column: Column, computed: dict[str, list[exp.Expr]]) -> str:
    """A column of the select, under its name."""
    name = quoted(column.name)
    value = f"listed.given.{name}"
    if column.name in computed:
        place = f"listed.given.{quoted(_place(column.name))}"
        value = f"coalesce(list_extract(computed.{name}, {place}), {value})"
    return f"{value} as {name}"


def _place(name: str) -> str:
    """The field with the place of a cell in the list of those that are computed."""
    return f"{name}_no"


def _read(cell: exp.Expr) -> Cell:
    """What a literal says: numbers as text, with all their digits.

    Raises:
        ValueError: it is not a literal.
    """
    match cell:
        case exp.Null():
            return None
        case exp.Boolean() | exp.Literal():
            said: str | bool = cell.this
            return said
        case exp.Paren(args={"this": exp.Neg(args={"this": exp.Literal(this=digits)})}):
            return f"-{digits}"
        case exp.Array():
            return [_read(part) for part in cell.expressions]
        case exp.Cast(args={"this": exp.Array(args={"expressions": []})}):
            return []
    raise ValueError(cell)


def _json(value: object) -> str:
    """The value as JSON, in quotes."""
    said = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return literal(said)
