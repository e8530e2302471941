"""The rows that counted at an earlier time, and what is kept for whoever asks."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import known_files, replaced_files
from project.errors import RunError
from sql.contracts import contract, feeds
from sql.selects import select_of
from tests.ingest.conftest import END, Company
from tests.staged import create_views

HOUR = datetime.timedelta(hours=1)
HEAD = "transaction_id,line_no,customer_id,occurred_at,amount\n"
COUNTED = (
    "select transaction_id, line_no, customer_id, amount::integer"
    " from staging.transactions order by all"
)
BOOKS = select_of(contract("marts", "feed_reconciliation"))
REJECTED = select_of(contract("marts", "rejected_rows"))
FEEDS = ("transactions", "customers")

FILES = ("a.csv", "b.csv", "sub/c.csv")
LINES = st.sampled_from(
    [
        f"{transaction},{number},{customer},2026-01-01,{amount}\n"
        for transaction in ("T", "U")
        for number in ("", "1")
        for customer in ("", "A", "B")
        for amount in (1, 2, "x")
    ]
)
# What happens in an hour: to a file, its new lines, or None where it is forgotten.
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(FILES), st.one_of(st.none(), st.lists(LINES, max_size=4))
    ),
    min_size=1,
    max_size=6,
)


@contextmanager
def looking_back(company: Company, at: datetime.datetime) -> Iterator[None]:
    """The company's connection shows what was known at the time."""
    con = company.con
    con.execute("attach ':memory:' as known_at")
    con.execute("use known_at")
    try:
        known_files.make_raw(con, "memory", at)
        for name in FEEDS:
            known_files.settle(con, feeds()[name])
        create_views(con, company.project, END)
        yield
    finally:
        con.execute("use memory")
        con.execute("detach known_at")


def seen(company: Company) -> tuple[list[tuple], ...]:
    """All that a release would show of the files: rows, books, rejections."""
    return (
        company.rows(COUNTED),
        company.rows(f"from ({BOOKS}) order by all"),
        company.rows(f"from ({REJECTED}) order by all"),
    )


@given(EVENTS)
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_time_is_seen_as_it_was(tmp_path_factory, events):
    company = Company(tmp_path_factory.mktemp("known"))
    was: list[tuple[datetime.datetime, tuple, set[str]]] = []
    forgotten: dict[str, datetime.datetime] = {}
    for file, lines in events:
        path = company.root / "landing/transactions" / file
        if lines is not None:
            company.land(f"transactions/{file}", HEAD + "".join(lines))
        elif path.exists():
            path.unlink()
            company.forget(file)
            forgotten[file] = company.clock
        company.load(*FEEDS)
        there = set(company.column("select path from raw.files"))
        was.append((company.clock, seen(company), there))
        company.clock += HOUR
    for at, shown, there in was:
        gone = {file for file in there if forgotten.get(file, at) > at}
        with looking_back(company, at):
            assert known_files.missing(company.con) == tuple(
                f"transactions/{file}" for file in sorted(gone)
            )
            if not gone:
                assert seen(company) == shown
    company.con.close()


def test_times_between_loads_show_the_load_before(company):
    company.land("transactions/a.csv", HEAD + "T,1,A,2026-01-01,1\n")
    company.load(*FEEDS)
    began = company.clock
    company.clock += HOUR
    company.land("transactions/a.csv", HEAD + "T,1,A,2026-01-01,2\n")
    company.load(*FEEDS)
    moment = datetime.timedelta(microseconds=1)
    for at, amounts in {
        began - moment: [],
        began: [1],
        began + HOUR - moment: [1],
        began + HOUR: [2],
        began + 100 * HOUR: [2],
    }.items():
        with looking_back(company, at):
            assert [row[3] for row in company.rows(COUNTED)] == amounts


def test_former_rows_lie_apart_and_count_nowhere(company):
    company.land(
        "transactions/a.csv", HEAD + "T,1,A,2026-01-01,1\nT,2,A,2026-01-01,x\n"
    )
    company.load(*FEEDS)
    company.land("transactions/a.csv", HEAD + "T,1,A,2026-01-01,2\n")
    company.load(*FEEDS)
    assert company.rows(COUNTED) == [("T", "1", "A", 2)]
    assert company.books() == {"a.csv": ("loaded", 1, 1, 0, 0)}
    assert company.column("select count(*) from former.transactions") == [1]
    assert company.column("select count(*) from former.rejected_rows") == [1]
    assert company.column("select file_id from raw.former_files") == [1]


