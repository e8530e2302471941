"""Whose benefits change: those that are for a flag change for who has the flag."""

import duckdb
import pytest

from pipelines.whatif.moves import Comparison, Graded

GRADED = Graded("card", "Card", False, "1", "2", {"big": 1, "other": 2})
# Two customers were big and stay so, one becomes big, one is lost.
FORMER = "('p', 'big', false), ('g', 'big', true), ('new', 'other', true),"
FORMER += " ('lost', 'big', true)"
LATTER = "('p', 'big', false), ('g', 'big', true), ('new', 'big', true),"
LATTER += " ('lost', 'other', true)"
MAKE = """
attach ':memory:' as published;
create schema published.storage;
create schema marts;
create schema core;
create table core.customer_metrics (
    customer_id varchar, spend_12m_amount decimal(18, 2)
);
create table published.storage.scheme_results as
select * from (values {former})
    as rows_of (customer_id, card__tier, card__flag_as_group);
create table marts.scheme_results as
select * from (values {latter})
    as rows_of (customer_id, card__tier, card__flag_as_group);
create table published.main.entitlements as select * from (values {published})
    as rows_of (scheme, tier, benefit, value, flag);
create table marts.scheme_benefits as select * from (values
    ('card', 'big', 'pbx', 'groups', 'as_group'),
    ('card', 'big', 'priority', 'always', null)
) as rows_of (scheme, tier, benefit, value, flag);
"""
SAME = "('card', 'big', 'pbx', 'groups', 'as_group'),"
SAME += " ('card', 'big', 'priority', 'always', null)"
FOR_ALL = (
    "('card', 'big', 'pbx', 'groups', null), ('card', 'big', 'priority', 'x', null)"
)


def changes(published, *, drop=()):
    """Benefit → who gains, loses, has another value of it."""
    with duckdb.connect() as con:
        con.execute(MAKE.format(former=FORMER, latter=LATTER, published=published))
        for statement in drop:
            con.execute(statement)
        found = Comparison(con).moves_of(GRADED).benefits
    return {
        change.benefit: (change.n_gained, change.n_lost, change.n_changed)
        for change in found
    }


def test_only_who_has_the_flag_gains_or_loses():
    assert changes(SAME) == {"pbx": (1, 1, 0), "priority": (1, 1, 0)}


@pytest.mark.parametrize(
    "drop",
    [
        (),
        # A release of an earlier version knows neither the flag nor what it is for.
        (
            "alter table published.main.entitlements drop column flag",
            (
                "alter table published.storage.scheme_results"
                " drop column card__flag_as_group"
            ),
        ),
    ],
)
def test_who_lacks_the_flag_loses_what_all_of_the_tier_had(drop):
    """p and lost had it; g keeps it, new gains it."""
    assert changes(FOR_ALL, drop=drop) == {
        "pbx": (1, 2, 0),
        "priority": (1, 1, 2),
    }
