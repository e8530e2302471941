"""Columns of one key that several files give, against a dictionary that is filled."""

import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import changed_rows, known_files, merging
from ingest.drift import drift
from ingest.landing import find_files
from project.errors import ConfigurationError
from sql.contracts import feeds
from tests.ingest.conftest import BEGAN, END, Company
from tests.staged import create_views

MERGED = {"feeds": {"customers": {"merge": "columns"}}}
CRM = "customer_id,customer_name,region\n"
LOYALTY = "customer_id,is_member,birth_date\n"
SEEN = (
    "select customer_id, customer_name, region, is_member, birth_date::text"
    " from staging.customers order by all"
)


@pytest.fixture
def merged(company):
    """A company whose files of customers give columns side by side."""
    company.settings(MERGED)
    return company


def test_files_fill_each_others_columns(merged):
    merged.land("customers/crm/a.csv", CRM + "C1,Ann,north\nC2,Bob,south\n")
    merged.land("customers/loyalty/a.csv", LOYALTY + "C1,yes,1990-05-01\nC3,no,\n")
    merged.load("customers")
    assert merged.rows(SEEN) == [
        ("C1", "Ann", "north", True, "1990-05-01"),
        ("C2", "Bob", "south", None, None),
        ("C3", None, None, False, None),
    ]
    assert merged.books() == {
        "crm/a.csv": ("loaded", 2, 2, 0, 0),
        "loyalty/a.csv": ("loaded", 2, 2, 0, 0),
    }
    assert merged.rows("from raw.row_status") == []


def test_without_it_the_row_of_the_last_file_takes_the_place(company):
    company.land("customers/crm/a.csv", CRM + "C1,Ann,north\n")
    company.land("customers/loyalty/a.csv", LOYALTY + "C1,yes,1990-05-01\n")
    company.load("customers")
    assert company.rows(SEEN) == [("C1", None, None, True, "1990-05-01")]


def test_of_files_that_give_one_column_the_later_one_counts(merged):
    merged.land("customers/b.csv", "customer_id,region\nC1,west\n")
    merged.land("customers/a.csv", CRM + "C1,Ann,north\n")
    merged.land("customers/c.csv", "customer_id,is_member\nC1,yes\n")
    merged.load("customers")
    assert merged.rows(SEEN) == [("C1", "Ann", "west", True, None)]
    assert merged.rows("from raw.row_status") == []


def test_a_blank_says_that_there_is_nothing(merged):
    merged.land("customers/a.csv", CRM + "C1,Ann,north\n")
    merged.land("customers/b.csv", "customer_id,region\nC1,\n")
    merged.load("customers")
    assert merged.rows(SEEN) == [("C1", "Ann", None, None, None)]


def test_within_a_file_the_later_line_counts(merged):
    merged.land("customers/a.csv", CRM + "C1,Ann,north\nC1,Anna,\n")
    merged.land("customers/b.csv", LOYALTY + "C1,yes,\n")
    merged.load("customers")
    assert merged.rows(SEEN) == [("C1", "Anna", None, True, None)]
    assert merged.rows("select line_no, status from raw.row_status") == [
        (1, "superseded")
    ]


def test_a_row_that_says_the_same_again_is_a_duplicate(merged):
    merged.land("customers/1/crm.csv", CRM + "C1,Ann,north\nC2,Bob,south\n")
    merged.land("customers/1/loyalty.csv", LOYALTY + "C1,yes,\n")
    merged.land("customers/2/crm.csv", CRM + "C1,Ann,north\nC2,Bob,west\n")
    merged.land("customers/2/loyalty.csv", LOYALTY + "C1,yes,\n")
    merged.load("customers")
    assert merged.books() == {
        "1/crm.csv": ("loaded", 2, 2, 0, 0),
        "1/loyalty.csv": ("loaded", 1, 1, 0, 0),
        "2/crm.csv": ("loaded", 2, 1, 1, 0),
        "2/loyalty.csv": ("loaded", 1, 0, 1, 0),
    }
    assert [row[:3] for row in merged.rows(SEEN)] == [
        ("C1", "Ann", "north"),
        ("C2", "Bob", "west"),
    ]


