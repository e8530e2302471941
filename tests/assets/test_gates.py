"""The gates judge what lies in the warehouse and in the release that is written."""

import datetime

import duckdb
import pytest

from assets import gates
from assets.checks import GATED, quality_in
from ingest.load import load_feed
from project.folder import open_project
from runs.run import Run
from sql.contracts import contract, feeds
from sql.selects import select_of
from tests.staged import create_views

AS_OF = datetime.date(2026, 5, 31)
LOADED = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
SETTINGS = """\
name: shop
gates:
  fresh: {transactions: 2 days, tickets: 3 days}
  rows_fall: 50%
  tiers_move: 30%
"""
MOVES = [  # scheme, from, to, customers: 31 of 100 and 30 of 100 moved
    ("up_and_down", None, "gold", 500),
    ("up_and_down", "gold", "gold", 69),
    ("up_and_down", "gold", "silver", 20),
    ("up_and_down", "silver", "gold", 11),
    ("kinds", "a", "a", 70),
    ("kinds", "a", "b", 30),
]


@pytest.fixture
def run(tmp_path):
    """A run whose release is written: 3 days of sales, the last with few rows."""
    (tmp_path / "fenji.yaml").write_text(SETTINGS)
    file = tmp_path / "landing" / "transactions" / "may.csv"
    file.parent.mkdir(parents=True)
    days = [20] * 20 + [21] * 20 + [29] * 9
    file.write_text(
        "transaction_id,customer_id,occurred_at,amount\n"
        + "".join(f"{no},A,2026-05-{day}T12:00:00,1\n" for no, day in enumerate(days))
    )
    project = open_project(tmp_path)
    with duckdb.connect() as con:
        for feed in feeds().values():
            load_feed(con, project, feed, LOADED)
        create_views(con, project, AS_OF)
        con.execute("attach ':memory:' as release")
        for table in ("feed_reconciliation", "rejected_rows"):
            select = select_of(contract("marts", table))
            con.execute(f"create table release.main.{table} as {select}")
        con.execute(
            "create table release.main.tier_migrations"
            " (scheme text, from_tier text, to_tier text, n_customers bigint);"
            "create table release.main.scheme_tiers"
            " (scheme text, tier text, tier_rank integer);"
            "insert into release.main.scheme_tiers values ('up_and_down', 'gold', 1),"
            " ('up_and_down', 'silver', 2), ('kinds', 'a', null), ('kinds', 'b', null)"
        )
        con.executemany(
            "insert into release.main.tier_migrations values (?,?,?,?)", MOVES
        )
        yield Run(project, AS_OF, "key", "inputs", LOADED, con)


def stopped(results):
    return [gate.check_name for gate in results if gate.blocks]


def test_days_and_movement_are_judged_where_the_settings_ask_for_it(run):
    results = {gate.check_name: gate for gate in gates.judge(run)}
    assert stopped(results.values()) == [
        "fresh(tickets)",
        "rows_fall(transactions)",
        "tiers_move(up_and_down)",
    ]
    assert results["fresh(transactions)"].passed
    assert results["tiers_move(kinds)"].passed
    assert "9 rows of 2026-05-29, on average 20.0" in (
        results["rows_fall(transactions)"].observed
    )
    assert "31 of 100 customers (31.0%)" in results["tiers_move(up_and_down)"].observed


def test_what_is_accepted_stops_nothing(run):
    run.accept = True
    results = gates.judge(run)
    assert stopped(results) == []
    assert [gate.check_name for gate in results if gate.is_accepted] == [
        "fresh(tickets)",
        "rows_fall(transactions)",
        "tiers_move(up_and_down)",
    ]


def test_a_look_back_is_judged_by_nothing_but_what_no_release_has_shown(run):
    run.known_at = LOADED
    assert stopped(gates.judge(run)) == []


def test_what_a_release_has_shown_is_not_judged_again(run):
    run.con.execute("update raw.files set n_read = 200")
    run.con.execute("update release.main.feed_reconciliation set n_rejected = 100")
    run.con.execute(
        "insert into raw.rejected_rows by name select 'transactions' as feed,"
        " file_id, range as line_no, 'not_a_date' as reason_code, false as is_late"
        " from raw.files, range(151)"
    )
    assert "rejected(transactions)" in stopped(gates.judge(run))
    run.unpublished_since = LOADED + datetime.timedelta(seconds=1)
    assert "rejected(transactions)" not in stopped(gates.judge(run))


def test_gates_are_blocking_checks_of_the_release_in_dagster():
    specs = {
        spec.asset_key.path[-1]: spec
        for spec in quality_in(None).check_specs
        if spec.name == "gates"
    }
    assert specs.keys() == GATED.keys()
    assert all(spec.blocking for spec in specs.values())
