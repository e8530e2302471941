"""How alike two ids are, by a model that was written by hand, and what follows."""

import json
from decimal import Decimal

import duckdb
import pytest

from ingest.identity_model import records, splinked
from ingest.identity_model.trained import read
from project.errors import RunError
from tests.ingest.identity_model.conftest import probability
from tests.ingest.persons import groups

ALIKE = (
    "A,Martha Lee,Berlin,1990-01-15,13800138000\n"
    "B,Marhta Lee,Berlin,1990-01-15,13800138000\n"
)
CALLED = ("A openid o1", "B openid o1")


# What two ids say, and how they agree by that. Likeness of names: of martha and marhta
# 0.961, of dixon and dicksonx 0.813.
WAYS = [
    ("customer_name", "Martha", " MARTHA ", "equal"),
    ("customer_name", "martha", "marhta", "jaro_winkler from 0.92"),
    ("customer_name", "dixon", "dicksonx", "jaro_winkler from 0.8"),
    ("customer_name", "martha", "dixon", "otherwise"),
    ("customer_name", "王小明", "王小明", "equal"),
    ("customer_name", "martha", "", None),
    ("city", "Bern", "Bern", "equal"),
    ("city", "Bern", "Berg", "levenshtein to 1"),
    ("city", "北京市", "北京", "levenshtein to 1"),
    ("city", "Bern", "Bonn", "levenshtein to 2"),
    ("city", "Bern", "Rome", "otherwise"),
    ("city", "", "Rome", None),
    ("birth_date", "1990-01-15", "1990-01-15", "equal"),
    ("birth_date", "1990-01-15", "1991-01-15", "a typing slip"),
    ("birth_date", "1990-01-15", "1990-02-03", "within a month"),
    ("birth_date", "1990-01-15", "1990-08-23", "within a year"),
    ("birth_date", "1990-01-15", "1975-09-29", "otherwise"),
    ("birth_date", "", "", None),
    ("phone", "13800138000", "+86 138 0013 8000", "equal"),
    ("phone", "13800138000", "13900139000", "otherwise"),
    ("phone", "13800138000", "12345", None),  # no number: it says nothing
]


def test_each_way_to_agree_is_worth_what_the_model_says(modelled):
    names = ("customer_name", "city", "birth_date", "phone")
    lines, entries, expected = [], [], {}
    for number, (name, one, other, level) in enumerate(WAYS):
        pair = (f"A{number}", f"B{number}")
        for called, value in zip(pair, (one, other), strict=True):
            values = (value if name == column else "" for column in names)
            lines.append(",".join([called, *values]) + "\n")
            entries.append(f"{called} openid o{number}")
        expected[pair] = (
            Decimal(str(round(probability({name: level}), 4))),
            "to_review",
        )
    modelled.settings(review=0.0001, at_most=20)
    modelled.land("".join(lines), *entries)
    groups(modelled.company)
    # What is less probable than a ten-thousandth is not listed.
    assert modelled.pairs() == {
        pair: told for pair, told in expected.items() if told[0] >= Decimal("0.0001")
    }
    assert len(modelled.pairs()) > len(WAYS) - 4


def test_agreements_multiply_and_one_of_several_contacts_does(modelled):
    modelled.land(
        "A,Martha,Bern,1990-01-15,13800138000\nB,Marhta,Berg,1990-01-15,\n",
        *CALLED,
        "B phone 13900139000",
        "B phone 13800138000",
    )
    assert groups(modelled.company) == {"A": ["A", "B"]}
    expected = probability(
        {
            "customer_name": "jaro_winkler from 0.92",
            "city": "levenshtein to 1",
            "birth_date": "equal",
            "phone": "equal",
        }
    )
    rounded = Decimal(str(round(expected, 4)))
    assert modelled.pairs() == {("A", "B"): (rounded, "linked")}
    assert modelled.company.rows(
        "select given_id, linked_by, linked_id, probability_ratio"
        " from staging.customer_ids"
    ) == [("A", "model", "B", rounded), ("B", "model", "A", rounded)]


