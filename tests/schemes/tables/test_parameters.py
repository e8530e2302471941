"""Every parameter is listed with the value in force, its default, and what it means."""

from decimal import Decimal

import pytest

from schemes.language.files import library
from sql.contracts import contracts

TABLES = {table.table: table for table in contracts("marts") if table.parameters}
LISTED = "select owner || '.' || name, value, default_value from marts.parameters"


def test_all_are_listed(grade):
    graded = grade({})

    names = {name for name, *_ in graded.rows(LISTED)}
    assert names >= {
        f"{scheme.scheme}.{name}"
        for scheme in library()
        for name in scheme.document.parameters
    }
    assert names >= {
        f"{table}.{name}" for table, made in TABLES.items() for name in made.parameters
    }
    said = graded.rows("select about_en, about_zh from marts.parameters")
    assert all(en and zh for en, zh in said)


def test_values_in_force_stand_beside_the_defaults(grade):
    graded = grade(
        {},
        parameters={
            "rfm_8.cut": "median",
            "annual_points.tiers.C.from": Decimal(3500),
            "value_pyramid.tiers.gold.top": "6%",
            "callbacks.callback_hours": "48 hours",
            "service_sales.add_on_categories": ["Screws", "nuts"],
        },
    )

    found = {name: values for name, *values in graded.rows(LISTED)}
    assert found["rfm_8.cut"] == ["median", "mean"]
    assert found["annual_points.tiers.C.from"] == ["3500", "3000"]
    assert found["annual_points.tiers.D.from"] == ["5000", "5000"]
    assert found["value_pyramid.tiers.gold.top"] == ["6%", "5%"]
    assert found["callbacks.callback_hours"] == ["48", "24"]
    assert found["sla_attainment.answer_seconds"] == ["20", "20"]
    assert found["service_sales.add_on_categories"][0] == "screws, nuts"


@pytest.mark.parametrize(
    ("table", "name"),
    [(table, name) for table, made in TABLES.items() for name in made.parameters],
)
def test_parameters_of_tables_have_a_meaning_in_chinese(table, name):
    about = TABLES[table].parameters[name].about_zh
    assert any("\u4e00" <= sign <= "\u9fff" for sign in about), "give about_zh"
