import datetime

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
    assert bound("select '$a' as x, $b as y", {"b": 2}) == "SELECT '$a' AS x, 2 AS y"


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
