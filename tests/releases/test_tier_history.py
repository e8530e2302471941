"""What was known of whose tier when: stretches, restatements, releases in any order."""

import datetime

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sql.selects import quoted, text

CODES = ("gold", "silver", "bronze", "unrated")


@pytest.fixture
def con():
    with duckdb.connect() as opened:
        yield opened


def day(text_):
    return datetime.date.fromisoformat(f"2026-{text_}")


def minute(number):
    return f"2026-01-01 00:{number:02}"


def state(con, tiers, *, codes=CODES, schemes=None):
    """Put tiers, (customer, scheme[, scope]) → tier, where a run puts its results."""
    full = {(*key, "")[:3]: tier for key, tier in tiers.items()}
    running = schemes or sorted({scheme for _, scheme, _ in full})
    whole = [scheme for scheme in running if scheme != "points"]
    customers = sorted({customer for customer, _, _ in full})
    kind = f"enum({', '.join(text(code) for code in codes)})"
    columns = [f"{quoted(f'{scheme}__tier')} {kind}" for scheme in whole]
    con.execute(
        "create or replace table scheme_results"
        f" ({', '.join(['customer_id varchar', *columns])})"
    )
    for customer in customers:
        row = [full.get((customer, scheme, "")) for scheme in whole]
        marks = ", ".join("?" * (len(row) + 1))
        con.execute(f"insert into scheme_results values ({marks})", [customer, *row])
    con.execute(
        "create or replace table schemes as select unnest(?) as scheme,"
        " true as is_applicable",
        [running],
    )
    con.execute(
        "create or replace table customer_tiers (customer_id varchar, scheme varchar,"
        " scope varchar, tier varchar)"
    )
    for key, tier in full.items():
        con.execute("insert into customer_tiers values (?, ?, ?, ?)", [*key, tier])


def history(historian, customer="a", scheme="card"):
    """The stretches of one customer, as days and minutes."""
    rows = historian.rows(
        "select tier, strftime(valid_from, '%m-%d'), strftime(valid_to, '%m-%d'),"
        " minute(known_from), minute(known_to) from customer_tier_history"
        f" where customer_id = '{customer}' and scheme = '{scheme}'"
        " order by valid_from, known_from, scope"
    )
    return [tuple(row) for row in rows]


def publish(historian, con, on, tier, **more):
    state(con, {("a", "card"): tier} if tier else {("b", "card"): "gold"}, **more)
    historian.publish(con, day(on))


def test_one_stretch_goes_on_until_the_tier_is_another(historian, con):
    for on, tier in (("01-31", "gold"), ("02-28", "gold"), ("03-31", "silver")):
        publish(historian, con, on, tier)
    assert history(historian) == [
        ("gold", "01-31", "03-31", 1, None),
        ("silver", "03-31", None, 3, None),
    ]
    historian.agrees()


def test_what_is_said_again_changes_nothing(historian, con):
    publish(historian, con, "01-31", "gold")
    publish(historian, con, "02-28", "silver")
    before = history(historian)
    publish(historian, con, "02-28", "silver")
    publish(historian, con, "01-31", "gold")
    assert history(historian) == before
    rows = historian.rows("select statement_no, release_id from tier_statements")
    assert rows == [(1, "r1"), (2, "r2"), (3, "r3"), (4, "r4")]
    historian.agrees()


def test_a_correction_of_the_latest_date_keeps_what_was_said(historian, con):
    for on, tier in (("01-31", "gold"), ("02-28", "gold"), ("02-28", "bronze")):
        publish(historian, con, on, tier)
    assert history(historian) == [
        ("gold", "01-31", "02-28", 1, None),
        ("gold", "02-28", None, 1, 3),
        ("bronze", "02-28", None, 3, None),
    ]
    publish(historian, con, "03-31", "silver")
    assert history(historian)[-2:] == [
        ("bronze", "02-28", "03-31", 3, None),
        ("silver", "03-31", None, 4, None),
    ]
    historian.agrees()


def test_a_correction_of_the_only_date(historian, con):
    publish(historian, con, "01-31", "gold")
    publish(historian, con, "01-31", "bronze")
    assert history(historian) == [
        ("gold", "01-31", None, 1, 2),
        ("bronze", "01-31", None, 2, None),
    ]
    historian.agrees()


def test_a_correction_restates_its_own_stretch_only(historian, con):
    for on in ("01-31", "02-28", "03-31", "04-30"):
        publish(historian, con, on, "gold")
    publish(historian, con, "02-28", "bronze")
    assert history(historian) == [
        ("gold", "01-31", "02-28", 1, None),
        ("gold", "02-28", "03-31", 1, 5),
        ("bronze", "02-28", "03-31", 5, None),
        ("gold", "03-31", None, 1, None),
    ]
    # And back again: the correction stays readable as well.
    publish(historian, con, "02-28", "gold")
    assert history(historian)[2:4] == [
        ("bronze", "02-28", "03-31", 5, 6),
        ("gold", "02-28", "03-31", 6, None),
    ]
    historian.agrees()


def test_a_correction_within_a_stretch_that_is_over(historian, con):
    for on in ("01-31", "02-28", "03-31"):
        publish(historian, con, on, "gold")
    publish(historian, con, "04-30", "silver")
    publish(historian, con, "02-28", "bronze")
    assert history(historian) == [
        ("gold", "01-31", "02-28", 1, None),
        ("gold", "02-28", "03-31", 1, 5),
        ("bronze", "02-28", "03-31", 5, None),
        ("gold", "03-31", "04-30", 1, None),
        ("silver", "04-30", None, 4, None),
    ]
    historian.agrees()