def test_a_row_of_fewer_columns_is_none_though_it_says_nothing_else(merged):
    merged.land("customers/1.csv", CRM + "C1,,north\n")
    merged.land("customers/2.csv", "customer_id,region\nC1,north\n")
    merged.load("customers")
    assert all(book == ("loaded", 1, 1, 0, 0) for book in merged.books().values())


def test_a_row_that_takes_back_what_was_said_between_is_none(merged):
    merged.land("customers/1.csv", CRM + "C1,Ann,north\n")
    merged.land("customers/2.csv", "customer_id,region\nC1,west\n")
    merged.land("customers/3.csv", CRM + "C1,Ann,north\n")
    merged.load("customers")
    assert merged.rows(SEEN) == [("C1", "Ann", "north", None, None)]
    assert all(book == ("loaded", 1, 1, 0, 0) for book in merged.books().values())


def test_rows_of_nothing_but_a_key_name_a_customer(merged):
    merged.land("customers/a.csv", "customer_id\nC1\nC2\n")
    merged.land("customers/b.csv", "customer_id,region\nC1,north\n")
    merged.land("customers/c.csv", "customer_id\nC1\n")
    merged.load("customers")
    assert [row[:3] for row in merged.rows(SEEN)] == [
        ("C1", None, "north"),
        ("C2", None, None),
    ]
    assert merged.books()["c.csv"] == ("loaded", 1, 0, 1, 0)


def test_other_files_are_asked_once_one_is_forgotten_or_replaced(merged):
    merged.land("customers/a.csv", CRM + "C1,Ann,north\n")
    merged.land("customers/b.csv", "customer_id,region\nC1,west\n")
    merged.load("customers")
    merged.land("customers/b.csv", "customer_id,is_member\nC1,yes\n")
    merged.load("customers")
    assert merged.rows(SEEN) == [("C1", "Ann", "north", True, None)]
    merged.forget("a.csv")
    create_views(merged.con, merged.project, END)
    assert merged.rows(SEEN) == [("C1", None, None, True, None)]


def test_dates_are_those_of_the_merged_row(merged):
    # By itself the first row dates the customer; the second one says otherwise.
    merged.land("customers/a.csv", "customer_id,registered_at\nC1,2026-05-31\n")
    merged.land("customers/b.csv", "customer_id,region\nC1,north\nC2,south\n")
    merged.land("customers/c.csv", "customer_id,registered_at\nC1,2026-06-01\n")
    merged.load("customers")
    seen = "select customer_id, registered_date::text from staging.customers order by 1"
    assert merged.rows(seen) == [("C2", None)]
    create_views(merged.con, merged.project, datetime.date(2026, 6, 1))
    assert merged.rows(seen) == [("C1", "2026-06-01"), ("C2", None)]


def test_files_that_no_mapping_takes_are_merged_too(company):
    mapping = {"files": "crm/*.csv", "merge": "columns", "columns": {"region": "area"}}
    company.settings({"feeds": {"customers": [mapping]}})
    company.land("customers/crm/a.csv", "customer_id,area\nC1,north\n")
    company.land("customers/other/a.csv", "customer_id,is_member\nC1,yes\n")
    company.load("customers")
    assert company.rows(SEEN) == [("C1", None, "north", True, None)]


def test_all_files_are_read_again_once_it_is_asked_for(company):
    company.land("customers/a.csv", CRM + "C1,Ann,north\n")
    company.land("customers/b.csv", LOYALTY + "C1,yes,\n")
    company.load("customers")
    company.settings(MERGED)
    assert company.load_one("customers").n_new == 2
    assert company.rows(SEEN) == [("C1", "Ann", "north", True, None)]
    company.settings({})
    assert company.load_one("customers").n_new == 2
    assert company.rows(SEEN) == [("C1", None, None, True, None)]


def test_a_gone_file_that_was_read_before_stays_a_whole_row(company):
    company.land("customers/a.csv", CRM + "C1,Ann,north\nC2,Bob,west\n")
    company.load("customers")
    (company.root / "landing/customers/a.csv").unlink()
    company.settings(MERGED)
    company.land("customers/0.csv", LOYALTY + "C1,yes,1990-05-01\n")
    company.land("customers/b.csv", "customer_id,is_member\nC2,yes\n")
    company.load("customers")
    assert company.rows(SEEN) == [
        ("C1", "Ann", "north", None, None),
        ("C2", "Bob", "west", True, None),
    ]


