"""Customers counted by attribute, value and tier; which attributes a release shows."""

from decimal import Decimal
from pathlib import Path

import duckdb

from project.own import OwnData, put_in_force
from project.settings import OwnColumn
from schemes.plan import Execution
from schemes.tables.segments import (
    attribute_columns,
    counted_attributes,
    segment_counts_select,
    segment_values_select,
)
from tests.schemes.conftest import AS_OF, params_of

CUSTOMERS = [
    {"customer_id": "A", "gender": "f", "hobby": "chess", "birth_date": "1986-05-31"},
    {"customer_id": "B", "gender": "f", "hobby": "tea", "birth_date": "1986-06-01"},
    {"customer_id": "C", "gender": "m", "hobby": "tea", "birth_date": None},
    {"customer_id": "D", "gender": None, "hobby": "golf", "birth_date": None},
]
LONG = """
    select attribute, value, scheme, tier, count(*), sum(spend_12m_amount)
    from (
        unpivot (
            select customer_id, coalesce(gender, '-') as gender,
                coalesce(age_band, '-') as age_band, coalesce(hobby, '-') as hobby
            from main.customers
        ) on gender, age_band, hobby into name attribute value value
    )
    join customer_tiers using (customer_id) join customer_metrics using (customer_id)
    where scope = ''
    group by all
"""


def counted(graded, max_values=500):
    """The rows of segment_counts; what is not known is shown as a dash."""
    execution = Execution(graded.plan, graded.con, params_of(AS_OF))
    execution.segments({"max_values": max_values})
    return graded.rows(
        "select attribute, coalesce(value, '-'), scheme, tier, n_customers,"
        " spend_12m_amount from marts.segment_counts"
    )


def test_counts_are_those_of_the_long_view(grade, order):
    graded = grade(
        {
            "customers": CUSTOMERS,
            "transactions": [
                order("A", "2026-05-01", 100),
                order("B", "2026-05-01", 10),
                order("B", "2025-05-31", 1),
                order("E", "2026-05-01", 5),
            ],
        }
    )

    found = counted(graded)
    assert sorted(found) == sorted(graded.rows(LONG))
    stages = {
        (attribute, value, tier): (n_customers, spend)
        for attribute, value, scheme, tier, n_customers, spend in found
        if scheme == "relationship_stage"
    }
    # 40 on the as-of date, and 39 the day before the birthday.
    assert stages["age_band", "40-49", "new"] == (1, Decimal(100))
    assert stages["age_band", "30-39", "existing"] == (1, Decimal(10))
    # D is potential and has no gender; E is not in the customers feed.
    assert stages["gender", "-", "potential"] == (1, Decimal(0))
    assert stages["gender", "-", "new"] == (1, Decimal(5))


def test_the_most_frequent_values_are_counted(grade):
    """Two have tea, one each chess and golf: of equals the first by name counts."""
    graded = grade({"customers": CUSTOMERS})

    def hobbies(max_values):
        rows = counted(graded, max_values)
        return {value for attribute, value, *_ in rows if attribute == "hobby"}

    assert hobbies(1) == {"tea"}
    assert hobbies(2) == {"tea", "chess"}
    assert hobbies(3) == {"tea", "chess", "golf"}


def test_attributes_that_no_feed_has_are_not_counted(grade, order):
    graded = grade({"transactions": [order("A", "2026-05-01")]})
    assert counted(graded) == []


def test_personal_attributes_are_counted_where_they_are_published():
    columns = {"customer_id", "region", "city", "gender", "birth_date"}

    assert set(counted_attributes(columns, ())) == {"gender", "age_band"}
    assert set(counted_attributes(columns, ("region",))) == {
        "gender",
        "age_band",
        "region",
    }
    assert "age_band" not in counted_attributes({"gender"}, ())


def test_what_names_and_addresses_hold_is_never_an_attribute():
    shown = {"customer_name", "phone", "email", "birth_date", "region", "city"}
    assert {column.name for column in attribute_columns(shown)} == {
        "age_band",
        "city",
        "education",
        "gender",
        "hobby",
        "income_class",
        "industry",
        "occupation",
        "region",
    }


def test_without_schemes_or_attributes_there_are_no_counts():
    with duckdb.connect() as con:
        for select in (segment_values_select(()), segment_counts_select((), ())):
            assert con.execute(select).fetchall() == []


def test_the_profile_has_attributes_that_are_not_personal(grade):
    customer = {"customer_id": "A", "gender": "f", "city": "Wuhan"}
    graded = grade({"customers": [customer]})

    profile = graded.con.sql("from customer_profile")
    assert "city" not in profile.columns
    assert profile.select("gender, age_band, hobby").fetchall() == [("f", None, None)]


def test_own_attributes_of_other_types_than_words_are_counted(grade):
    own = {
        "is_founder": OwnColumn(type="boolean", segment=True),
        "stars": OwnColumn(type="integer", values=("1", "2"), segment=True),
        "note": OwnColumn(type="text"),
    }
    put_in_force(OwnData(Path(), "own", attributes={"customers": own}))
    customers = [
        {"customer_id": "A", "is_founder": True, "stars": 2, "note": "x"},
        {"customer_id": "B", "is_founder": False, "stars": 2, "note": "x"},
        {"customer_id": "C", "is_founder": True, "stars": None, "note": "x"},
    ]
    graded = grade({"customers": customers}, only=("account_kind",))
    assert sorted(row[:2] + row[3:5] for row in counted(graded)) == [
        ("is_founder", "false", "individual", 1),
        ("is_founder", "true", "individual", 2),
        ("stars", "-", "individual", 1),
        ("stars", "2", "individual", 2),
    ]
    profile = graded.by_key(
        "select customer_id, is_founder, stars from customer_profile"
    )
    assert profile["A"] == (True, 2)
