"""The service level at the ends of earlier months, against rules worked by hand."""

import datetime
from decimal import Decimal

import duckdb
import pytest

from project.folder import Project
from project.settings import SchemeSettings, Settings
from schemes.plan import make_plan
from schemes.tables.service_level_months import service_level_months_select
from sql.contracts import all_columns

AS_OF = datetime.date(2026, 5, 20)
TABLES = """
    create schema core; create schema staging;
    create table core.lines (
        customer_id varchar, line_date date, spend_amount decimal(18, 2)
    );
    create table core.orders (customer_id varchar, order_date date);
    create table core.former_orders (
        customer_id varchar, order_date date, until_date date
    );
    create table staging.overrides (
        customer_id varchar, scheme varchar, tier varchar, starts_on date, ends_on date
    );
"""


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute(TABLES)
        yield con


def bought(con, customer, day, amount):
    con.execute("insert into core.lines values (?, ?, ?)", [customer, day, amount])
    con.execute("insert into core.orders values (?, ?)", [customer, day])


def found(con, n_months, as_of=AS_OF, *, has_rule=True):
    """Customer → its ranks, and the bits of the month ends with an order."""
    params = {"as_of_date": as_of, "lost_months": 12}
    if has_rule:
        shares = {"high_share_ratio": Decimal("0.2"), "mid_share_ratio": Decimal("0.6")}
        params |= {"window_months": 12, **shares}
    select = service_level_months_select(n_months, has_rule=has_rule)
    made = con.execute(
        f"select customer_id, level_ranks, order_months from ({select})", params
    )
    return {customer: (ranks, bits) for customer, ranks, bits in made.fetchall()}


def test_each_month_end_compares_those_with_an_order_then(con):
    # At the end of April five had bought: high the first ceil(0.2 × 5) = 1, down to mid
    # the first ceil(0.6 × 5) = 3. In March there were A, B and C: high 1, mid 2.
    for customer, day, amount in (
        ("A", "2026-03-31", 50),
        ("B", "2026-03-01", 40),
        ("C", "2026-02-01", 30),
        ("D", "2026-04-01", 60),
        ("E", "2026-04-30", 10),
        ("F", "2026-05-01", 999),
    ):
        bought(con, customer, day, amount)
    assert found(con, 2) == {
        "A": ([2, 1], 0b111),
        "B": ([2, 2], 0b111),
        "C": ([3, 3], 0b111),
        "D": ([1, 3], 0b011),
        "E": ([3, 3], 0b011),
        "F": ([3, 3], 0b001),
    }


def test_equal_spend_shares_the_better_level(con):
    for customer in "ABCDE":
        bought(con, customer, "2026-04-01", 10)
    assert {ranks[0] for ranks, _ in found(con, 1).values()} == {1}


def test_a_window_begins_after_the_same_day_a_year_before(con):
    # To 2025-02-28 it begins with 2024-02-29; the day before is too old. A refund takes
    # spend away on its own day, and leaves orders alone.
    bought(con, "before", "2024-02-28", 1)
    bought(con, "first", "2024-02-29", 1)
    con.execute("insert into core.lines values ('first', '2025-03-01', -1)")
    levels = found(con, 1, datetime.date(2025, 3, 15))
    assert levels == {"first": ([1], 0b10)}


def test_an_order_that_was_given_back_counts_until_that_day(con):
    con.execute(
        "insert into core.former_orders values"
        " ('A', '2026-03-10', '2026-04-30'), ('B', '2026-03-10', '2026-05-01'),"
        " ('C', '2026-04-01', '2026-05-02')"
    )
    con.execute(
        "insert into core.lines"
        " select customer_id, order_date, 7 from core.former_orders"
    )
    # At the end of April A's order was given back, B's and C's not yet.
    assert found(con, 2) == {
        "A": ([3, 1], 0b100),
        "B": ([1, 1], 0b110),
        "C": ([1, 3], 0b010),
    }


def test_a_tier_that_a_person_gave_holds_on_its_days(con):
    bought(con, "A", "2026-01-01", 10)
    con.execute(
        """insert into staging.overrides values
            ('A', 'spend_band', 'mid', '2026-01-01', '2026-03-31'),
            ('A', 'spend_band', 'low', '2026-02-01', '2026-03-30'),
            ('B', 'spend_band', 'high', '2026-03-31', null),
            ('B', 'service_level', 'general', '2026-04-30', '2026-04-30'),
            ('C', 'service_level', 'high', '2026-05-01', null),
            ('C', 'value_pyramid', 'gold', '2026-01-01', null)"""
    )
    # A: mid to the end of March, low to the day before; B: high, but general by
    # service_level itself on the last of April.
    levels = found(con, 3)
    assert levels["A"][0] == [1, 2, 3]
    assert levels["B"] == ([3, 1, 3], 0)
    # That of C had not begun.
    assert levels["C"] == ([3, 3, 3], 0)


def test_without_a_rule_only_orders_are_known(con):
    bought(con, "A", "2025-05-10", 10)
    assert found(con, 2, has_rule=False) == {"A": (None, 0b110)}


def test_a_year_of_months_is_what_each_month_alone_gives(con):
    """Against the plain definition, month by month, on made-up orders."""
    con.execute(
        """create table made as
        select
            'C' || hash(i) % 60 as customer_id,
            date '2024-04-01' + (hash(i * 7) % 780)::integer as day,
            (hash(i * 3) % 40)::decimal(18, 2) as amount
        from range(900) as given (i)"""
    )
    con.execute("insert into core.lines select * from made")
    con.execute("insert into core.orders select customer_id, day from made")
    made = found(con, 12)
    for place in range(12):
        month = datetime.date(2026 - (place >= 5), (5 - place - 1) % 12 + 1, 1)
        end = month - datetime.timedelta(days=1)
        plain = con.execute(
            """with spend as (
                select customer_id, sum(amount) as amount from made
                where day <= $end and day > ($end - interval 12 month)::date
                group by customer_id
            ),
            places as (
                select
                    customer_id,
                    rank() over (order by amount desc) - 1 as n_better,
                    count(*) over () as n
                from spend
            )
            select
                customer_id,
                case
                    when n_better < ceil(0.2 * n) then 1
                    when n_better < ceil(0.6 * n) then 2
                    else 3
                end
            from places""",
            {"end": end},
        ).fetchall()
        assert {name: ranks[place] for name, (ranks, _) in made.items()} == {
            **dict.fromkeys(made, 3),
            **dict(plain),
        }


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ({}, [(12, Decimal("0.2"), Decimal("0.6"))]),
        (
            {"spend_band.window": "6 months", "spend_band.tiers.high.top": "10%"},
            [(6, Decimal("0.1"), Decimal("0.6"))],
        ),
        # Other windows are not found again.
        ({"spend_band.window": "90 days"}, []),
    ],
)
def test_the_rule_is_that_of_the_spend_band(con, tmp_path, parameters, rule):
    schemes = SchemeSettings(
        only=["spend_band", "service_level"], parameters=parameters
    )
    project = Project(tmp_path, Settings(name="test", schemes=schemes))
    plan = make_plan(project, all_columns())
    assert con.execute(plan.tables["service_level_rule"]).fetchall() == rule


def test_without_the_spend_band_there_is_no_rule(con, tmp_path):
    schemes = SchemeSettings(only=["dormancy"])
    project = Project(tmp_path, Settings(name="test", schemes=schemes))
    plan = make_plan(project, all_columns())
    assert con.execute(plan.tables["service_level_rule"]).fetchall() == []