def test_merged_rows_are_kept_while_the_files_are_the_same(merged):
    merged.land("customers/a.csv", CRM + "C1,Ann,north\n")
    merged.load("customers")
    table = merging.table_of(feeds()["customers"])
    merged.con.execute(f"update {table} set region = 'kept'")
    merged.load("customers")
    assert merged.rows(SEEN)[0][2] == "kept"
    merged.land("customers/b.csv", CRM + "C2,Bob,south\n")
    merged.load("customers")
    assert [row[2] for row in merged.rows(SEEN)] == ["north", "south"]


def test_no_column_is_missed_where_files_give_what_they_have(merged):
    merged.land("customers/a.csv", CRM + "C1,Ann,north\n")
    merged.load("customers")
    merged.clock = later = BEGAN + datetime.timedelta(days=1)
    merged.land("customers/b.csv", LOYALTY + "C1,yes,\n")
    merged.load("customers")
    assert drift(merged.con, merged.project, later).lost == ()


@pytest.mark.parametrize(
    ("feed", "why"),
    [
        ("transactions", "several rows of one id"),
        ("balances", "amounts that are converted"),
        ("assessments", "judged one by one"),
        ("bills", "no column that a file may leave"),
    ],
)
def test_it_is_refused_where_rows_are_no_pieces_of_one(company, feed, why):
    company.settings({"feeds": {feed: {"merge": "columns"}}})
    with pytest.raises(ConfigurationError) as refused:
        find_files(company.project)
    assert why in str(refused.value)
    assert f"feeds.{feed}.merge" in str(refused.value)


def test_it_is_refused_for_some_files_of_a_feed_alone(company):
    mappings = [{"files": "a.csv", "merge": "columns"}, {"files": "b.csv"}]
    company.settings({"feeds": {"customers": mappings}})
    with pytest.raises(ConfigurationError, match="another mapping of the feed has it"):
        find_files(company.project)


def test_a_file_that_goes_behind_another_has_the_last_word(merged):
    merged.land("customers/a.csv", CRM + "C1,Ann,north\n")
    merged.land("customers/b.csv", "customer_id,region,is_member\nC1,west,yes\n")
    merged.load("customers")
    changed_rows.remember(merged.con)
    folder = merged.root / "landing/customers"
    (folder / "a.csv").rename(folder / "c.csv")
    merged.load("customers")
    assert merged.rows(SEEN) == [("C1", "Ann", "north", True, None)]
    # Both rows count as before, and no row tells that another one speaks last.
    assert merged.rows("from raw.row_status") == []
    assert changed_rows.find(merged.con) is None


def test_what_was_known_earlier_is_merged_from_the_files_of_then(merged):
    merged.land("customers/a.csv", CRM + "C1,Ann,north\n")
    merged.land("customers/b.csv", "customer_id,region\nC1,west\n")
    merged.load("customers")
    then, merged.clock = merged.clock, merged.clock + datetime.timedelta(hours=1)
    merged.land("customers/b.csv", LOYALTY + "C1,yes,\n")
    merged.load("customers")
    assert merged.rows(SEEN) == [("C1", "Ann", "north", True, None)]
    con = merged.con
    con.execute("attach ':memory:' as known_at")
    con.execute("use known_at")
    known_files.make_raw(con, "memory", then)
    known_files.settle(con, feeds()["customers"])
    create_views(con, merged.project, END)
    assert merged.rows(SEEN) == [("C1", "Ann", "west", None, None)]


TICKETS = "ticket_id,customer_id,opened_at,"


def test_a_ticket_that_goes_to_another_customer_changes_both(company):
    company.settings({"feeds": {"tickets": {"merge": "columns"}}})
    company.land("tickets/a.csv", TICKETS + "kind\nT1,ann,2026-01-01,fault\n")
    company.load("tickets")
    changed_rows.remember(company.con)
    company.land("tickets/b.csv", TICKETS + "status\nT1,bob,2026-01-01,done\n")
    company.load("tickets")
    assert changed_rows.find(company.con) is not None
    assert set(company.column("select customer_id from temp.changed_rows")) == {
        "ann",
        "bob",
    }
    assert company.rows("select customer_id, kind, status from staging.tickets") == [
        ("bob", "fault", "done")
    ]


