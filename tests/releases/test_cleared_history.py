"""History without retracted releases: as if they had never been published."""

import datetime

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releases.cleared_history import clear
from tests.releases.test_tier_history import STATEMENTS, day, state

ROWS = (
    "select customer_id, scheme, scope, tier, valid_from, valid_to,"
    " known_from, known_to from customer_tier_history order by all"
)


def publish(historian, on, schemes, stated):
    tiers = {
        (customer, scheme, scope): tier
        for (customer, (scheme, scope)), tier in stated.items()
        if scheme in schemes
    }
    with duckdb.connect() as con:
        state(con, tiers, schemes=list(schemes))
        historian.publish(con, day(f"01-{on:02}"))


def told(path):
    """The stretches of a history, their times as ranks among its statements."""
    with duckdb.connect(str(path), read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        times = con.execute(
            "select published_at from storage.tier_statements order by statement_no"
        ).fetchall()
        rank = {time: number for number, (time,) in enumerate(times)} | {None: None}
        return [
            (*key, rank[since], rank[until])
            for *key, since, until in con.execute(ROWS).fetchall()
        ]


def names(path):
    with duckdb.connect(str(path), read_only=True) as con:
        rows = con.execute(
            "select release_id from storage.tier_statements order by statement_no"
        ).fetchall()
    return [name for (name,) in rows]


def cleared(historian, gone, folder, *, from_the_beginning):
    """The history in the last release that stands, without those that are gone."""
    n_all = len(historian.stated)
    last = max(number for number in range(1, n_all + 1) if number not in gone)
    before = [number for number in range(1, min(gone)) if number not in gone]
    begin = None
    if before and not from_the_beginning:
        begin = historian.folder / f"{before[-1]}.duckdb"
    made = folder / "cleared.duckdb"
    source = historian.folder / f"{last}.duckdb"
    clear(source, made, {f"r{number}" for number in gone}, begin=begin)
    return made


@settings(max_examples=15, deadline=None)
@given(
    statements=STATEMENTS,
    chosen=st.sets(st.integers(1, 8), min_size=1, max_size=3),
    from_the_beginning=st.booleans(),
)
def test_it_is_the_history_of_the_others(
    statements, chosen, from_the_beginning, new_historian
):
    full, others = new_historian(), new_historian()
    gone = {number for number in chosen if number <= len(statements)}
    for number, statement in enumerate(statements, 1):
        publish(full, *statement)
        if number not in gone:
            publish(others, *statement)
    if not gone or not others.stated:
        return
    folder = new_historian().folder
    made = cleared(full, gone, folder, from_the_beginning=from_the_beginning)
    assert told(made) == told(others.last)
    assert names(made) == [
        f"r{number}" for number in range(1, len(statements) + 1) if number not in gone
    ]
    assert [path.name for path in folder.iterdir()] == ["cleared.duckdb"]


@pytest.mark.parametrize("from_the_beginning", [True, False])
def test_stretches_that_it_ended_are_open_again(
    historian, tmp_path, from_the_beginning
):
    """Gold, wrongly bronze on 28 February, and nobody at all on 31 March; then gold."""
    card = [("a", ("card", ""))]
    for on, tiers in ((1, ["gold"]), (2, ["bronze"]), (3, []), (4, ["gold"])):
        publish(historian, on, ("card",), dict(zip(card, tiers, strict=False)))
    made = cleared(historian, {2, 3}, tmp_path, from_the_beginning=from_the_beginning)
    assert told(made) == [("a", "card", "", "gold", day("01-01"), None, 0, None)]


def test_who_only_said_the_same_goes_on_saying_it(historian, tmp_path):
    """Silver was said wrongly first, and then rightly: only the first is taken out."""
    silver = {("a", ("card", "")): "silver"}
    publish(historian, 1, ("card",), {("a", ("card", "")): "gold"})
    publish(historian, 1, ("card",), silver)
    publish(historian, 1, ("card",), silver)
    made = cleared(historian, {2}, tmp_path, from_the_beginning=False)
    assert told(made) == [
        ("a", "card", "", "gold", day("01-01"), None, 0, 1),
        ("a", "card", "", "silver", day("01-01"), None, 1, None),
    ]
    with duckdb.connect(str(made), read_only=True) as con:
        (known,) = con.execute(
            "select known_from from customer_tier_history where tier = 'silver'"
        ).fetchone()
    assert known == historian.stated[2].published_at
    assert isinstance(known, datetime.datetime)
