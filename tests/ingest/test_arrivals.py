"""Late, corrected, duplicate and replaced rows are told apart by counts."""

import datetime

import pytest

from ingest.arrivals import TABLE, Arrivals, make_arrivals
from tests.ingest.correcting import mend, written

HEAD = "transaction_id,customer_id,occurred_at,amount\n"
DAY = datetime.timedelta(days=1)
STATED = datetime.date(2026, 5, 31)
NOTHING = Arrivals("transactions", STATED, *(0,) * 10)


@pytest.fixture
def shop(company):
    """A company of which a release was published for the last of May."""
    company.con.execute("create schema marts")
    company.land("transactions/may.csv", f"{HEAD}1,A,2026-05-01,1\n2,A,2026-05-02,2\n")
    company.land("customers/all.csv", "customer_id\nA\n")
    company.load("transactions", "customers")
    company.clock += DAY
    return company


def came(company, *, loads=True, since=None, until=STATED):
    """What came since the fixture's release, after loading once more."""
    if loads:
        company.load("transactions", "customers")
    return {
        found.feed: found
        for found in make_arrivals(
            company.con, since=since or company.clock, stated_until=until
        )
    }


def test_before_the_first_release_nothing_can_be_late(shop):
    made = make_arrivals(shop.con, since=None, stated_until=None)
    assert made == (
        Arrivals("customers", None, 1, 0, 1, 1, None, 0, 0, 0, 0, 0),
        Arrivals("transactions", None, 1, 0, 2, 2, None, 0, 0, 0, 0, 0),
    )
    names = vars(made[0])
    assert shop.rows(f"select {', '.join(names)} from marts.{TABLE} order by feed") == [
        tuple(vars(row).values()) for row in made
    ]


def test_where_nothing_came_there_is_no_row(shop):
    assert came(shop) == {}
    assert shop.rows(f"from marts.{TABLE}") == []


@pytest.mark.parametrize(
    ("day", "n_late"),
    [("2026-05-30", 1), ("2026-05-31", 1), ("2026-06-01", 0)],
)
def test_late_is_what_a_release_of_its_day_went_without(shop, day, n_late):
    shop.land("transactions/new.csv", f"{HEAD}9,A,{day},1\n")
    assert came(shop)["transactions"].n_late == n_late


def test_the_day_is_that_of_the_business_zone(shop):
    shop.settings({"timezone": "Asia/Shanghai"})
    came(shop)  # the zone is other than it was: all is read anew
    shop.clock += DAY
    shop.land(
        "transactions/new.csv",
        f"{HEAD}8,A,2026-05-31T15:59:59Z,1\n9,A,2026-05-31T16:00:00Z,1\n",
    )
    assert came(shop)["transactions"].n_late == 1


def test_duplicates_and_rejected_rows_are_not_late(shop):
    shop.land(
        "transactions/new.csv",
        f"{HEAD}1,A,2026-05-01,1\n3,A,2026-05-03,x\n4,A,2026-05-04,4\n",
    )
    found = came(shop)["transactions"]
    assert (found.n_read, found.n_duplicate, found.n_rejected) == (3, 1, 1)
    assert (found.n_loaded, found.n_late) == (1, 1)


def test_feeds_without_days_have_no_late_rows(shop):
    shop.land("staff/all.csv", "agent_id,team\nB,north\n")
    shop.load("staff")
    assert came(shop) == {
        "staff": Arrivals("staff", STATED, 1, 0, 1, 1, None, 0, 0, 0, 0, 0)
    }


def test_of_a_changed_file_only_what_it_had_not_before_is_late(shop):
    # One row stays, one changes, one comes twice of which one was there, one is later.
    shop.land(
        "transactions/may.csv",
        f"{HEAD}1,A,2026-05-01,1\n1,A,2026-05-01,1\n2,A,2026-05-02,20\n"
        "3,A,2026-06-01,3\n",
    )
    assert came(shop)["transactions"] == Arrivals(
        "transactions", STATED, 1, 0, 4, 4, 2, 0, 0, 0, 0, 2
    )


def test_what_came_and_went_between_two_releases_counts_once(shop):
    since = shop.clock
    before = came(shop)
    assert before == {}
    for amount in (20, 30):
        shop.land("transactions/may.csv", f"{HEAD}1,A,2026-05-01,{amount}\n")
        shop.load("transactions")
        shop.clock += DAY
    found = came(shop, since=since)["transactions"]
    assert (found.n_read, found.n_late, found.n_replaced) == (1, 1, 2)


def test_corrections_count_where_they_are_new(shop):
    shop.land("transactions/june.csv", f"{HEAD}5,A,soon,5\n6,A,then,6\n")
    assert came(shop)["transactions"].n_corrected == 0
    written(shop)
    shop.clock += DAY
    retry = "transactions/june.csv.retry.csv"
    mend(shop, retry, {1: {"occurred_at": "2026-05-05"}})
    # Two files were read: the correction file, and the one that it corrects.
    assert came(shop)["transactions"] == Arrivals(
        "transactions", STATED, 2, 0, 4, 1, 1, 0, 1, 2, 1, 2
    )
    shop.clock += DAY
    mend(shop, retry, {2: {"occurred_at": "2026-06-05"}})
    found = came(shop)["transactions"]
    assert (found.n_late, found.n_corrected) == (0, 1)


def test_refused_files_are_files_without_rows(shop):
    shop.land("transactions/new.csv", "Colour\nred\n")
    assert came(shop)["transactions"] == Arrivals(
        "transactions", STATED, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0
    )
