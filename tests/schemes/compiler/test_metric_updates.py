"""Metrics that go on from a former date are those that are computed as a whole."""

import datetime
import random
from itertools import product

import duckdb
import pytest
from sqlglot import exp

from schemes.compiler import metric_updates
from schemes.compiler.metric_selects import fact_selects, members_of_tables
from schemes.compiler.metric_updates import update_select
from schemes.compiler.values import number
from schemes.language.metrics import Asked
from schemes.language.windows import parse_window
from sql.selects import used

DAY = datetime.timedelta(days=1)
FIRST, LAST = datetime.date(2022, 11, 1), datetime.date(2026, 3, 31)
WINDOWS = (
    "ever",
    "7 days",
    "1 month",
    "12 months",
    "previous 12 months",
    "previous 30 days",
    "12 months before",
    "calendar year",
    "last calendar year",
)
# From ends of months and years and leap days, and to them and the days after.
DATES = tuple(
    (datetime.date.fromisoformat(former), datetime.date.fromisoformat(day))
    for former, day in (
        ("2024-02-28", "2024-02-28"),
        ("2024-02-28", "2024-02-29"),
        ("2024-02-29", "2024-03-01"),
        ("2024-03-01", "2024-03-31"),
        ("2025-02-28", "2025-03-01"),
        ("2025-01-31", "2025-02-28"),
        ("2024-12-31", "2025-01-01"),
        ("2024-12-01", "2025-02-01"),
        ("2025-05-31", "2025-06-30"),
        ("2025-05-14", "2025-05-15"),
    )
)
# The tables that metrics read, with the columns that they need.
FACTS = {
    "core.lines": (
        "line_date",
        "kind, spend_amount, cost_amount, category",
        (
            "'sale', (n % 50 - 5)::decimal(18, 2), case when n % 3 > 0 then"
            " (n % 7)::decimal(18, 2) end, 'c' || (n % 4)"
        ),
    ),
    "core.orders": (
        "order_date",
        "transaction_id, net_amount",
        "'t' || n, (n % 90)::decimal(18, 2)",
    ),
    "core.points_events": ("event_date", "points", "(n % 30 - 4)::decimal(18, 4)"),
    "staging.interactions": (
        "occurred_date",
        "kind",
        "case when n % 2 = 0 then 'visit' else 'call' end",
    ),
}
ASKED = [
    Asked(name, parse_window(window))
    for name, window in product(
        (
            "spend",
            "known_cost",
            "costed_spend",
            "categories",
            "largest_category_spend",
            "orders",
            "order_amount",
            "median_order_amount",
            "points",
            "interactions",
        ),
        WINDOWS,
    )
]
ASKED += [
    Asked(name, parse_window("ever"))
    for name in (
        "first_order_date",
        "last_order_date",
        "first_order_amount",
        "last_order_amount",
        "last_interaction_date",
    )
]
ASKED += [
    Asked("interactions", parse_window(window), (("kind", "visit"),))
    for window in WINDOWS
]
TABLES = (
    "line_metrics",
    "category_metrics",
    "order_metrics",
    "points_metrics",
    "interaction_metrics",
)


def facts(con, seed):
    """Fill the tables that metrics read, with rows of three years and some."""
    numbers = random.Random(seed)  # noqa: S311 - no secret is made of it
    con.execute("create schema core; create schema staging")
    con.execute("create temp table restated_customers (customer_id varchar)")
    days = (LAST - FIRST).days
    for name, (date, columns, values) in FACTS.items():
        con.execute("create or replace table given (n integer, c varchar, d date)")
        con.executemany(
            "insert into given values (?, ?, ?)",
            [
                (n, f"k{numbers.randrange(9)}", FIRST + numbers.randrange(days) * DAY)
                for n in range(900)
            ],
        )
        table = name.replace(".", ".all_")
        con.execute(
            f"create table {table} as select c as customer_id, d as {date},"
            f" {', '.join(f'v{i}' for i in range(1, columns.count(',') + 2))}"
            f" from (select c, d, {values} from given) as t(c, d,"
            f" {', '.join(f'v{i}' for i in range(1, columns.count(',') + 2))})"
        )
        for i, column in enumerate(columns.split(", "), 1):
            con.execute(f"alter table {table} rename v{i} to {column}")


