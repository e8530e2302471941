"""A file that was moved is one file, as if it had always lain where it is now."""

import csv
import datetime
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import forget as ingest_forget
from ingest import inputs, ledger
from ingest.landing import find_files
from ingest.load import load_feed
from ingest.raw_tables import prepare
from project.errors import ConfigurationError
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

PATHS = ("a.csv", "m/b.csv", "z.csv")
CONTENTS = (
    "T,1,A,2026-01-01,1\nT,1,A,2026-01-01,x\n",
    "T,1,A,2026-01-01,2\nU,,B,2026-01-01,1\n",
    "T,1,B,2026-01-01,1\nU,,B,2026-01-01,1\nU,,B,2026-01-01,1\n",
    None,  # nothing at all: the file is empty
)
# Between two loads: contents land, files are moved, copied and deleted.
EVENTS = st.lists(
    st.lists(
        st.one_of(
            st.tuples(
                st.just("land"), st.sampled_from(PATHS), st.sampled_from(CONTENTS)
            ),
            st.tuples(
                st.sampled_from(("move", "move", "copy")),
                st.sampled_from(PATHS),
                st.sampled_from(PATHS),
            ),
            st.tuples(st.just("delete"), st.sampled_from(PATHS), st.none()),
        ),
        min_size=1,
        max_size=2,
    ),
    min_size=1,
    max_size=3,
)


def landed(company, path):
    return company.root / "landing" / "transactions" / path


def move(company, path, to):
    target = landed(company, to)
    target.parent.mkdir(parents=True, exist_ok=True)
    landed(company, path).rename(target)


def seen(company):
    """All that a release would show of the files: rows, books, rejections."""
    create_views(company.con, company.project, END)
    return (
        company.rows(COUNTED),
        company.rows(f"from ({BOOKS}) order by all"),
        company.rows(f"from ({REJECTED}) order by all"),
    )


def load(company, name="transactions"):
    done = load_feed(company.con, company.project, feeds()[name], company.clock)
    company.clock += HOUR
    return done


def input_digest(company):
    prepare(company.con)
    return inputs.input_digest(
        company.project, find_files(company.project), company.con
    )


def play(company, event):
    what, path, other = event
    file = landed(company, path)
    if what == "land":
        company.land(f"transactions/{path}", HEAD + other if other else "")
    elif not file.exists() or path == other:
        return
    elif what == "delete":
        file.unlink()
    else:
        company.land(f"transactions/{other}", file.read_bytes())
        if what == "move":
            file.unlink()


@given(EVENTS)
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_only_the_set_of_files_counts_wherever_they_were(tmp_path_factory, events):
    company = Company(tmp_path_factory.mktemp("moved"))
    counted: dict[str, bytes] = {}
    first = [
        ("land", path, content)
        for path, content in zip(PATHS[:2], CONTENTS[:2], strict=True)
    ]
    for together in (first, *events):
        for event in together:
            play(company, event)
        digest = input_digest(company)
        load(company)
        assert input_digest(company) == digest
        standing = {
            path: landed(company, path).read_bytes()
            for path in PATHS
            if landed(company, path).exists()
        }
        # A file that is gone keeps its rows, unless an equal one stands elsewhere.
        ghosts = {
            path: content
            for path, content in counted.items()
            if content and path not in standing and content not in standing.values()
        }
        counted = standing | ghosts
    fresh = Company(tmp_path_factory.mktemp("fresh"))
    for path, content in counted.items():
        fresh.land(f"transactions/{path}", content)
    load(fresh)
    assert seen(company) == seen(fresh)
    assert input_digest(company) == input_digest(fresh)
    assert company.rows("select count(*) from raw.transactions") == fresh.rows(
        "select count(*) from raw.transactions"
    )
    company.con.close()
    fresh.con.close()


@pytest.fixture
def two_of_one_key(company):
    """Two files of which the later one counts."""
    company.land("transactions/a.csv", HEAD + "T,1,A,2026-01-01,1\nX,1,A,then,1\n")
    company.land("transactions/b.csv", HEAD + "T,1,A,2026-01-01,2\n")
    load(company)
    return company


