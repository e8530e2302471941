"""What the tables beside the schemes read of them."""

from decimal import Decimal

import duckdb
import pytest

from schemes.tables.service_level import category_discounts_select, service_level_select

RESULTS = """
    create table marts.scheme_results as
    select * from (
        values
            ('A', 'high', 'general', 'big', 'complaint'),
            ('B', 'mid', 'high', 'other', 'consult'),
            ('C', 'low', 'mid', null, 'none'),
            ('D', null, null, null, null),
            ('E', 'unrated', 'unrated', 'unrated', 'unrated')
    ) as given (
        customer_id,
        spend_band__tier,
        service_level__tier,
        big_customer__tier,
        service_need__tier
    )
"""


@pytest.fixture
def con():
    with duckdb.connect() as con:
        con.execute("create schema marts")
        con.execute(RESULTS)
        yield con


def found(con, *applicable):
    rows = con.execute(service_level_select(applicable)).fetchall()
    return {name: tuple(rest) for name, *rest in rows}


def test_the_level_follows_the_spend_band(con):
    assert {name: level for name, (level, *_) in found(con, "spend_band").items()} == {
        "A": "high",
        "B": "mid",
        "C": "general",
        "D": "general",
        "E": "general",
    }


def test_the_scheme_service_level_goes_first(con):
    levels = found(con, "spend_band", "service_level")
    assert [levels[name][0] for name in "ABCDE"] == [
        "general",
        "high",
        "mid",
        "general",
        "general",
    ]


def test_without_schemes_everybody_is_general_needs_nothing_and_is_not_big(con):
    assert set(found(con).values()) == {("general", "none", False)}


def test_the_need_is_that_of_its_scheme(con):
    needs = {name: need for name, (_, need, _) in found(con, "service_need").items()}
    assert needs == {
        "A": "complaint",
        "B": "consult",
        "C": "none",
        "D": "none",
        "E": "none",
    }


def test_only_tier_big_is_big(con):
    rows = found(con, "big_customer")
    assert [name for name, (*_, is_big) in rows.items() if is_big] == ["A"]


def test_needs_of_the_last_90_days(grade):
    """The 90 days to 2026-05-31 are (2026-03-02, 2026-05-31]."""

    def ticket(number, customer, kind, day):
        return {
            "ticket_id": str(number),
            "customer_id": customer,
            "opened_at": f"{day}+00",
            "kind": kind,
        }

    graded = grade(
        {
            "tickets": [
                ticket(1, "A", "complaint", "2026-03-02 23:59:59"),
                ticket(2, "A", "consult", "2026-03-03 00:00:00"),
                ticket(3, "B", "consult", "2026-05-31 12:00:00"),
                ticket(4, "B", "complaint", "2026-03-03 00:00:00"),
                ticket(5, "C", "fault", "2026-05-31 12:00:00"),
                ticket(6, "D", None, "2026-05-31 12:00:00"),
            ]
        }
    )

    needs = graded.by_key("select customer_id, service_need from marts.service_level")
    assert needs == {"A": "consult", "B": "complaint", "C": "none", "D": "none"}


def test_discounts_of_the_categories_tiers(grade, order):
    given = {"transactions": [order("A", "2026-05-01", category="tea")]}

    graded = grade(given)
    assert {
        tier: str(ratio)
        for tier, ratio in graded.rows("select * from marts.category_discounts")
    } == {"A": "0.950000", "B": "0.900000", "C": "0.880000", "D": "0.800000"}

    address = "category_points.entitlements.D.pay_ratio"
    graded = grade(given, parameters={address: Decimal("0.75")})
    assert (
        str(graded.by_key("select tier, pay_ratio from marts.category_discounts")["D"])
        == "0.750000"
    )


def test_without_the_scheme_there_are_no_discounts():
    with duckdb.connect() as con:
        assert con.execute(category_discounts_select(())).fetchall() == []