# Of the two names alone: 0.001 / 0.999 * 0.6 / 0.005 = 0.1201, so p = 0.1072; with the
# day, 32.03, so p = 0.9697.
@pytest.mark.parametrize(
    ("threshold", "review", "standing"),
    [
        (0.9696, None, "linked"),
        (0.9697, None, "linked"),
        (0.9698, None, None),
        (0.9698, 0.9696, "to_review"),
        (0.9698, 0.9697, "to_review"),
        (0.98, 0.9698, None),
    ],
)
def test_ids_are_linked_from_the_threshold_on(modelled, threshold, review, standing):
    more = {} if review is None else {"review": review}
    modelled.settings(threshold=threshold, **more)
    modelled.land("A,Martha,,1990-01-15,\nB,Martha,,1990-01-15,\n", *CALLED)
    found = groups(modelled.company)
    assert found == ({"A": ["A", "B"]} if standing == "linked" else {})
    assert modelled.pairs() == (
        {("A", "B"): (Decimal("0.9697"), standing)} if standing else {}
    )


def test_only_ids_that_agree_on_block_on_are_compared(modelled):
    modelled.land(ALIKE, "A openid o1", "B openid o2")
    assert groups(modelled.company) == {}
    assert modelled.pairs() == {}


def test_a_rule_is_told_before_the_model(modelled):
    modelled.settings(rules=["phone"])
    modelled.land(ALIKE, *CALLED)
    assert groups(modelled.company) == {"A": ["A", "B"]}
    assert modelled.company.column("select linked_by from staging.customer_ids") == [
        "phone",
        "phone",
    ]
    ((_, standing),) = modelled.pairs().values()
    assert standing == "linked"


def test_an_entry_holds_apart_what_the_model_finds_alike(modelled):
    modelled.land(ALIKE, *CALLED, "B not_same A")
    assert groups(modelled.company) == {}
    assert [standing for _, standing in modelled.pairs().values()] == ["kept_apart"]
    assert modelled.company.rows(
        "select given_id, standing from staging.customer_ids"
    ) == [("A", "kept_apart"), ("B", "kept_apart")]


def test_where_an_entry_contradicts_the_model_gives_way_and_rules_stay(modelled):
    # A and C are one by a rule, C and B by the model, and A is not B.
    modelled.settings(rules=["card"])
    modelled.land(
        "A,,,,\nB,Martha Lee,Bern,1990-01-15,13800138000\n"
        "C,Martha Lee,Bern,1990-01-15,13800138000\n",
        *("A card k1", "C card k1", "A not_same B", "B openid o1", "C openid o1"),
    )
    assert groups(modelled.company) == {"A": ["A", "C"]}
    assert {pair: told for pair, (_, told) in modelled.pairs().items()} == {
        ("B", "C"): "contradiction"
    }
    assert modelled.company.rows(
        "select given_id, standing from staging.customer_ids"
    ) == [("A", "linked"), ("B", "contradiction"), ("C", "linked")]


@pytest.mark.parametrize(("n_ids", "is_heard"), [(2, True), (3, True), (4, False)])
def test_what_too_many_share_says_nothing(modelled, n_ids, is_heard):
    modelled.settings(at_most=3, review=0.0001)
    names = "ABCD"[:n_ids]
    modelled.land(
        "".join(f"{name},,,,13800138000\n" for name in names), "A card k1", "B card k1"
    )
    groups(modelled.company)
    expected = round(probability({"phone": "equal" if is_heard else None}), 4)
    found = {pair: float(p) for pair, (p, _) in modelled.pairs().items()}
    assert found == {("A", "B"): expected}


def test_an_identifier_of_too_many_has_nobody_compared(modelled):
    modelled.settings(at_most=2)
    modelled.land(ALIKE + "C,,Bern,,\n", *CALLED, "C openid o1")
    assert groups(modelled.company) == {}
    modelled.settings(at_most=3)
    assert groups(modelled.company) == {"A": ["A", "B"]}