def test_a_file_that_was_renamed_is_not_read_again(two_of_one_key):
    company = two_of_one_key
    numbers = company.rows("select file_id from raw.files order by all")
    move(company, "a.csv", "2026/a.csv")
    done = load(company)
    assert done.n_new == 0
    assert done.moved == (("transactions/a.csv", "transactions/2026/a.csv"),)
    assert done.vanished == ()
    assert company.rows("select file_id from raw.files order by all") == numbers
    assert company.books() == {
        "2026/a.csv": ("loaded", 2, 1, 0, 1),
        "b.csv": ("loaded", 1, 1, 0, 0),
    }
    assert load(company).moved == ()


def test_which_row_counts_follows_the_path(two_of_one_key):
    company = two_of_one_key
    assert seen(company)[0] == [("T", "1", "A", 2)]
    move(company, "a.csv", "c.csv")
    load(company)
    assert seen(company)[0] == [("T", "1", "A", 1)]
    move(company, "c.csv", "a.csv")
    load(company)
    assert seen(company)[0] == [("T", "1", "A", 2)]


def test_quarantine_names_a_moved_file_by_its_path(two_of_one_key):
    company = two_of_one_key
    long = "x" * 3_000_000
    company.land("transactions/l.csv", HEAD + f'L,1,A,"{long}\n, ""y",1\n')
    load(company)
    (before,) = (company.project.quarantine / "transactions").glob("*-l.csv.csv")
    kept = before.read_text()
    move(company, "l.csv", "m/n.csv")
    load(company)
    (after,) = (company.project.quarantine / "transactions").glob("*-m_n.csv.csv")
    csv.field_size_limit(10_000_000)
    was, now = (
        list(csv.DictReader([*text.splitlines(keepends=True)]))
        for text in (kept, after.read_text())
    )
    assert [row.pop("file") for row in was] == ["l.csv"]
    assert [row.pop("file") for row in now] == ["m/n.csv"]
    assert was == now
    assert not before.exists()
    assert after.stat().st_mode & 0o077 == 0


def test_of_two_equal_files_one_may_go(company):
    for name in ("a.csv", "b.csv"):
        company.land(f"transactions/{name}", HEAD + "T,,A,2026-01-01,1\n")
    load(company)
    landed(company, "a.csv").unlink()
    done = load(company)
    assert done.moved == (("transactions/a.csv", "transactions/b.csv"),)
    assert company.books() == {"b.csv": ("loaded", 1, 1, 0, 0)}


def test_a_file_that_moves_below_another_mapping_is_read_anew(company):
    company.settings(
        {
            "feeds": {
                "customers": [
                    {"files": "shop/*.csv", "constants": {"city": "Bern"}},
                    {"files": "web/*.csv", "constants": {"city": "Chur"}},
                ]
            }
        }
    )
    company.land("customers/shop/a.csv", "customer_id\n1\n")
    load(company, "customers")
    company.land("customers/web/a.csv", "customer_id\n1\n")
    (company.root / "landing/customers/shop/a.csv").unlink()
    done = load(company, "customers")
    assert (done.n_new, len(done.moved)) == (1, 1)
    assert company.rows("select customer_id, city from raw.customers") == [
        ("1", "Chur")
    ]
    assert list(company.books()) == ["web/a.csv"]


@pytest.mark.parametrize(
    ("feed", "other"), [("bills", "customers"), ("tickets", "bills")]
)
def test_a_file_may_move_to_another_feed(company, feed, other):
    content = (
        "customer_id,bill_month,amount,ticket_id,opened_at\n1,2026-01,1,T,2026-01-01\n"
    )
    company.land(f"{feed}/a.csv", content)
    load(company, feed)
    company.land(f"{other}/b.csv", content)
    (company.root / f"landing/{feed}/a.csv").unlink()
    before = input_digest(company)
    # Whichever of the two feeds is loaded first.
    done = {name: load(company, name) for name in sorted((feed, other))}
    assert done[feed].moved == ((f"{feed}/a.csv", f"{other}/b.csv"),)
    assert input_digest(company) == before
    assert company.rows("select feed, path from raw.files") == [(other, "b.csv")]
    assert company.rows(f"select count(*) from raw.{feed}") == [(0,)]


