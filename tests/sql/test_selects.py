import datetime
from decimal import Decimal

import duckdb
import pytest

from sql.selects import bound, column_names, create, used


@pytest.mark.parametrize("ending", ["x <> ''", "x <> '$'", "x = ''''", "x <> 'a'"])
def test_a_view_may_end_in_any_text(ending):
    select = f"select x, $as_of_date as day from (select 'b' as x) where {ending}"
    con = duckdb.connect()

    params = {"as_of_date": datetime.date(2026, 5, 31)}
    create(con, ("core", "t"), select, params, kind="view")

    expected = [] if ending == "x = ''''" else [("b", datetime.date(2026, 5, 31))]
    assert con.execute("from core.t").fetchall() == expected


def test_a_parameter_in_a_text_is_none():
    con = duckdb.connect()
    select = "select '$a' as x, $b as y, $$ $a $$ as z -- nor $a"
    assert con.execute(bound(select, {"b": 2})).fetchall() == [("$a", 2, " $a ")]


@pytest.mark.parametrize(
    "value",
    [0, -7, Decimal("-0.50"), "", "it's 中文 $b", datetime.date(2024, 2, 29), None],
)
def test_a_parameter_is_written_as_what_it_is(value):
    con = duckdb.connect()
    select = "select '客户' as 名, $b as b, [$b]as c, 1 where $b is null or -1 < 0-$n"
    given = {"b": value, "n": -1}
    written = con.execute(bound(select, given))
    kinds = [str(column[1]).split("(")[0] for column in written.description]
    rows = written.fetchall()
    asked = con.execute(select, used(given, select))
    assert rows == asked.fetchall() == [("客户", value, [value], 1)]
    if value is not None:
        assert kinds == [str(column[1]).split("(")[0] for column in asked.description]


@pytest.mark.parametrize(
    "select",
    [
        "select $a::integer as x, '$b' as y",
        """select $a as "$b" """,
        "select $a -- and no $b",
        "select $a /* and no $b */",
        "select $a, 'it''s $b'",
        "select $a, $$ as text: $b $$",
    ],
)
def test_only_what_a_select_names_is_given_to_it(select):
    assert used({"a": 1, "b": 2}, select) == {"a": 1}


def test_columns_are_listed_of_the_own_database_or_of_an_attached_one():
    con = duckdb.connect()
    con.execute("attach ':memory:' as other")
    con.execute("create schema core")
    con.execute("create schema other.core")
    con.execute("create table core.t (a integer, b integer)")
    con.execute("create table other.core.t (c integer)")

    assert column_names(con, "core.t") == {"a", "b"}
    assert column_names(con, "core.t", "other") == {"c"}
    assert column_names(con, "core.u") == set()
