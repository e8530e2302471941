"""The tiers that the service tables read."""

import duckdb
import pytest

from schemes.service_level import service_level_select

RESULTS = """
    create table marts.scheme_results as
    select * from (
        values
            ('A', 'high', 'general', 'big'),
            ('B', 'mid', 'high', 'other'),
            ('C', 'low', 'mid', null),
            ('D', null, null, null),
            ('E', 'unrated', 'unrated', 'unrated')
    ) as given (
        customer_id, spend_band__tier, service_level__tier, big_customer__tier
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
    return {name: (level, is_big) for name, level, is_big in rows}


def test_the_level_follows_the_spend_band(con):
    assert {name: level for name, (level, _) in found(con, "spend_band").items()} == {
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


def test_without_schemes_everybody_is_general_and_nobody_big(con):
    assert set(found(con).values()) == {("general", False)}


def test_only_tier_big_is_big(con):
    rows = found(con, "big_customer")
    assert [name for name, (_, is_big) in rows.items() if is_big] == ["A"]
