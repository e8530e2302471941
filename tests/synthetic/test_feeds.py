"""What the rows of all feeds have in common, and what makes them like a company's."""

import hashlib
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from sql.contracts import feeds
from synthetic.generator import UNTIL, generate

CUSTOMERS = 4000


@pytest.fixture(scope="module")
def company(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("feeds")
    generate(folder, customers=CUSTOMERS, flaws=False, file_format="parquet")
    return folder


@pytest.fixture(scope="module")
def con(company):
    with duckdb.connect() as opened:
        for feed in feeds():
            opened.execute(
                f"create view {feed} as from read_parquet("
                f"'{company}/landing/{feed}/*.parquet', union_by_name = true)"
            )
        yield opened


def one(con: duckdb.DuckDBPyConnection, sql: str):
    return con.execute(sql).fetchall()[0]


@pytest.mark.parametrize("feed", sorted(feeds()))
def test_keys_are_there_and_unique(con, feed):
    contract = feeds()[feed]
    key = ", ".join(f"coalesce({name}::varchar, '')" for name in contract.key)
    n_rows, n_keys = one(con, f"select count(*), count(distinct ({key})) from {feed}")
    assert n_rows == n_keys > 0
    for column in contract.columns:
        if column.required:
            assert one(con, f"select count(*) - count({column.name}) from {feed}") == (
                0,
            )


@pytest.mark.parametrize(
    "feed", sorted(name for name, feed in feeds().items() if feed.customer)
)
def test_customers_are_known(con, feed):
    assert one(
        con,
        f"select count(*) from {feed} where customer_id is not null"
        " and customer_id not in (select customer_id from customers)",
    ) == (0,)


@pytest.mark.parametrize(
    ("feed", "column", "other", "key"),
    [
        ("ticket_ratings", "ticket_id", "tickets", "ticket_id"),
        ("tickets", "asset_id", "installed_assets", "asset_id"),
        ("installed_assets", "parent_asset_id", "installed_assets", "asset_id"),
        ("reservations", "resource_id", "resources", "resource_id"),
        ("transactions", "currency", "exchange_rates", "currency"),
        ("wallet", "category", "transactions", "category"),
        ("tickets", "agent_id", "staff", "agent_id"),
        ("calls", "agent_id", "staff", "agent_id"),
        ("staff", "manager_id", "staff", "agent_id"),
        ("customers", "account_manager_id", "staff", "agent_id"),
    ],
)
def test_what_is_named_exists(con, feed, column, other, key):
    named, unknown = one(
        con,
        f"select count({column}), count(*) filter ({column} is not null and"
        f" {column} not in (select {key} from {other} where {key} is not null))"
        f" from {feed}",
    )
    assert named > 0
    assert unknown == 0


@pytest.mark.parametrize(
    ("feed", "day"),
    [
        (name, day)
        for name, feed in sorted(feeds().items())
        for day in feed.dated_by
        if name != "overrides"  # decisions are taken ahead
    ],
)
def test_nothing_is_dated_after_the_end(con, feed, day):
    assert one(con, f"select max({day}::date) from {feed}") <= (UNTIL,)


def test_closed_lists_hold(con):
    for feed, contract in feeds().items():
        given = [name for name, *_ in con.execute(f"describe {feed}").fetchall()]
        for column in contract.columns:
            if column.values and column.name in given:
                assert one(
                    con,
                    f"select count(*) from {feed}"
                    f" where {column.name}::varchar not in {tuple(column.values)!r}",
                ) == (0,)


def test_another_seed_changes_every_feed(company, tmp_path):
    generate(tmp_path, customers=CUSTOMERS, seed=2, flaws=False, file_format="parquet")

    def digests(folder: Path) -> dict[str, str]:
        return {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (folder / "landing").rglob("*.parquet")
        }

    ours, theirs = digests(company), digests(tmp_path)
    assert ours.keys() == theirs.keys()
    assert not [path for path, digest in ours.items() if theirs[path] == digest]


@pytest.mark.parametrize(
    ("feed", "time", "answered", "per"),
    [
        ("calls", "queued_at", "answered_at", "hour"),
        ("tickets", "opened_at", "first_response_at", "day"),
    ],
)
def test_whoever_comes_at_a_busy_time_waits_longer(con, feed, time, answered, per):
    busy, quiet = one(
        con,
        f"with loads as (select date_diff('second', {time}, {answered}) as waited,"
        f" count(*) over (partition by date_trunc('{per}', {time})) as n_now"
        f" from {feed}), cut as (select median(n_now) as n_often from loads)"
        " select avg(waited) filter (n_now >= 2 * n_often),"
        " avg(waited) filter (n_now <= n_often) from loads, cut",
    )
    assert busy > 2 * quiet


def test_callers_hang_up_rather_when_it_is_busy(con):
    busy, quiet = one(
        con,
        "with loads as (select is_abandoned, answered_at,"
        " count(*) over (partition by date_trunc('hour', queued_at)) as n_now"
        " from calls) select avg(is_abandoned::integer) filter (n_now >= 5),"
        " avg(is_abandoned::integer) filter (n_now <= 2) from loads",
    )
    assert 0 < quiet < busy < 0.6
    assert one(
        con, "select count(*) from calls where is_abandoned = (answered_at is not null)"
    ) == (0,)


def test_long_waits_are_rated_badly(con):
    late, soon = one(
        con,
        "select avg(score) filter (waited > 60), avg(score) filter (waited <= 60)"
        " from (select score, date_diff('minute', opened_at, first_response_at)"
        " as waited from ticket_ratings inner join tickets using (ticket_id)"
        " where dimension = 'response_speed')",
    )
    assert late < 2
    assert soon > 3.5


def test_points_lie_in_the_band_of_their_word(con):
    assert one(
        con,
        "select count(*) from assessments where not points between"
        " case when value in ('strong', 'high', 'large') then 10"
        " when value in ('top', 'very_important') then 15"
        " when value in ('senior', 'important') then 10"
        " when value = 'medium' then 5 else 0 end"
        " and case when value in ('strong', 'high', 'large') then 15"
        " when value in ('top', 'very_important') then 20"
        " when value in ('senior', 'important') then 14.9999"
        " when value = 'medium' then 9.9999"
        " when characteristic in ('executive_relation', 'strategic_importance')"
        " then 9.9999 else 4.9999 end",
    ) == (0,)


def test_the_word_for_growth_follows_from_the_number(con):
    assert con.execute(
        "select growth_pace, min(annual_growth_ratio), max(annual_growth_ratio)"
        " from customers where growth_pace is not null"
        " and annual_growth_ratio is not null group by all order by 2"
    ).fetchall() == [
        ("slow", Decimal("-0.10"), Decimal("0.04")),
        ("medium", Decimal("0.05"), Decimal("0.19")),
        ("fast", Decimal("0.20"), Decimal("0.38")),
    ]
    assert one(
        con,
        "select count(*) filter (party_type = 'person'"
        " and coalesce(growth_pace, annual_growth_ratio::varchar) is not null),"
        " count(annual_growth_ratio) filter (growth_pace is null) > 0,"
        " count(*) filter (party_type <> 'person' and income_class is not null),"
        " count(distinct income_class) from customers",
    ) == (0, True, 0, 6)


def test_everybody_on_the_staff_has_a_leader_who_is_an_expert(con):
    assert one(
        con,
        "select count(*) filter (staff.manager_id is null), count(distinct staff.team),"
        " count(*) filter (leaders.level <> 'expert' or leaders.team <> staff.team)"
        " from staff left join staff as leaders on staff.manager_id = leaders.agent_id",
    ) == (4, 4, 0)


def test_decisions_begin_later_end_or_have_no_end(con):
    assert all(
        n_rows > 0
        for n_rows in one(
            con,
            f"select count(*) filter (starts_on > date '{UNTIL}'),"
            f" count(*) filter (ends_on < date '{UNTIL}'),"
            " count(*) filter (ends_on is null), count(*) filter (tier is not null)"
            " from overrides",
        )
    )


def test_money_comes_in_several_currencies(con):
    assert one(con, "select list_sort(list(distinct currency)) from transactions") == (
        ["EUR", "GBP", None],
    )
    assert one(con, "select list_sort(list(distinct currency)) from balances") == (
        ["CNY", "USD"],
    )
    first_rate, first_sale = one(
        con,
        "select (select max(first) from (select min(rate_date) as first"
        " from exchange_rates group by currency)),"
        " (select min(occurred_at)::date from transactions)",
    )
    assert first_rate < first_sale