def as_of(con, day):
    for name, (date, *_) in FACTS.items():
        table = name.replace(".", ".all_")
        con.execute(
            f"create or replace view {name} as from {table}"
            f" where {date} <= date '{day}'"
        )


def make(con, table, select, **params):
    con.execute(
        f"create or replace table core.{table} as {select}", used(params, select)
    )


def rows_of(con, table):
    """The rows by customer, as `core.customer_metrics` reads them."""
    members = members_of_tables(ASKED)[table]
    columns = ", ".join(
        f"coalesce({name}, {asked.metric.empty})"
        if asked.metric.empty is not None
        else name
        for name, asked in sorted(members.items())
    )
    found = con.execute(f"select customer_id, {columns} from core.{table}").fetchall()
    nothing = tuple(asked.metric.empty for _, asked in sorted(members.items()))
    return {customer: row for customer, *row in found if tuple(row) != nothing}


def differences(con, former, day):
    """The tables that, going on from a date, are not what they are as a whole."""
    whole = fact_selects(ASKED)
    members = members_of_tables(ASKED)
    wrong = []
    for table in TABLES:
        as_of(con, former)
        make(con, table, whole[table], as_of_date=former)
        as_of(con, day)
        update = update_select(table, members[table])
        make(con, table, update, as_of_date=day, kept_date=former)
        gone_on = rows_of(con, table)
        make(con, table, whole[table], as_of_date=day)
        if gone_on != rows_of(con, table):
            wrong.append(table)
    return wrong


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as made:
        facts(made, seed=12)
        yield made


@pytest.mark.parametrize(("former", "day"), DATES)
def test_metrics_go_on_over_ends_of_months_and_years(con, former, day):
    assert differences(con, former, day) == []


def test_customers_who_are_restated_are_computed_anew(con):
    former, day = DATES[3]
    whole = fact_selects(ASKED)["line_metrics"]
    as_of(con, former)
    make(con, "line_metrics", whole, as_of_date=former)
    con.execute("update core.line_metrics set spend_amount = 1, spend_12m_amount = 2")
    con.execute("insert into restated_customers select 'k' || range from range(9)")
    as_of(con, day)
    update = update_select("line_metrics", members_of_tables(ASKED)["line_metrics"])
    make(con, "line_metrics", update, as_of_date=day, kept_date=former)
    gone_on = rows_of(con, "line_metrics")
    con.execute("delete from restated_customers")
    make(con, "line_metrics", whole, as_of_date=day)
    assert gone_on == rows_of(con, "line_metrics")


@pytest.mark.parametrize("edge", ["last_day", "day_before"])
def test_an_edge_that_is_a_day_off_is_found(con, edge, monkeypatch):
    right = getattr(metric_updates, edge)

    def a_day_late(window):
        return exp.Paren(this=exp.Add(this=right(window), expression=number(1)))

    monkeypatch.setattr(metric_updates, edge, a_day_late)
    assert differences(con, *DATES[3])


@pytest.mark.parametrize(
    ("name", "window", "arguments"),
    [
        ("contracts_in_force", "ever", ()),  # its condition asks for the date
        ("members", "ever", ()),  # it counts rows of other customers
        ("group_billed", "12 months", ()),  # it reads two tables
        ("median_order_gap", "ever", ()),  # it has no day
        ("peak_spend", "12 months", ()),  # it has a select of its own
        ("category_points", "12 months", ()),  # a row is no customer
    ],
)
def test_what_hangs_on_more_than_days_is_computed_as_a_whole(name, window, arguments):
    asked = Asked(name, parse_window(window), arguments)
    assert update_select(asked.table, {asked.column: asked}) is None
