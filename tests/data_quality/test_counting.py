"""Counts of many tables come from few statements, and a failure costs one count."""

import duckdb
import pytest

from data_quality import counting
from data_quality.counting import ROWS, Table, count_all
from data_quality.suites import suite_for

ID = {"name": "customer_id", "type": "text", "required": True}
TIER = {"name": "tier", "type": "choice", "values": ["a", "it's"]}
COUNT = {"name": "n_orders", "type": "integer"}
KEY = {"check": "unique", "columns": ["customer_id"]}
LEAST = {"check": "between", "columns": ["n_orders"], "min": 1}
ROW = "select 'c' as customer_id, 'a' as tier, 1 as n_orders"


class Recorded:
    """A connection that remembers the statements it was given."""

    def __init__(self, con):
        self.con = con
        self.statements = []

    def execute(self, statement):
        self.statements.append(statement)
        return self.con.execute(statement)


@pytest.fixture
def to_count(table):
    """What is counted of a table that gives the rows of a select."""

    def make(name="things", select=ROW, *, is_stored=True, checks=(KEY, LEAST)):
        contract = table([ID, TIER, COUNT], checks, name=name)
        # What Great Expectations is not asked for is not counted either.
        suite = [check for check in suite_for(contract) if check.kind != "columns"]
        return Table(name, select, is_stored, suite)

    return make


@pytest.mark.parametrize("n_tables", [1, 9])
def test_small_tables_are_counted_by_two_statements(con, to_count, n_tables):
    recorded = Recorded(con)

    found = count_all(recorded, [to_count(f"table_{i}") for i in range(n_tables)])

    assert len(recorded.statements) == 2
    none_broken = {
        ROWS: 1,
        "not_null(customer_id)": 0,
        "in_set(tier)": 0,
        "unique(customer_id)": 0,
        "between(n_orders)": 0,
    }
    assert found == {f"table_{i}": none_broken for i in range(n_tables)}


def test_a_view_is_asked_for_by_itself(con, to_count):
    views = [to_count(name, is_stored=False, checks=[LEAST]) for name in ("one", "two")]
    recorded = Recorded(con)

    count_all(recorded, [to_count("stored", checks=[LEAST]), *views])

    assert len(recorded.statements) == 3
    assert not any(" union all " in statement for statement in recorded.statements)


def test_the_rows_of_a_view_are_not_counted_for_nobody(con, to_count):
    recorded = Recorded(con)
    view = to_count(is_stored=False, checks=[KEY])
    keys = [check for check in view.suite if check.kind == "unique"]

    found = count_all(recorded, [Table(view.name, view.select, False, keys)])

    assert len(recorded.statements) == 1
    assert found == {"things": {"unique(customer_id)": 0}}


def test_only_small_tables_are_looked_through_together(con, to_count, monkeypatch):
    monkeypatch.setattr(counting, "SMALL", 10)
    sizes = {"one": 4, "two": 6, "three": 9, "large": 11}
    tables = [
        to_count(name, f"{ROW} from range({size})", checks=[KEY])
        for name, size in sizes.items()
    ]
    recorded = Recorded(con)

    found = count_all(recorded, tables)

    assert {name: counts[ROWS] for name, counts in found.items()} == sizes
    _, *queries = recorded.statements
    # One and two have ten rows.
    assert [statement.count("group by") for statement in queries] == [2, 1, 1]


def test_a_query_that_reads_a_large_table_stands_alone(con, to_count, monkeypatch):
    monkeypatch.setattr(counting, "SMALL", 10)
    reads = {
        "check": "no_rows",
        "name": "unknown",
        "query": "select 1 from {batch} anti join {large} using (customer_id)",
    }
    recorded = Recorded(con)

    found = count_all(
        recorded,
        [
            to_count("one", checks=[KEY]),
            to_count("two", checks=[reads]),
            to_count("large", f"{ROW} from range(11)", checks=[]),
        ],
    )

    assert found["two"]["unknown"] == 0
    assert len(recorded.statements) == 3


def test_a_count_that_cannot_be_taken_costs_no_other(con, to_count):
    spoiled = "select 'c' as customer_id, 'b' as tier, 'many' as n_orders"

    found = count_all(con, [to_count("good"), to_count("bad", spoiled)])

    assert found["good"]["between(n_orders)"] == 0
    assert isinstance(found["bad"].pop("between(n_orders)"), duckdb.BinderException)
    assert found["bad"] == {
        ROWS: 1,
        "not_null(customer_id)": 0,
        "in_set(tier)": 1,
        "unique(customer_id)": 0,
    }


def test_a_table_that_cannot_be_read_costs_no_other(con, to_count):
    found = count_all(con, [to_count("gone", "select * from gone"), to_count("good")])

    assert {type(count) for count in found["gone"].values()} == {
        duckdb.CatalogException
    }
    assert {type(count) for count in found["good"].values()} == {int}


def test_an_interruption_is_no_failed_count(to_count):
    class Interrupted:
        n_asked = 0

        def execute(self, _):
            self.n_asked += 1
            raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")

    con = Interrupted()

    with pytest.raises(duckdb.InterruptException):
        count_all(con, [to_count("one"), to_count("two")])
    assert con.n_asked == 1
