"""Ids for files that have none: the file's name and the number of the record."""

import pytest

from project.errors import ConfigurationError

HEAD = "customer_id,occurred_at,amount\n"
ID = {"expr": "file_name() || ':' || row_number()"}


def mapped(company, **more):
    columns = {"transaction_id": ID, **more.pop("columns", {})}
    company.settings({"feeds": {"transactions": {"columns": columns, **more}}})


def ids(company):
    return company.column(
        "select transaction_id from raw.transactions order by _file_id, _line_no"
    )


def test_rows_are_numbered_within_their_file(company):
    mapped(company)
    row = "C1,2026-05-01,1\n"
    company.land("transactions/a.csv", HEAD + row + "\n" + "C1\n" + row)
    company.land("transactions/b/c.csv", HEAD + row)
    load = company.load_one("transactions")
    # Equal rows stay rows of their own, also those of two files.
    assert (load.n_read, load.n_loaded, load.n_rejected) == (4, 3, 1)
    # Blank lines are no rows, broken records are.
    assert ids(company) == ["a.csv:1", "a.csv:3", "b/c.csv:1"]


def test_a_file_that_moved_has_other_ids(company):
    mapped(company)
    file = company.land("transactions/a.csv", HEAD + "C1,2026-05-01,1\n")
    company.load("transactions")
    before = company.input_digest()
    file.rename(file.with_name("z.csv"))
    company.load("transactions")
    assert ids(company) == ["z.csv:1"]
    assert company.input_digest() != before


def test_numbers_of_persons_in_file_names_are_masked(company):
    mapped(company)
    company.land("transactions/13800138000.csv", HEAD + "C1,2026-05-01,1\n")
    company.land("transactions/13800138001.csv", HEAD + "C1,2026-05-01,1\n")
    company.load("transactions")
    found = ids(company)
    assert len(set(found)) == 2
    assert not any("1380013800" in name for name in found)


def test_rows_of_one_record_share_its_number(company):
    mapped(
        company,
        explode={"columns": ["a", "b"], "value": "amount", "place": "line_no"},
    )
    company.land(
        "transactions/a.csv", "customer_id,occurred_at,a,b\nC1,2026-05-01,1,2\n"
    )
    company.load("transactions")
    assert company.rows(
        "select transaction_id, line_no, amount from raw.transactions order by 2"
    ) == [("a.csv:1", "1", 1), ("a.csv:1", "2", 2)]


def test_rows_may_be_chosen_by_their_number(company):
    mapped(company, where="row_number() % 2 = 0")
    rows = "".join(f"C{n},2026-05-01,{n}\n" for n in range(1, 7))
    company.land("transactions/a.csv", HEAD + rows)
    load = company.load_one("transactions")
    assert (load.n_loaded, load.n_skipped) == (3, 3)
    assert ids(company) == ["a.csv:2", "a.csv:4", "a.csv:6"]


def test_a_column_that_one_file_has_not_refuses_that_file(company):
    mapped(company, columns={"channel": "shop"})
    company.land("transactions/a.csv", "shop," + HEAD + "s,C1,2026-05-01,1\n")
    company.land("transactions/b.csv", HEAD + "C1,2026-05-01,1\n")
    company.load("transactions")
    assert company.rows("select path, status from raw.files order by path") == [
        ("a.csv", "loaded"),
        ("b.csv", "refused"),
    ]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("row_number()", "rows of several files would have one id"),
        ("file_name('x') || row_number()", "file_name() takes nothing"),
        ("file_name() || row_number() over ()", "is not allowed here"),
    ],
)
def test_what_makes_no_id_is_an_error_of_the_settings(company, expression, message):
    mapped(company, columns={"transaction_id": {"expr": expression}})
    company.land("transactions/a.csv", HEAD + "C1,2026-05-01,1\n")
    with pytest.raises(ConfigurationError) as raised:
        company.load("transactions")
    assert message in str(raised.value)