def test_a_feed_whose_folders_are_named_anew_keeps_one_of_each_file(company):
    company.land("customers/a.csv", "customer_id\n1\n")
    load(company, "customers")
    company.settings({"feeds": {"customers": [{"files": "x"}, {"folder": "landing"}]}})
    done = load(company, "customers")
    assert len(done.moved) == 1
    assert list(company.books()) == ["landing/customers/a.csv"]


def test_a_refused_file_that_is_gone_is_not_listed_any_more(company):
    company.land("transactions/a.pdf", "x")
    company.land("transactions/b.csv", HEAD + "T,1,A,2026-01-01,1\n")
    load(company)
    landed(company, "a.pdf").unlink()
    landed(company, "b.csv").unlink()
    done = load(company)
    assert done.vanished == ("b.csv",)
    assert list(company.books()) == ["b.csv"]


def test_a_file_that_vanished_is_told_by_every_load(two_of_one_key):
    company = two_of_one_key
    landed(company, "a.csv").unlink()
    for _ in range(2):
        done = load(company)
        assert (done.vanished, done.moved) == (("a.csv",), ())
    assert company.books()["a.csv"] == ("loaded", 2, 1, 0, 1)


def test_only_files_as_large_as_one_that_is_gone_are_opened(
    two_of_one_key, monkeypatch
):
    company = two_of_one_key
    opened = []
    hashed = ledger.content_digest
    monkeypatch.setattr(
        ledger, "content_digest", lambda file: opened.append(file.path) or hashed(file)
    )
    company.land("customers/other.csv", "customer_id\n1\n")
    shutil.move(landed(company, "b.csv"), landed(company, "c.csv"))
    known, files = ledger.entries(company.con), find_files(company.project)
    assert len(ledger.departures(known, files).moved) == 1
    assert opened == ["c.csv"]


def test_files_are_chosen_by_patterns_to_be_forgotten(company):
    for name in ("2025/a.csv", "2025/deep/b.csv", "2026/a.csv"):
        company.land(f"transactions/{name}", HEAD + "T,1,A,2026-01-01,1\n" + name)
    company.land("customers/2025/a.csv", "customer_id\n1\n")
    company.load("transactions", "customers")

    def found(*names, **only):
        files = ingest_forget.find(company.con, company.project, names, **only)
        return [f"{file.feed}/{file.path}" for file in files]

    assert found("2025/*") == ["customers/2025/a.csv", "transactions/2025/a.csv"]
    assert found("landing/transactions/2025/**") == [
        "transactions/2025/a.csv",
        "transactions/2025/deep/b.csv",
    ]
    assert found("b.cs?") == ["transactions/2025/deep/b.csv"]
    landed(company, "2026/a.csv").unlink()
    assert found(vanished=True) == ["transactions/2026/a.csv"]
    assert found("2025/*", "*.csv", vanished=True) == ["transactions/2026/a.csv"]
    with pytest.raises(ConfigurationError, match=r"2024/\*: no such file was loaded"):
        found("2025/*", "2024/*")
    assert company.forget("transactions/2025/**", "customers/2025/a.csv") == 3
    assert list(company.books()) == ["2026/a.csv"]


def test_to_forget_a_file_removes_what_it_held_where_it_lay_before(company):
    company.land("transactions/a.csv", HEAD + "SECRET,1,A,2026-01-01,1\n")
    load(company)
    company.land("transactions/a.csv", HEAD + "T,1,A,2026-01-01,1\n")
    load(company)
    move(company, "a.csv", "b.csv")
    load(company)
    # And an equal one that lay elsewhere.
    company.land("transactions/c.csv", landed(company, "b.csv").read_bytes())
    load(company)
    landed(company, "c.csv").unlink()
    load(company)
    assert company.rows("select count(*) from former.transactions") == [(2,)]
    company.forget("b.csv")
    assert company.rows("select count(*) from former.transactions") == [(0,)]
