"""Rows that stand in the text of a select come out as they were written."""

import duckdb
from sqlglot import exp

from schemes.compiler.values import column, number, text, texts
from schemes.tables.literals import literal_rows


def test_literals_and_computed_cells_come_out_as_they_were_written():
    """Names may hold quotes, braces and dollars; two bounds are computed."""
    rows = [
        [text("a"), text("it's $x"), number(1), text('{"a"}'), text("金")],
        [text("a"), text("low"), exp.null(), text(""), text("\\n")],
        [text("b"), text("top"), number(-2), text("Top"), text("高")],
    ]
    bounds = [
        [number(-3), exp.null()],
        [column("cut"), number(1)],
        [exp.null(), column("cut")],
    ]
    both = [[*row, *cells] for row, cells in zip(rows, bounds, strict=True)]
    with duckdb.connect() as con:
        con.execute("create table figures as select 0.12345678::decimal(24, 8) as cut")
        select = literal_rows("scheme_tiers", both, "figures")
        found = con.execute(f"select columns(*)::varchar from ({select})").fetchall()
    assert found == [
        ("a", "it's $x", "1", '{"a"}', "金", "-3.00000000", None),
        ("a", "low", None, "", "\\n", "0.12345678", "1.00000000"),
        ("b", "top", "-2", "Top", "高", None, "0.12345678"),
    ]


def test_lists_may_hold_computed_cells_and_be_empty():
    codes = ["s", 1, "1", ["x", "y"], [1, None], ["cut"], [None], [], []]
    cells = [
        text("s"),
        number(1),
        text("1"),
        texts(["x", "y"]),
        exp.Array(expressions=[number(1), exp.null()]),
        exp.Array(expressions=[column("cut")]),
        exp.Array(expressions=[exp.null()]),
        texts([]),
        texts([]),
    ]
    with duckdb.connect() as con:
        con.execute("create table figures as select 5 as cut")
        (found,) = con.execute(
            literal_rows("scheme_codes", [cells], "figures")
        ).fetchall()
        assert list(found) == [[5] if cell == ["cut"] else cell for cell in codes]
        assert con.execute(literal_rows("scheme_codes", [])).fetchall() == []
