"""Contracts become suites; a contract that cannot is refused in one line."""

import datetime
import subprocess
import sys
from decimal import Decimal

import pytest

from data_quality.suites import Expectation, suite_for
from project.errors import ConfigurationError
from sql.contracts import LAYERS, contracts

ID = {"name": "customer_id", "type": "text", "required": True}
TIER = {"name": "tier", "type": "choice", "values": ["a", "b"]}
DAY = {"name": "paid_date", "type": "date"}
AMOUNT = {"name": "paid_amount", "type": "amount"}
COUNT = {"name": "n_orders", "type": "integer"}
FLAGS = {"name": "flags", "type": "texts", "values": ["x", "y"]}


def test_columns_give_presence_closed_lists_and_types(table):
    suite = suite_for(table([ID, TIER, AMOUNT, FLAGS]))

    assert suite == (
        Expectation("columns", "columns"),
        Expectation("not_null", "not_null(customer_id)", columns=("customer_id",)),
        Expectation("in_set", "in_set(tier)", columns=("tier",), values=("a", "b")),
        Expectation(
            "in_set",
            "in_set(flags)",
            columns=("flags",),
            values=("x", "y"),
            of_list=True,
        ),
    )


def test_a_check_of_many_columns_is_one_expectation_each_but_a_key_is_one(table):
    checks = [
        {"check": "not_null", "columns": ["tier", "paid_date"]},
        {"check": "unique", "columns": ["customer_id", "tier"]},
    ]

    names = [
        expectation.name for expectation in suite_for(table([ID, TIER, DAY], checks))
    ]

    assert names[3:] == [
        "not_null(tier)",
        "not_null(paid_date)",
        "unique(customer_id, tier)",
    ]


def test_a_written_check_replaces_the_one_of_its_column(table):
    checks = [{"check": "not_null", "columns": ["customer_id"], "severity": "warn"}]

    suite = suite_for(table([ID], checks))

    assert [(expectation.name, expectation.severity) for expectation in suite] == [
        ("columns", "ERROR"),
        ("not_null(customer_id)", "WARN"),
    ]


def test_of_a_view_only_what_is_asked_for_is_checked(table):
    checks = [{"check": "in_set", "columns": ["tier"]}]

    suite = suite_for(table([ID, TIER, FLAGS], checks, kind="view", made_by="compiled"))

    assert suite == (
        Expectation("columns", "columns"),
        Expectation("in_set", "in_set(tier)", columns=("tier",), values=("a", "b")),
    )


@pytest.mark.parametrize(
    ("column", "written", "meant"),
    [
        (DAY, "2026-05-31", datetime.date(2026, 5, 31)),
        (AMOUNT, Decimal("0.25"), Decimal("0.25")),
        (COUNT, 3, 3),
    ],
)
def test_bounds_have_the_type_of_their_column(table, column, written, meant):
    check = {"check": "between", "columns": [column["name"]], "min": written}

    bound = suite_for(table([column], [check]))[-1]

    assert (bound.min, bound.max) == (meant, None)


def test_a_named_check_of_two_columns_keeps_them_apart(table):
    check = {"check": "between", "name": "sane", "columns": ["n_orders", "paid_amount"]}

    suite = suite_for(table([COUNT, AMOUNT], [{**check, "min": 0}]))

    assert [expectation.name for expectation in suite[1:]] == [
        "sane(n_orders)",
        "sane(paid_amount)",
    ]


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        (
            {"check": "unique", "columns": ["customerid"]},
            "unique: 'customerid' is no column; did you mean 'customer_id'?",
        ),
        ({"check": "unique"}, "unique: names no columns; add columns: [...]"),
        (
            {"check": "in_set", "columns": ["customer_id"]},
            "in_set: names no values; add values: [...]",
        ),
        ({"check": "rows"}, "rows: has no bound; add min: or max:"),
        (
            {"check": "between", "columns": ["n_orders"]},
            "between: has no bound; add min: or max:",
        ),
        (
            {"check": "between", "columns": ["n_orders"], "min": "many"},
            "between: 'many' is no INTEGER",
        ),
        (
            {"check": "between", "columns": ["paid_date"], "min": "2026-02-30"},
            "between: '2026-02-30' is no DATE",
        ),
        (
            {"check": "between", "columns": ["tier"], "min": "a"},
            "between: 'tier' is neither a number nor a date",
        ),
        (
            {"check": "no_rows", "query": "select 1 from {batch}"},
            "no_rows: has no name; add name: what_must_not_be",
        ),
        (
            {"check": "no_rows", "name": "odd", "query": "select 1"},
            "odd: needs query: a select from {batch}",
        ),
        (
            {"check": "no_rows", "name": "odd"},
            "odd: needs query: a select from {batch}",
        ),
    ],
)
def test_a_check_that_cannot_be_understood_is_refused(table, check, problem):
    contract = table([ID, TIER, DAY, COUNT], [check])

    with pytest.raises(ConfigurationError) as refused:
        suite_for(contract)

    assert str(refused.value) == f"{contract.path}: checks: {problem}"


def test_two_checks_of_one_name_are_refused(table):
    checks = [{"check": "rows", "min": 1}, {"check": "rows", "max": 9}]

    with pytest.raises(ConfigurationError, match="'rows' is given twice; add a name"):
        suite_for(table([ID], checks))


@pytest.mark.parametrize(
    "contract",
    [table for layer in LAYERS for table in contracts(layer)],
    ids=lambda expectation: expectation.name,
)
def test_every_contract_gives_a_suite(contract):
    names = [expectation.name for expectation in suite_for(contract)]

    assert names[0] == "columns"
    assert all(expectation.sentence for expectation in suite_for(contract))


def test_suites_results_and_docs_load_without_great_expectations():
    code = (
        "import sys, data_quality.suites, data_quality.result, data_quality.docs\n"
        "sys.exit('great_expectations' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
