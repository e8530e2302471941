"""Rows that end the whole statement are rejected by their numbers; the others load."""

import csv

import duckdb
import pytest

from ingest import failing

# DuckDB's dates go further than its times: such a date is one, and its time is none.
FAR = "300000-01-01"
SALES = {
    "transaction_id": "Order",
    "occurred_at": {"expr": "cast(Day as date)"},
    "amount": "Total",
}


def test_a_date_beyond_all_times_ends_the_statement_of_duckdb():
    # Or else these tests do not test what they are for.
    with pytest.raises(duckdb.Error):
        duckdb.execute(f"select cast(date '{FAR}' as timestamp)")


def land(company, name, days, line="{number},{day},1\n"):
    company.settings({"feeds": {"transactions": {"columns": SALES}}})
    rows = (line.format(number=n, day=day) for n, day in enumerate(days, start=1))
    company.land(f"transactions/{name}", "Order,Day,Total\n" + "".join(rows))


def loaded(company):
    return company.rows(
        "select f.path, _line_no, transaction_id from raw.transactions"
        " inner join raw.files as f on _file_id = f.file_id order by all"
    )


def test_a_row_that_ends_the_statement_is_rejected_by_its_number(company):
    land(company, "a.csv", ["2026-01-01"] * 3)
    land(company, "b.csv", ["2026-01-01", FAR, "then", "2026-01-04", "", FAR])
    land(company, "c.csv", [FAR, "2026-01-02"])
    done = company.load_one("transactions")
    assert loaded(company) == [
        ("a.csv", 1, "1"),
        ("a.csv", 2, "2"),
        ("a.csv", 3, "3"),
        ("b.csv", 1, "1"),
        ("b.csv", 4, "4"),
        ("c.csv", 2, "2"),
    ]
    assert company.rejected() == [
        (2, "occurred_at", "expression_failed"),
        (3, "occurred_at", "expression_failed"),
        (5, "occurred_at", "required_missing"),
        (6, "occurred_at", "expression_failed"),
        (1, "occurred_at", "expression_failed"),
    ]
    # The first rows of the first two files are equal.
    assert (done.n_read, done.n_loaded, done.n_duplicate) == (11, 5, 1)
    assert done.n_rejected == 5
    (kept,) = (company.project.quarantine / "transactions").glob("*-c.csv.csv")
    (row,) = csv.DictReader(kept.open())
    assert (row["line_no"], row["raw_text"]) == ("1", f"1,{FAR},1")


def test_blank_and_broken_lines_keep_their_numbers_beside_it(company):
    land(
        company, "a.csv", ["2026-01-01", FAR, "2026-01-01"], "\n{number},{day},1\n,,\n"
    )
    file = company.root / "landing/transactions/a.csv"
    file.write_text(file.read_text() + "4,2026\n5,2026-01-01,1\n")
    company.load("transactions")
    assert [row[1:] for row in loaded(company)] == [(1, "1"), (3, "3"), (5, "5")]
    assert company.rejected() == [
        (2, "occurred_at", "expression_failed"),
        (4, None, "too_few_columns"),
    ]


def test_a_row_of_a_parquet_file_may_end_the_statement(company):
    company.settings({})
    file = company.root / "landing/transactions/a.parquet"
    file.parent.mkdir(parents=True)
    company.con.execute(
        "copy (select n::varchar as transaction_id, 1 as amount, case when n = 70000"
        f" then date '{FAR}' else date '2026-01-01' end as occurred_at"
        f" from range(1, 100001) as t (n)) to '{file}'"
    )
    company.load("transactions")
    assert company.books()["a.parquet"] == ("loaded", 100_000, 99_999, 0, 1)
    assert company.rejected() == [(70_000, "occurred_at", "not_a_date")]


def test_a_json_object_may_end_the_statement(company):
    company.settings({"feeds": {"transactions": {"columns": SALES}}})
    company.land(
        "transactions/a.jsonl",
        '{"Order": "1", "Day": "2026-01-01", "Total": 1}\n'
        f'{{"Order": "2", "Day": "{FAR}", "Total": 1}}\nno object\n'
        '{"Order": "4", "Day": "2026-01-01", "Total": 1}\n',
    )
    company.load("transactions")
    assert [row[1:] for row in loaded(company)] == [(1, "1"), (4, "4")]
    assert company.rejected() == [
        (2, "occurred_at", "expression_failed"),
        (3, None, "unreadable_row"),
    ]


def test_a_file_of_such_rows_is_refused_and_the_others_load(company, monkeypatch):
    monkeypatch.setattr("ingest.batch.MOST", 3)
    monkeypatch.setattr(failing, "MOST", 3)
    land(company, "a.csv", ["2026-01-01", *[FAR] * 4])
    land(company, "b.csv", ["2026-01-01"])
    company.load("transactions")
    assert loaded(company) == [("b.csv", 1, "1")]
    assert company.reason("a.csv") == (
        "cannot be loaded: row 2, column occurred_at, and more than 2 others hold"
        " values that cannot be worked with"
    )


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_rows_of_several_and_joined_rows_are_rejected_by_their_record(company, kind):
    company.settings(
        {
            "feeds": {
                "transactions": {
                    "files": f"a.{kind}",
                    "join": {"days": {"files": "days.csv", "on": {"nr": "Order"}}},
                    "explode": {
                        "columns": ["Net", "Tax"],
                        "value": "amount",
                        "place": "line_no",
                    },
                    "columns": {
                        "transaction_id": {
                            "expr": "file_name() || ':' || row_number()"
                        },
                        "occurred_at": {"expr": "cast(days.day as date)"},
                    },
                }
            }
        }
    )
    company.land("transactions/days.csv", f"nr,day\n1,2026-01-01\n2,{FAR}\n")
    orders = company.con.sql(
        "select * from (values (1, 10, 1), (2, 20, 2), (1, 30, null))"
        ' as t ("Order", "Net", "Tax")'
    )
    file = company.root / f"landing/transactions/a.{kind}"
    if kind == "parquet":
        orders.write_parquet(str(file))
    elif kind == "csv":
        orders.write_csv(str(file))
    else:
        company.con.execute(f"copy orders to '{file}' (format json)")
    done = company.load_one("transactions")
    # Of what cannot be worked with nothing is made: it is one row.
    assert (done.n_read, done.n_loaded, done.n_rejected, done.n_skipped) == (5, 3, 1, 1)
    assert company.rows(
        "select transaction_id, line_no, amount from raw.transactions order by 1, 2"
    ) == [
        (f"a.{kind}:1", "1", 10),
        (f"a.{kind}:1", "2", 1),
        (f"a.{kind}:3", "1", 30),
    ]
    assert company.rejected() == [(2, "occurred_at", "expression_failed")]


def test_a_span_to_a_day_beyond_all_times_is_rejected_as_one(company):
    company.settings(
        {
            "feeds": {
                "bills": {
                    "explode": {"from": "begins", "to": "ends", "value": "bill_month"}
                }
            }
        }
    )
    company.land(
        "bills/b.csv",
        "customer_id,begins,ends,amount\n"
        f"C1,2026-01-01,{FAR},1\nC2,{FAR},{FAR},1\nC3,2026-01-01,2026-02-01,1\n",
    )
    company.load("bills")
    assert company.books()["b.csv"] == ("loaded", 4, 2, 0, 2)
    assert company.rejected() == [(1, None, "not_exploded"), (2, None, "not_exploded")]
