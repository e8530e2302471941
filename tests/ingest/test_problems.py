"""Like problems are one line with a count and a place to look at."""

import datetime

import duckdb
import pytest

from ingest.problems import Problem, nothing_loaded, refused_files, rejected_rows
from ingest.rejections import REASONS, WAYS_OUT
from sql.contracts import contract
from sql.selects import select_of

HEAD = "transaction_id,occurred_at,amount\n"


@pytest.fixture
def troubled(company):
    for day in range(1, 6):
        company.land(f"transactions/{day}.csv", f"{HEAD}{day},2026-01-01,1\n")
    company.land("transactions/3.csv", f"{HEAD}3,2026-01-01,1\n4,then,2\n5,2026,x\n")
    company.land("transactions/4.csv", f"{HEAD}6,now,1\n")
    for name in ("b.pdf", "a.pdf", "c.csv"):
        company.land(f"transactions/{name}", "no\nheader\n")
    company.load("transactions")
    return company


def test_files_that_are_refused_for_one_reason_are_one_line(troubled):
    unknown, header = refused_files(troubled.con)
    assert unknown == Problem(
        "refused",
        "transactions",
        "is of an unknown kind (.pdf)",
        None,
        2,
        "a.pdf",
        None,
    )
    assert (header.n, header.file) == (1, "c.csv")
    assert unknown.place(troubled.project) == "landing/transactions/a.pdf"


def test_rows_that_are_rejected_for_one_reason_are_one_line(troubled):
    assert rejected_rows(troubled.con) == (
        Problem("rejected", "transactions", "not_a_date", "occurred_at", 3, "3.csv", 2),
    )
    (problem,) = rejected_rows(troubled.con)
    assert problem.place(troubled.project) == (
        "landing/transactions/3.csv:2 occurred_at"
    )


def test_only_what_was_read_now_is_counted_where_that_is_asked(troubled):
    troubled.clock += datetime.timedelta(days=1)
    troubled.land("transactions/9.csv", f"{HEAD},2026-01-01,1\n")
    troubled.load("transactions")
    assert refused_files(troubled.con, since=troubled.clock) == ()
    (problem,) = rejected_rows(troubled.con, since=troubled.clock)
    assert (problem.reason, problem.n, problem.file) == ("required_missing", 1, "9.csv")
    assert len(rejected_rows(troubled.con)) == 2


def test_a_release_tells_the_same_as_the_warehouse(troubled):
    with duckdb.connect() as release:
        for table in ("feed_reconciliation", "rejected_rows"):
            file = str(troubled.root / f"{table}.parquet")
            rows = troubled.con.sql(select_of(contract("marts", table)))
            rows.write_parquet(file)
            release.execute(f"create table main.{table} as from '{file}'")
        for told in (refused_files, rejected_rows):
            assert told(release, is_release=True) == told(troubled.con)


def test_places_name_the_folder_that_the_file_lies_in(company):
    company.settings(
        {"feeds": {"customers": [{"folder": "in"}, {"folder": "out", "files": "*.x"}]}}
    )
    for name in ("in", "out"):
        company.land(f"../{name}/a.csv", "x\n1\n")
    company.load("customers")
    places = [problem.place(company.project) for problem in refused_files(company.con)]
    assert sorted(places) == ["in/a.csv", "out/a.csv"]


def test_why_nothing_could_be_loaded_is_one_line_with_the_way_out(company):
    for name in ("a.csv", "b.csv", "c.csv"):
        company.land(f"transactions/{name}", HEAD + "1,31.1.2026,1\n2,1.2.2026,1\n")
    company.land("transactions/d.csv", HEAD + "1,2026-01-01,1'000\n,2026-01-01,1\n")
    company.land("transactions/e.csv", "no,header\n1,2\n")
    company.load("transactions")
    told = nothing_loaded(company.con, company.project)
    folder = "landing/transactions"
    parts = [
        (
            f"nothing could be loaded of {folder}/a.csv, {folder}/b.csv, {folder}/c.csv"
            " and 2 more files; "
        ),
        f"; 1 file refused, such as {folder}/e.csv: no column for",
        (
            f"; 6 rows rejected, such as {folder}/a.csv:1 occurred_at: not_a_date, no"
            " date or time in ISO 8601 or the date_format of the mapping: state"
            " 'date_format', such as '%d.%m.%Y' in fenji.yaml; "
        ),
        f"; 1 row rejected, such as {folder}/d.csv:1 amount: not_a_number, ",
        f"; the rejected rows lie in {company.project.quarantine}; ",
        "; `fenji run --json` lists all reasons",
    ]
    places = [told.find(part) for part in parts]
    assert places[0] == 0
    assert places == sorted(places)
    assert told.endswith(parts[-1])
    # Three reasons, and no more.
    assert told.count(", such as landing/") == 3
    assert "\n" not in told


def test_a_project_without_files_is_told_where_to_put_them(company):
    company.load("customers")
    assert nothing_loaded(company.con, company.project).endswith(
        "put files below landing/<feed>/, such as landing/transactions/sales.csv"
    )


def test_files_without_a_row_are_told_of(company):
    company.land("transactions/a.csv", HEAD)
    company.load("transactions")
    assert nothing_loaded(company.con, company.project) == (
        "nothing could be loaded of landing/transactions/a.csv; there is no row"
        " below the header; `fenji run --json` lists all reasons"
    )


def test_ways_out_are_for_reasons_that_there_are():
    assert set(WAYS_OUT) < set(REASONS)