def test_files_are_seen_where_they_lay_then(company):
    one, two = (HEAD + f"T,1,A,2026-01-01,{amount}\n" for amount in (1, 2))
    company.land("transactions/a.csv", one)
    company.land("transactions/b.csv", two)
    company.land("transactions/equal.csv", two)
    was = []

    def load():
        company.load(*FEEDS)
        was.append((company.clock, seen(company)))
        company.clock += HOUR

    folder = company.root / "landing" / "transactions"
    load()
    (folder / "equal.csv").unlink()
    load()
    (folder / "a.csv").rename(folder / "c.csv")  # now it is the one that counts
    load()
    company.land("transactions/c.csv", HEAD + "T,1,A,2026-01-01,3\n")
    load()
    (folder / "c.csv").rename(folder / "a.csv")
    load()
    assert [shown[0][0][3] for _, shown in was] == [2, 2, 1, 3, 2]
    for at, shown in was:
        with looking_back(company, at):
            assert seen(company) == shown


def test_nothing_is_kept_of_files_that_never_changed(company):
    company.land("transactions/a.csv", HEAD + "T,1,A,2026-01-01,1\n")
    company.load(*FEEDS)
    company.load(*FEEDS)
    assert company.column("select count(*) from raw.former_files") == [0]
    assert (
        company.column(
            "select schema_name from duckdb_schemas() where schema_name = 'former'"
        )
        == []
    )


def test_to_forget_a_file_removes_its_former_rows_too(company):
    for amount in (1, 2, 3):
        company.land("transactions/a.csv", HEAD + f"T,1,A,2026-01-01,{amount}\n,,,,\n")
        company.load(*FEEDS)
        company.clock += HOUR
    assert company.forget("a.csv") == 1
    assert company.column("select count(*) from former.transactions") == [0]
    assert company.column("select count(*) from former.rejected_rows") == [0]
    assert company.rows(
        "select file_id, is_kept, replaced_at = $now from raw.former_files"
        " order by all",
        now=company.clock,
    ) == [(1, False, False), (2, False, False), (3, False, True)]
    # The number of what is forgotten is not given again.
    company.load(*FEEDS)
    assert company.column("select file_id from raw.files") == [4]


def test_rows_of_replaced_files_go_when_their_time_is_up(company):
    replaced_at = []
    for amount in (1, 2, 3):
        company.land("transactions/a.csv", HEAD + f"T,1,A,2026-01-01,{amount}\n")
        company.load(*FEEDS)
        replaced_at.append(company.clock)
        company.clock += HOUR
    replaced_files.remove_older(company.con, replaced_at[1])
    assert company.column("select amount::integer from former.transactions") == [1, 2]
    replaced_files.remove_older(company.con, replaced_at[2])
    assert company.column("select amount::integer from former.transactions") == [2]
    with looking_back(company, replaced_at[0]):
        assert company.rows(COUNTED) == []
        assert known_files.missing(company.con) == ("transactions/a.csv",)
    with looking_back(company, replaced_at[1]):
        assert company.rows(COUNTED) == [("T", "1", "A", 2)]


def test_a_feed_that_has_grown_keeps_its_former_rows(company):
    """A newer version of Fenji adds columns to a feed."""
    for amount in (1, 2):
        company.land("transactions/a.csv", HEAD + f"T,1,A,2026-01-01,{amount}\n")
        company.load(*FEEDS)
    company.con.execute("alter table raw.transactions add column more integer")
    company.land("transactions/a.csv", HEAD + "T,1,A,2026-01-01,3\n")
    company.load(*FEEDS)
    assert company.rows(
        "select amount::integer, more from former.transactions order by all"
    ) == [(1, None), (2, None)]


def test_the_digest_of_a_time_is_that_of_its_files(tmp_path):
    company = Company(tmp_path)
    company.project.data.mkdir()
    company.con.close()
    company.con = duckdb.connect(str(company.project.warehouse))
    times = []
    for amount in (1, 2, 1):
        company.land("transactions/a.csv", HEAD + f"T,1,A,2026-01-01,{amount}\n")
        company.load(*FEEDS)
        times.append(company.clock)
        company.clock += HOUR
    company.con.close()
    first, second, third = (known_files.digest(company.project, at) for at in times)
    assert first == third != second
    with known_files.opened(company.project, times[1]) as con:
        known_files.settle(con, feeds()["transactions"])
        create_views(con, company.project, END)
        assert con.execute(COUNTED).fetchall() == [("T", "1", "A", 2)]
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            con.execute("delete from warehouse.raw.transactions")
    with pytest.raises(RunError, match="no file had been loaded by"):
        known_files.digest(company.project, times[0] - HOUR)
