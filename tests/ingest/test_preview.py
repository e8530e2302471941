"""The first rows of files are what a run would make of them."""

import gzip
import json

import duckdb
import pytest

from ingest.landing import find_files
from ingest.preview import HEAD_BYTES, HEAD_ROWS, preview

HEAD = "transaction_id,customer_id,occurred_at,amount,category\n"


def seen(company, **options):
    found = preview(company.project, find_files(company.project), **options)
    assert not (company.root / "data").exists()
    return found


def many_rows(n, category="food"):
    return HEAD + "".join(
        f"T{place},C{place % 7},2026-05-01,{place}.50,{category}\n"
        for place in range(n)
    )


def test_whole_files_come_out_as_a_run_loads_them(company):
    company.land("transactions/a.csv", HEAD + "A,1,2026-05-01,10,x\nB,,yesterday,1,\n")
    company.land("transactions/b.csv", HEAD + "A,1,2026-05-01,10,x\n,2,2026-05-01,1,\n")
    company.land("transactions/c.csv", "a,b\n1,2\n")
    company.land("transactions/d.csv", "")

    found = seen(company)
    company.load()

    assert {
        file.file.removeprefix("landing/transactions/"): (
            file.status,
            file.n_read,
            file.n_loaded,
            file.n_duplicate,
            file.n_rejected,
        )
        for file in found.files
    } == company.books()
    assert [
        (problem.line_no, problem.column_name, problem.reason)
        for problem in found.rejected
    ] == [(2, "occurred_at", "not_a_date"), (2, "transaction_id", "required_missing")]
    assert all(file.is_whole for file in found.files)


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_large_text_is_cut_between_two_records(company, encoding, is_packed):
    """Also where a line end stands within quotes."""
    text = many_rows(20_000, '"食品\nand more"').encode(encoding)
    assert len(text) > 2 * HEAD_BYTES
    company.settings({"feeds": {"transactions": {"encoding": encoding}}})
    name = "transactions/a.csv.gz" if is_packed else "transactions/a.csv"
    company.land(name, gzip.compress(text) if is_packed else text)

    (file,) = seen(company).files

    assert (file.status, file.is_whole, file.n_rejected) == ("loaded", False, 0)
    assert 2000 < file.n_read == file.n_loaded < 20_000
    assert file.rows[1]["category"] == "食品\nand more"


def test_a_large_parquet_file_is_looked_at_in_its_first_rows(company):
    path = company.root / "landing/transactions/a.parquet"
    path.parent.mkdir(parents=True)
    duckdb.sql(
        "select 'T' || i as transaction_id, 'C' as customer_id,"
        " date '2026-05-01' as occurred_at, i as amount from range(5000) as t (i)"
    ).write_parquet(str(path))

    (file,) = seen(company).files

    assert (file.n_read, file.n_loaded, file.is_whole) == (HEAD_ROWS, HEAD_ROWS, False)


def test_json_is_read_whole(company):
    row = {"customer_id": "1", "city": "x"}
    company.land("customers/a.json", json.dumps([row, {"customer_id": None}]))

    (file,) = seen(company).files

    assert (file.n_read, file.n_loaded, file.n_rejected) == (2, 1, 1)


def test_which_mapping_takes_which_file(company):
    mappings = [{"files": "shop/*"}, {"files": "web/*"}]
    company.settings({"feeds": {"transactions": mappings}})
    for folder in ("shop", "web", "other"):
        company.land(f"transactions/{folder}/a.csv", many_rows(1))

    found = {file.file.split("/")[2]: file for file in seen(company).files}

    assert {name: file.mapping for name, file in found.items()} == {
        "shop": "feeds.transactions[0]",
        "web": "feeds.transactions[1]",
        "other": None,
    }
    assert found["other"].is_unmatched


@pytest.mark.parametrize("show_personal", [True, False])
def test_personal_columns_are_hidden_unless_asked_for(company, show_personal):
    company.land("customers/a.csv", "customer_id,phone\n1,13800000000\n2,\n")

    (file,) = seen(company, show_personal=show_personal).files

    shown = "13800000000" if show_personal else "•••"
    assert [row["phone"] for row in file.rows] == [shown, None]


def test_a_wrong_mapping_is_told_and_other_feeds_are_looked_at(company):
    mapping = {"columns": {"quantity": "Qty"}}
    company.settings({"feeds": {"transactions": mapping}})
    company.land("transactions/a.csv", many_rows(1))
    company.land("customers/a.csv", "customer_id\n1\n")

    found = seen(company)

    assert {file.feed: file.status for file in found.files} == {
        "customers": "loaded",
        "transactions": "not_read",
    }
    (error,) = found.errors
    assert "feeds.transactions.columns.quantity: " in str(error)


def test_a_broken_file_is_refused_beside_good_ones(company):
    company.land("transactions/a.csv", many_rows(1))
    company.land("transactions/b.csv.gz", b"\x1f\x8b\x08 no more")
    company.land("transactions/c.parquet", b"PAR1")

    found = {file.file[-8:]: file.status for file in seen(company).files}

    assert sorted(found.values()) == ["loaded", "refused", "refused"]


def test_columns_that_are_merged_are_told_with_the_file_that_has_the_last_word(company):
    company.settings({"feeds": {"customers": {"merge": "columns"}}})
    company.land("customers/a.csv", "customer_id,region\nC1,north\n")
    company.land("customers/b.csv", "customer_id,is_member,region\nC1,yes,west\n")
    company.land("customers/c.csv", "customer_id,is_member\nC1,no\n")
    assert [
        (column.column, column.n_files, column.last_file)
        for column in seen(company).merged
    ] == [
        ("region", 2, "landing/customers/b.csv"),
        ("is_member", 2, "landing/customers/c.csv"),
    ]