FILES = ("a.csv", "b.csv", "c/d.csv")
NAMES = ("customer_name", "region", "is_member")
VALUES = {"customer_name": ("Ann", "Bob"), "region": ("n", "s"), "is_member": (True,)}
CELLS = st.tuples(*(st.sampled_from([None, *VALUES[name]]) for name in NAMES))
CONTENTS = st.tuples(
    st.lists(st.sampled_from(NAMES), unique=True, max_size=3),
    st.lists(st.tuples(st.sampled_from(["C1", "C2", "C3"]), CELLS), max_size=3),
)
# A file gets new content, is forgotten, or goes to where another one stands.
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("land"), st.sampled_from(FILES), CONTENTS),
        st.tuples(st.just("forget"), st.sampled_from(FILES), st.none()),
        st.tuples(st.just("move"), st.sampled_from(FILES), st.sampled_from("0z")),
    ),
    min_size=1,
    max_size=5,
)


def text_of(content) -> str:
    """The file: its header, and the rows with the columns that it gives."""
    names, rows = content
    lines = [",".join(["customer_id", *names])]
    for customer, cells in rows:
        values = dict(zip(NAMES, cells, strict=True))
        given_cells = ("" if values[n] is None else str(values[n]) for n in names)
        lines.append(",".join([customer, *given_cells]))
    return "\n".join(lines) + "\n"


def expected(landed) -> dict:
    """Each customer as the files say, one after the other."""
    said: dict[str, dict] = {}
    for _, (names, rows) in sorted(landed.items(), key=lambda file: file[0].encode()):
        for customer, cells in rows:
            values = dict(zip(NAMES, cells, strict=True))
            whole = said.setdefault(customer, dict.fromkeys(NAMES))
            whole.update({name: values[name] for name in names})
    return {customer: tuple(whole.values()) for customer, whole in said.items()}


def shown(company) -> dict:
    columns = ", ".join(("customer_id", *NAMES))
    rows = company.rows(f"select {columns} from staging.customers")
    assert len(rows) == len({row[0] for row in rows})
    return {row[0]: row[1:] for row in rows}


def happen(company, landed, event) -> None:
    """Let something happen to a file, in the folder and in what is expected."""
    what, name, more = event
    path = f"customers/{name}"
    folder = company.root / "landing/customers"
    if what == "land":
        # With a remark of its own, so that no two files are equal: one would be moved.
        company.land(path, text_of(more) + "\n" * (1 + FILES.index(name)))
        landed[name] = more
    elif name not in landed:
        return
    elif what == "forget":
        (folder / name).unlink()
        if company.rows("from raw.files where path = $f", f=name):
            company.forget(f"customers/{name}")
        del landed[name]
    else:
        target = f"{more}{FILES.index(name)}.csv"
        if not (folder / target).exists():
            (folder / name).rename(folder / target)
            landed[target] = landed.pop(name)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(EVENTS)
def test_any_history_comes_to_what_the_files_say_in_their_order(
    tmp_path_factory, events
):
    company = Company(tmp_path_factory.mktemp("company"))
    company.settings(MERGED)
    landed: dict = {}
    company.load("customers")
    for number, event in enumerate(events):
        before = shown(company)
        changed_rows.remember(company.con)
        happen(company, landed, event)
        company.clock += datetime.timedelta(hours=1)
        company.load("customers")
        assert shown(company) == expected(landed), number
        company.books()
        found = changed_rows.find(company.con)
        others = {key for key, _ in {*shown(company).items()} ^ {*before.items()}}
        if found is not None:
            named = set(company.column("select customer_id from temp.changed_rows"))
            assert others <= named
    fresh = Company(tmp_path_factory.mktemp("fresh"))
    fresh.settings(MERGED)
    for name, content in landed.items():
        fresh.land(f"customers/{name}", text_of(content))
    fresh.load("customers")
    assert shown(fresh) == shown(company)
    assert fresh.books() == company.books()
    for made in (company, fresh):
        made.con.close()
