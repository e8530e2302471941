"""The keys of rows that break a check: never a column that is not for everybody."""

import duckdb
import pytest

from data_quality.failing_keys import MOST, failing_keys
from sql.contracts import Contract

ROWS = (
    "(values ('C1', 17, 'a'), ('C2', 18, 'b'), ('C2', 70, null)) as t (id, age, kind)"
)


def contract(key=("id",), **column):
    return Contract.model_validate(
        {
            "table": "people",
            "layer": "marts",
            "grain": "a person",
            "description": "People.",
            "made_by": "sql",
            "key": key,
            "columns": [
                {"name": "id", "type": "text", "about": "Who.", **column},
                {"name": "age", "type": "integer", "about": "Years."},
                {"name": "kind", "type": "text", "about": "Kind.", "required": True},
            ],
            "checks": [
                {"check": "between", "columns": ["age"], "min": 18, "max": 65},
                {"check": "unique", "columns": ["id"]},
                {"check": "rows", "min": 10},
                {
                    "check": "no_rows",
                    "name": "adults",
                    "query": "select id from {batch} where age < 18",
                },
            ],
        }
    )


@pytest.mark.parametrize(
    ("check", "keys"),
    [
        ("between(age)", ["id = C1", "id = C2"]),
        ("not_null(kind)", ["id = C2"]),
        ("unique(id)", ["id = C2"]),
        ("adults", ["id = C1"]),
        ("rows", []),
        ("columns", []),
        ("no such check", []),
    ],
)
def test_the_keys_of_rows_that_break_a_check(check, keys):
    con = duckdb.connect()
    con.execute(f"create table people as from {ROWS}")
    assert failing_keys(con, contract(), "people", check) == keys


def test_what_is_personal_or_guarded_is_not_shown():
    con = duckdb.connect()
    con.execute(f"create table people as from {ROWS}")
    of_persons = contract(personal=True)
    assert failing_keys(con, of_persons, "people", "between(age)") == []
    assert failing_keys(con, contract(), "people", "between(age)", ["id"]) == []
    both = contract(("id", "age"), personal=True)
    assert failing_keys(con, both, "people", "between(age)") == ["age = 17", "age = 70"]


def test_a_few_keys_are_enough_and_a_missing_column_is_no_error():
    con = duckdb.connect()
    con.execute(
        "create table people as"
        " select i::varchar as id, 0 as age from range(9) as numbers (i)"
    )
    found = failing_keys(con, contract(), "people", "between(age)")
    assert found == [f"id = {number}" for number in range(MOST)]
    assert failing_keys(con, contract(), "people", "not_null(kind)") == []
