"""The figures about service, tags and benefits: each from one table of a release."""

import pytest

from releases.facts import QUESTIONS
from tests.releases.conftest import CONTRACTS, place_of


def question(table, *, name):
    """The question about a table whose English name begins like this."""
    (found,) = (
        question
        for question in QUESTIONS
        if question.table == table and question.name_en.startswith(name)
    )
    return found


def asked(con, question):
    return con.execute(question.select(place_of(CONTRACTS[question.table]))).fetchall()


@pytest.mark.usefixtures("building")
def test_a_table_without_rows_has_nothing_to_say(con):
    """Each select fits the columns of its table's contract."""
    assert {question.table: asked(con, question) for question in QUESTIONS} == {
        question.table: [] for question in QUESTIONS
    }


@pytest.mark.usefixtures("building")
def test_counts_are_written_one_by_one(con, insert):
    levels = ["high"] * 2 + ["general"] * 1500
    con.execute(
        f"insert into {place_of(CONTRACTS['service_queue'])} (service_level)"
        " select unnest(?)",
        [levels],
    )
    insert("service_queue", {"service_need": "none"}, {"service_need": "consult"})
    level = question("service_queue", name="Service level")
    assert asked(con, level) == [("2 · 0 · 1,500",)]
    assert asked(con, question("service_queue", name="Need")) == [("0 · 1",)]


@pytest.mark.usefixtures("building")
def test_shares_are_of_all_calls_and_not_the_mean_of_days(con, insert):
    insert(
        "sla_attainment",
        {"n_offered": 90, "n_in_time": 90, "is_met": True},
        {"n_offered": 10, "n_in_time": 0, "is_met": False},
    )
    answered = question("sla_attainment", name="Calls answered")
    assert asked(con, answered) == [("90.0 %; 1 of 2",)]
