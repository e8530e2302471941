"""Runs the cases beside this file: <layer>/<table>/<case>.yaml.

A case gives the rows of the tables that the select reads, its parameters, and the rows
that must come out. Columns that a case leaves out are null (or the feed's default);
only the columns that `expect` names are compared; the order of rows plays no part.
"""

import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from project.documents import read_yaml
from sql.contracts import contract, contracts, feeds
from sql.selects import create, quoted, select_of
from tests.lineage import tables_read

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("*/*/*.yaml"))


def columns_of(name: str) -> dict[str, tuple[str, str | None]]:
    """Column → (DuckDB type, default) of a table written as layer.table."""
    layer, table = name.split(".")
    if layer == "staging" and table in feeds():
        feed = feeds()[table]
        columns = {
            column.name: (column.duckdb_type, column.default) for column in feed.columns
        }
        for dated in feed.dated_by:
            if feed.column(dated).type == "timestamp":
                columns[dated.removesuffix("_at") + "_date"] = ("DATE", None)
        return columns
    return {
        column.name: (column.duckdb_type, column.default)
        for column in contract(layer, table).columns
    }


def create_given(con: duckdb.DuckDBPyConnection, name: str, rows: list[dict]) -> None:
    columns = columns_of(name)
    layer, table = name.split(".")
    con.execute(f"create schema if not exists {quoted(layer)}")
    typed = ", ".join(
        f"{quoted(column)} {kind}" for column, (kind, _) in columns.items()
    )
    con.execute(f"create table {quoted(layer, table)} ({typed})")
    for row in rows:
        unknown = set(row) - set(columns)
        assert not unknown, f"{name} has no columns {unknown}"
        full = {
            column: row.get(column, default) for column, (_, default) in columns.items()
        }
        for column in columns:
            # A day that dates a row follows from its time unless the case gives it.
            at = column.removesuffix("_date") + "_at"
            if column.endswith("_date") and full[column] is None and full.get(at):
                full[column] = str(full[at])[:10]
        places = ", ".join("?" * len(full))
        values = [
            None if value is None or value == "" else str(value)
            for value in full.values()
        ]
        con.execute(f"insert into {quoted(layer, table)} values ({places})", values)


def plain(value):
    """A value of the database as a case writes it."""
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return value.normalize()
    return value


def expected(value):
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Decimal(value).normalize()
    return value


def defaults_of(made):
    return {
        name: parameter.default
        for name, (_, parameter) in made.named_parameters.items()
    }


def given_param(name, value):
    """A parameter of a case as a run hands it to the select."""
    if name.endswith("_date"):
        return datetime.date.fromisoformat(value)
    return tuple(value) if isinstance(value, list) else value


def ordered(rows):
    return sorted(rows, key=lambda row: tuple(map(repr, row)))


@pytest.mark.parametrize(
    "path", CASES, ids=[str(path.relative_to(HERE).with_suffix("")) for path in CASES]
)
def test_case(path: Path):
    case = read_yaml(path)
    layer, table = path.parent.relative_to(HERE).parts
    made = contract(layer, table)
    select = select_of(made)
    params = defaults_of(made)
    params |= {
        name: given_param(name, value) for name, value in case.get("params", {}).items()
    }
    with duckdb.connect() as con:
        con.execute("set timezone = 'UTC'")
        for name in tables_read(select):
            create_given(con, name, case["given"].get(name, []))
        unread = set(case["given"]) - tables_read(select)
        assert not unread, f"the select does not read {unread}"
        create(con, (layer, table), select, params, kind=made.kind)
        names = list(case["expect"][0]) if case["expect"] else ["*"]
        shown = ", ".join(name if name == "*" else quoted(name) for name in names)
        found = con.execute(f"select {shown} from {quoted(layer, table)}").fetchall()
    got = [tuple(expected(plain(value)) for value in row) for row in found]
    want = [tuple(expected(row[name]) for name in names) for row in case["expect"]]
    assert ordered(got) == ordered(want)


@pytest.mark.parametrize(
    "made",
    [
        table
        for layer in ("core", "marts")
        for table in contracts(layer)
        if table.made_by == "sql"
    ],
    ids=lambda table: table.name,
)
def test_every_select_has_a_case_and_the_columns_of_its_contract(made):
    assert list((HERE / made.layer / made.table).glob("*.yaml"))
    with duckdb.connect() as con:
        for name in tables_read(select_of(made)):
            create_given(con, name, [])
        params = defaults_of(made)
        dates = dict.fromkeys(
            ("as_of_date", "first_date", "last_date"), datetime.date(2026, 5, 31)
        )
        params |= {**dates, "spend_source": "both", "has_amounts": True}
        create(con, (made.layer, made.table), select_of(made), params, kind=made.kind)
        described = con.execute(f"describe {quoted(made.layer, made.table)}").fetchall()
    assert {name: kind for name, kind, *_ in described} == {
        column.name: column.duckdb_type for column in made.columns
    }