def test_dates_may_be_graded_later(historian, con):
    publish(historian, con, "03-31", "gold")
    publish(historian, con, "01-31", "silver")
    publish(historian, con, "02-28", "bronze")
    assert history(historian) == [
        ("silver", "01-31", "02-28", 2, None),
        ("silver", "02-28", "03-31", 2, 3),
        ("bronze", "02-28", "03-31", 3, None),
        ("gold", "03-31", None, 1, None),
    ]
    historian.agrees()


def test_whoever_leaves_a_scheme_and_comes_back(historian, con):
    for on, tier in (("01-31", "gold"), ("02-28", None), ("03-31", "gold")):
        publish(historian, con, on, tier)
    assert history(historian) == [
        ("gold", "01-31", "02-28", 1, None),
        ("gold", "03-31", None, 3, None),
    ]
    # It was wrong that the customer had left: nothing is restated, something is added.
    publish(historian, con, "02-28", "bronze")
    assert history(historian)[1] == ("bronze", "02-28", "03-31", 4, None)
    publish(historian, con, "02-28", None)
    assert history(historian)[1] == ("bronze", "02-28", "03-31", 4, 5)
    historian.agrees()


def test_a_scheme_that_did_not_run_said_nothing(historian, con):
    state(con, {("a", "card"): "gold", ("a", "club"): "gold"})
    historian.publish(con, day("01-31"))
    state(con, {("a", "club"): "silver"})
    historian.publish(con, day("02-28"))
    assert history(historian) == [("gold", "01-31", None, 1, None)]
    state(con, {("a", "card"): "silver", ("a", "club"): "silver"})
    historian.publish(con, day("03-31"))
    assert history(historian) == [
        ("gold", "01-31", "03-31", 1, None),
        ("silver", "03-31", None, 3, None),
    ]
    # For the scheme, February is a date that nobody has graded yet.
    state(con, {("a", "card"): "bronze"})
    historian.publish(con, day("02-28"))
    assert history(historian)[:3] == [
        ("gold", "01-31", "02-28", 1, None),
        ("gold", "02-28", "03-31", 1, 4),
        ("bronze", "02-28", "03-31", 4, None),
    ]
    historian.agrees()


def test_a_new_scheme_version_may_have_other_tiers(historian, con):
    publish(historian, con, "01-31", "gold")
    state(
        con,
        {("a", "card"): "diamond", ("b", "card"): "gold"},
        codes=("diamond", "gold"),
    )
    historian.publish(con, day("02-28"))
    publish(historian, con, "03-31", "silver")
    assert history(historian) == [
        ("gold", "01-31", "02-28", 1, None),
        ("diamond", "02-28", "03-31", 2, None),
        ("silver", "03-31", None, 3, None),
    ]
    historian.agrees()


def test_tiers_about_a_scope_have_a_history_of_their_own(historian, con):
    points = [
        ("01-31", {"tea": "gold", "cups": "gold"}),
        ("02-28", {"tea": "silver", "cups": "gold"}),
        ("03-31", {"cups": "gold", "pots": "bronze"}),
        ("02-28", {"tea": "bronze", "cups": "gold"}),
    ]
    for on, of in points:
        tiers = {("a", "points", scope): tier for scope, tier in of.items()}
        state(con, {**tiers, ("a", "card"): "gold"})
        historian.publish(con, day(on))
    assert history(historian, scheme="points") == [
        ("gold", "01-31", None, 1, None),  # cups
        ("gold", "01-31", "02-28", 1, None),  # tea
        ("silver", "02-28", "03-31", 2, 4),
        ("bronze", "02-28", "03-31", 4, None),
        ("bronze", "03-31", None, 3, None),  # pots
    ]
    historian.agrees()


def test_where_nobody_has_a_tier_of_its_own_or_none_at_all(historian, con):
    """No scheme runs; then one about scopes alone; then none again."""
    state(con, {})
    historian.publish(con, day("01-31"))
    assert historian.rows("select * from customer_tier_history") == []
    state(con, {("a", "points", "tea"): "gold"})
    historian.publish(con, day("02-28"))
    state(con, {})
    historian.publish(con, day("03-31"))
    assert history(historian, scheme="points") == [("gold", "02-28", None, 2, None)]
    historian.agrees()


def test_what_does_not_change_is_not_written_again(historian, con):
    """A hundred customers in a scope and out of it; one of them moves."""
    tiers = {(f"c{n:02}", "card"): "gold" for n in range(100)}
    tiers |= {(f"c{n:02}", "points", "tea"): "gold" for n in range(100)}
    state(con, tiers)
    historian.publish(con, day("01-31"))
    state(con, tiers | {("c07", "card"): "silver"})
    historian.publish(con, day("02-28"))
    (counted,) = historian.rows(
        "select (select count(*) from open_tiers),"
        " (select count(*) from tier_stretches),"
        " (select count(*) from tier_stretches where scope = ''),"
        " (select count(*) from open_tiers where card__statement_no = 2)"
    )
    assert counted == (100, 101, 1, 1)


STATEMENTS = st.lists(
    st.tuples(
        st.integers(1, 6),  # the date
        st.sampled_from([("card",), ("card", "points"), ("card", "club", "points")]),
        st.dictionaries(
            st.tuples(
                st.sampled_from("abc"),
                st.sampled_from(
                    [("card", ""), ("club", ""), ("points", "tea"), ("points", "cups")]
                ),
            ),
            st.sampled_from(CODES),
        ),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(statements=STATEMENTS)
def test_any_dates_in_any_order(statements, new_historian):
    historian = new_historian()
    with duckdb.connect() as con:
        for on, schemes, stated in statements:
            tiers = {
                (customer, scheme, scope): tier
                for (customer, (scheme, scope)), tier in stated.items()
                if scheme in schemes
            }
            state(con, tiers, schemes=list(schemes))
            historian.publish(con, day(f"01-{on:02}"))
    historian.agrees()
