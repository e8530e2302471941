"""Rows that a mapping leaves out: counted as skipped, whatever else is in them."""

import json

import pytest

from project.errors import ConfigurationError
from sql.contracts import contract
from sql.selects import select_of

BOOKS = select_of(contract("marts", "feed_reconciliation"))

HEAD = "transaction_id,customer_id,occurred_at,amount,Mark\n"
ROWS = (
    "T1,C1,2026-05-01,1,sold\n"
    "T2,C1,2026-05-01,no number,draft\n"
    "T3,C1,2026-05-02,3, Sold \n"
    "T4,C1,2026-05-02,four,sold\n"
    "T5,C1,2026-05-02,5,\n"
    "Total,,,9,\n"
)
WHERE = "lower(trim(\"Mark\")) = 'sold'"


def mapped(company, where, **more):
    company.settings({"feeds": {"transactions": {"where": where, **more}}})


def counts(company):
    columns = "n_read, n_loaded, n_duplicate, n_rejected, n_skipped"
    return company.rows(f"select {columns} from ({BOOKS})")


def test_rows_that_are_left_out_are_counted_and_nothing_else_of_them(company):
    mapped(company, WHERE)
    company.land("transactions/t.csv", HEAD + ROWS)
    load = company.load_one("transactions")
    assert counts(company) == [(6, 2, 0, 1, 3)]
    assert (load.n_read, load.n_rejected, load.n_skipped) == (6, 1, 3)
    # Numbers of rows are those of the file, skipped ones counted.
    assert company.rows(
        "select transaction_id, _line_no from raw.transactions order by 1"
    ) == [("T1", 1), ("T3", 3)]
    assert company.rows(
        "select line_no, column_name, reason_code from raw.rejected_rows"
    ) == [(4, "amount", "not_a_number")]


def test_another_condition_reads_the_file_again(company):
    mapped(company, WHERE)
    company.land("transactions/t.csv", HEAD + ROWS)
    company.load("transactions")
    mapped(company, "\"Mark\" = 'draft'")
    company.load("transactions")
    assert counts(company) == [(6, 0, 0, 1, 5)]
    company.settings({})
    company.load("transactions")
    assert counts(company) == [(6, 3, 0, 3, 0)]


def test_a_condition_that_fails_on_a_row_rejects_it(company):
    mapped(company, 'cast("Mark" as integer) > 1')
    company.land(
        "transactions/t.csv",
        HEAD + "T1,C1,2026-05-01,1,2\nT2,C1,2026-05-01,1,1\nT3,C1,2026-05-01,1,x\n",
    )
    company.load("transactions")
    assert counts(company) == [(3, 1, 0, 1, 1)]
    assert company.rows(
        "select line_no, column_name, reason_code from raw.rejected_rows"
    ) == [(3, None, "expression_failed")]


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_typed_files_and_json(company, kind):
    mapped(company, '"kept" = true' if kind == "parquet" else "\"kept\" = 'true'")
    if kind == "parquet":
        (company.root / "landing/transactions").mkdir(parents=True)
        company.con.sql(
            "select 'T' || i as transaction_id, 'C1' as customer_id,"
            " date '2026-05-01' as occurred_at,"
            " case when i % 2 = 0 then i end as amount, i > 5 as kept"
            " from range(10) as numbers (i)"
        ).write_parquet(str(company.root / "landing/transactions/t.parquet"))
    else:
        lines = [
            {
                "transaction_id": f"T{i}",
                "customer_id": "C1",
                "occurred_at": "2026-05-01",
                "amount": i if i % 2 == 0 else None,
                "kept": i > 5,
            }
            for i in range(10)
        ]
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        company.land("transactions/t.jsonl", text)
    company.load("transactions")
    assert counts(company) == [(10, 2, 0, 2, 6)]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (
            '"amount"',
            ":1: feeds.transactions.where: is no condition: compare something",
        ),
        ("random() > 1", ":1: feeds.transactions.where: "),
    ],
)
def test_what_is_no_condition_is_an_error_of_the_settings(company, where, message):
    mapped(company, where)
    company.land("transactions/t.csv", HEAD + ROWS)
    with pytest.raises(ConfigurationError) as raised:
        company.load("transactions")
    assert message in str(raised.value)


def test_a_file_without_its_column_is_refused(company):
    mapped(company, '"Sold" = 1')
    company.land("transactions/t.csv", HEAD + ROWS)
    company.load("transactions")
    assert company.rows("select status from raw.files") == [("refused",)]
    assert "Sold" in company.reason("t.csv")