@pytest.mark.parametrize(("at_most_pairs", "is_refused"), [(2, True), (3, False)])
def test_too_many_pairs_are_refused(modelled, at_most_pairs, is_refused):
    modelled.land(
        ALIKE + "C,Ann,Bern,,\n",
        *CALLED,
        *("A card k1", "B card k1", "C card k2", "B card k2", "A card k3"),
    )
    modelled.settings(at_most_pairs=at_most_pairs)
    if is_refused:
        with pytest.raises(RunError, match=r"3 pairs .* at_most_pairs is 2; 2 of"):
            groups(modelled.company)
    else:
        assert groups(modelled.company) == {"A": ["A", "B"]}


def test_the_same_whatever_the_threads_the_order_and_the_warehouse(modelled):
    customers = [
        f"{number:03},{name},{city},199{number % 7}-01-15,\n"
        for number in range(200)
        for name, city in [(("Martha", "Marhta", "Dixon")[number % 3], "Bern")]
    ]
    entries = [f"{number:03} openid o{number % 50}" for number in range(200)]
    modelled.settings(at_most=10, review=0.0001)
    modelled.land("".join(customers), *entries)
    seen = []
    for threads in (1, 4):
        modelled.company.con.execute(f"set threads = {threads}")
        seen.append((groups(modelled.company), modelled.pairs()))
    modelled.company.con = duckdb.connect()
    modelled.company.con.execute("set timezone = 'UTC'")
    modelled.company.land("customers/b.csv", "customer_id\nZ\n")
    modelled.land("".join(customers), *reversed(entries))
    seen.append((groups(modelled.company), modelled.pairs()))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0]
    assert len(seen[0][1]) > 100


def test_new_records_leave_the_probability_of_the_old_ones(modelled):
    modelled.land(ALIKE, *CALLED)
    groups(modelled.company)
    before = modelled.pairs()
    modelled.company.land(
        "customers/b.csv",
        "customer_id,customer_name,city\n"
        + "".join(f"M{number},Martha Lee,Berlin\n" for number in range(50)),
    )
    modelled.company.load("customers")
    groups(modelled.company)
    assert modelled.pairs() == before


def test_nothing_that_was_compared_stays(modelled):
    modelled.land(ALIKE, *CALLED)
    groups(modelled.company)
    company = modelled.company
    assert modelled.pairs()
    assert (
        company.column(
            "select table_name from duckdb_tables() where table_name like 'identity%'"
            " or table_name like '%splink%' or table_name like '%contacts'"
        )
        == []
    )
    assert company.column(
        "select database_name from duckdb_databases() where not internal"
    ) == ["memory"]
    assert company.rows("select current_database(), current_schema()") == [
        ("memory", "main")
    ]
    told = str(company.rows("from staging.customer_id_pairs"))
    assert "Lee" not in told
    assert "138" not in told


def test_a_failure_within_splink_leaves_nothing(modelled):
    modelled.land(ALIKE, *CALLED)
    company = modelled.company
    model = company.project.settings.identity.model
    company.con.execute(
        "create temp table identity_values as select 'A' customer_id,"
        " 'openid' as kind, 'o1' as said"
    )
    records.make(company.con, model, 5)
    company.con.execute("alter table identity_records drop v_city")
    # DuckDB's own error, which is told as that of any statement of a run.
    with pytest.raises(duckdb.BinderException):
        splinked.score(company.con, model, read(company.project))
    assert company.column(
        "select database_name from duckdb_databases() where not internal"
    ) == ["memory"]


def test_splink_keeps_silent(modelled, capfd, caplog):
    modelled.land(ALIKE, *CALLED)
    groups(modelled.company)
    assert json.dumps([str(record.msg) for record in caplog.records]) == "[]"
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
