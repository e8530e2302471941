"""Records that become several rows: columns, lists, months of a span."""

import datetime
import json
from decimal import Decimal

import pytest

from ingest.landing import find_files
from ingest.preview import preview
from project.errors import ConfigurationError
from sql.contracts import contract
from sql.selects import select_of

BOOKS = select_of(contract("marts", "feed_reconciliation"))
MOST = 4096

WIDE = "customer_id,name,2026-01,2026-02,2026-03\nC1,a,10,,30\nC2,b,1,2,x\nC3,c, ,,\n"
QUARTERS = {
    "columns": ["2026-*"],
    "name": "month",
    "value": "amount",
}


def mapped(company, feed, **mapping):
    company.settings({"feeds": {feed: mapping}})


def counts(company):
    """Records, rows read, loaded, duplicate, rejected and skipped of each file."""
    return company.rows(
        "select n_records, n_read, n_loaded, n_duplicate, n_rejected, n_skipped"
        f" from ({BOOKS}) order by file"
    )


def bills(company):
    return [
        (customer, str(month)[:7], int(amount))
        for customer, month, amount in company.rows(
            "select customer_id, bill_month, amount from raw.bills order by _line_no"
        )
    ]


def test_columns_become_rows(company):
    mapped(company, "bills", explode=QUARTERS, columns={"bill_month": "month"})
    company.land("bills/b.csv", WIDE)
    company.load("bills")
    # Nine cells, of which five are blank and one is no number.
    assert counts(company) == [(3, 9, 4, 0, 1, 4)]
    assert bills(company) == [
        ("C1", "2026-01", 10),
        ("C1", "2026-03", 30),
        ("C2", "2026-01", 1),
        ("C2", "2026-02", 2),
    ]
    assert company.rejected() == [(2, "amount", "not_a_number")]
    # As a person looks for it: the file's record, whole.
    (kept,) = (company.root / "data/quarantine/bills").glob("*.csv")
    assert (
        kept.read_text()
        .splitlines()[1]
        .endswith('b.csv,2,amount,not_a_number,"C2,b,1,2,x"')
    )


def test_another_month_is_another_column(company):
    mapped(company, "bills", explode=QUARTERS, columns={"bill_month": "month"})
    company.land("bills/b.csv", WIDE)
    company.load("bills")
    company.land(
        "bills/b.csv",
        WIDE.replace("-03\n", "-03,2026-04\n")
        .replace("30\n", "30,40\n")
        .replace("x\n", "x,4\n")
        .replace(",,\n", ",,,\n"),
    )
    company.load("bills")
    assert counts(company) == [(3, 12, 6, 0, 1, 5)]


def test_what_a_column_is_called_may_be_said(company):
    mapped(
        company,
        "bills",
        explode={
            "columns": {"Jan": "2026-01-01", "Feb": "2026-02-01"},
            "name": "bill_month",
            "value": "amount",
            "place": "nth",
        },
        where="nth = 2",
    )
    company.land("bills/b.csv", "customer_id,Jan,Feb\nC1,1,2\nC2,3,4\n")
    company.load("bills")
    assert counts(company) == [(2, 4, 2, 0, 0, 2)]
    assert bills(company) == [("C1", "2026-02", 2), ("C2", "2026-02", 4)]


@pytest.mark.parametrize(
    ("cell", "tags", "n_skipped"),
    [
        ("a;b;c", ["a", "b", "c"], 0),
        ("a", ["a"], 0),
        ("", [], 1),
        (";a;; b ;", ["a", "b"], 3),
        (";".join("x" * 3 for _ in range(3)), ["xxx", "xxx", "xxx"], 0),
    ],
)
def test_a_list_becomes_rows(company, cell, tags, n_skipped):
    mapped(
        company,
        "manual_tags",
        explode={"list": "Tags", "separator": ";", "value": "tag", "place": "nth"},
        columns={
            "tag": {"expr": "trim(tag)"},
            "tagged_at": {"expr": "'2026-05-01 00:00:0' || nth"},
        },
    )
    company.land("manual_tags/t.csv", f"customer_id,Tags\nC1,{cell}\n")
    company.load("manual_tags")
    n_rows = len(tags) + n_skipped
    assert counts(company) == [(1, n_rows, len(tags), 0, 0, n_skipped)]
    assert company.column("select tag from raw.manual_tags order by _line_no") == tags


LINES = [
    {"no": 1, "buyer": {"id": "C1"}, "items": [{"sku": "a", "price": 1.5}, {}]},
    {"no": 2, "buyer": {"id": "C2"}, "items": [{"sku": "b,c", "price": {"net": 2}}]},
    {"no": 3, "buyer": {"id": "C3"}, "items": []},
    {"no": 4, "buyer": {"id": "C4"}, "items": "x,y"},
    {"no": 5, "buyer": {"id": "C5"}},
]


def test_lists_of_json_become_rows_and_their_objects_columns(company):
    mapped(
        company,
        "transactions",
        columns={
            "transaction_id": "no",
            "customer_id": "buyer.id",
            "occurred_at": {"expr": "'2026-05-01'"},
            "product_id": {"expr": "json_extract_string(item, '$.sku')"},
            "amount": {
                "expr": "coalesce(json_extract_string(item, '$.price.net'),"
                " json_extract_string(item, '$.price')) "
            },
        },
        explode={"list": "items", "value": "item", "place": "line_no"},
        where="json_extract_string(item, '$.sku') is not null or no >= '3'",
    )
    company.land("transactions/o.json", json.dumps(LINES[:3]))
    company.load("transactions")
    assert company.rows(
        "select transaction_id, line_no, customer_id, product_id, amount"
        " from raw.transactions order by all"
    ) == [
        ("1", "1", "C1", "a", Decimal("1.50")),
        ("2", "1", "C2", "b,c", Decimal("2.00")),
    ]


@pytest.mark.parametrize(
    ("items", "parts"),
    [
        (["a", "b"], ["a", "b"]),
        (["a,b", None, 1], ["a,b", "1"]),
        ("x,y", ["x", "y"]),
        ("[x,y", ["[x", "y"]),
        ([], []),
        (None, []),
    ],
)
def test_what_a_list_of_json_has(company, items, parts):
    mapped(
        company,
        "manual_tags",
        constants={"tagged_at": "2026-05-01"},
        columns={"tag": "one"},
        explode={"list": "items", "value": "one"},
    )
    company.land("manual_tags/t.json", json.dumps({"customer_id": 1, "items": items}))
    company.load("manual_tags")
    query = "select tag from raw.manual_tags order by _line_no"
    assert company.column(query) == parts


@pytest.mark.parametrize("n", [MOST - 1, MOST, MOST + 1])
def test_the_longest_list(company, n):
    mapped(
        company,
        "manual_tags",
        explode={"list": "Tags", "separator": ";", "value": "tag"},
        constants={"tagged_at": "2026-05-01"},
    )
    cell = ";".join(f"t{i}" for i in range(n))
    company.land("manual_tags/t.csv", f"customer_id,Tags\nC1,{cell}\nC2,other\n")
    company.load("manual_tags")
    fits = n <= MOST
    assert counts(company) == [
        (2, n + 1, n + 1, 0, 0, 0) if fits else (2, 2, 1, 0, 1, 0)
    ]
    assert company.rejected() == ([] if fits else [(1, None, "not_exploded")])
    # The rows of one record do not run into those of the next.
    assert company.column("select count(distinct _line_no) from raw.manual_tags") == [
        n + 1 if fits else 1
    ]


@pytest.mark.parametrize(
    ("begins", "ends", "months"),
    [
        ("2026-01-31", "2026-03-01", ["2026-01", "2026-02", "2026-03"]),
        ("2026-01-01", "2026-01-31", ["2026-01"]),
        ("2026-01-31", "2026-01-31", ["2026-01"]),
        ("2025-12-31", "2026-01-01", ["2025-12", "2026-01"]),
        ("2026-02-01", "2026-01-31", []),
        ("2026-01-31", "2026-01-30", []),
    ],
)
def test_a_span_becomes_months(company, begins, ends, months):
    mapped(
        company,
        "bills",
        explode={"from": '"begins"', "to": "ends", "value": "bill_month"},
    )
    company.land(
        "bills/b.csv", f"customer_id,begins,ends,amount\nC1,{begins},{ends},5\n"
    )
    company.load("bills")
    assert [month for _, month, _ in bills(company)] == months
    n_rows = max(1, len(months))
    assert counts(company) == [(1, n_rows, len(months), 0, 0, n_rows - len(months))]


@pytest.mark.parametrize(
    ("begins", "ends", "is_made"),
    [
        ("", "2026-01-01", False),
        ("2026-01-01", "", False),
        ("soon", "2026-01-01", False),
        ("1700-01-01", "2041-04-30", True),  # 341 years and 4 months: 4,096 months
        ("1700-01-01", "2041-05-01", False),
    ],
)
def test_a_span_without_its_days_is_rejected(company, begins, ends, is_made):
    mapped(
        company,
        "bills",
        explode={"from": "begins", "to": "ends", "value": "bill_month"},
    )
    company.land(
        "bills/b.csv",
        f"customer_id,begins,ends,amount\nC0,2026-01-01,2026-01-01,1\n"
        f"C1,{begins},{ends},5\n",
    )
    company.load("bills")
    if is_made:
        assert counts(company) == [(2, MOST + 1, MOST + 1, 0, 0, 0)]
    else:
        assert counts(company) == [(2, 2, 1, 0, 1, 0)]
        assert company.rejected() == [(2, None, "not_exploded")]


def test_records_that_cannot_be_split_are_one_row(company):
    mapped(company, "bills", explode=QUARTERS, columns={"bill_month": "month"})
    company.land("bills/b.csv", WIDE + "C4,1\nC5,d,1,1,1\n")
    company.load("bills")
    assert counts(company) == [(5, 13, 7, 0, 2, 4)]
    assert company.rejected() == [
        (2, "amount", "not_a_number"),
        (4, None, "too_few_columns"),
    ]
    assert bills(company)[-1] == ("C5", "2026-03", 1)


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_files_of_every_kind_are_exploded(company, kind):
    mapped(company, "bills", explode=QUARTERS, columns={"bill_month": "month"})
    folder = company.root / "landing/bills"
    folder.mkdir(parents=True)
    rows = [
        {"customer_id": "C1", "2026-01": 10, "2026-02": None, "2026-03": 30},
        {"customer_id": "C2", "2026-01": 1, "2026-02": 2, "2026-03": 3},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if kind == "jsonl":
        company.land("bills/b.jsonl", text + "{broken\n")
    else:
        company.land("bills/b.jsonl", text)
        company.con.sql(f"from read_json('{folder / 'b.jsonl'}')").write_parquet(
            str(folder / "b.parquet")
        )
        (folder / "b.jsonl").unlink()
    company.load("bills")
    n_broken = int(kind == "jsonl")
    assert counts(company) == [(2 + n_broken, 6 + n_broken, 5, 0, n_broken, 1)]
    assert [amount for *_, amount in bills(company)] == [10, 30, 1, 2, 3]
    if n_broken:
        assert company.rejected() == [(3, None, "unreadable_row")]


def test_what_is_joined_is_exploded(company):
    mapped(
        company,
        "bills",
        files="lines.csv",
        join={"plans": {"files": "plans.csv", "on": "plan"}},
        explode={"from": "plans.begins", "to": "'2026-02-28'", "value": "bill_month"},
        columns={"amount": "plans.price"},
    )
    company.land("bills/lines.csv", "customer_id,plan\nC1,P1\nC2,P2\nC3,P9\n")
    company.land(
        "bills/plans.csv", "plan,begins,price\nP1,2026-01-05,3\nP2,2026-02-05,4\n"
    )
    company.load("bills")
    assert bills(company) == [
        ("C1", "2026-01", 3),
        ("C1", "2026-02", 3),
        ("C2", "2026-02", 4),
    ]
    assert company.column(f"select n_unmatched from ({BOOKS})") == [1]
    assert company.rejected() == [(3, None, "not_exploded")]


def test_a_row_that_is_rejected_later_names_its_record(company):
    mapped(
        company,
        "transactions",
        explode={"columns": ["net", "tax"], "value": "amount"},
        constants={"occurred_at": "2026-05-01"},
    )
    company.land(
        "transactions/t.csv",
        "transaction_id,customer_id,net,tax\nT1,C1,1,2\nT2,C1,3,4\nT1,C2,5,6\n",
    )
    company.load("transactions")
    assert counts(company) == [(3, 6, 2, 0, 4, 0)]
    assert company.rejected() == [
        (n, "customer_id", "two_customers") for n in (1, 1, 3, 3)
    ]
    (kept,) = (company.root / "data/quarantine/transactions").glob("*.csv")
    lines = kept.read_text().splitlines()[1:]
    assert [line.split(",")[1] for line in lines] == [str(n) for n in (1, 1, 3, 3)]


def test_first_rows_are_those_that_are_made(company):
    mapped(company, "bills", explode=QUARTERS, columns={"bill_month": "month"})
    company.land("bills/b.csv", WIDE)
    (head,) = preview(company.project, find_files(company.project)).files
    assert (head.n_records, head.n_read, head.n_skipped) == (3, 9, 4)
    assert [row["amount"] for row in head.rows] == [10, 30, 1]


@pytest.mark.parametrize(
    ("explode", "reason"),
    [
        ({"columns": ["q9"], "value": "amount"}, "explode: no column 'q9'"),
        ({"columns": ["q*"], "value": "amount"}, "explode: no column is like 'q*'"),
        ({"list": "none", "value": "amount"}, "explode: no column 'none'"),
        ({"columns": ["2026-01"], "value": "name"}, "has a column 'name' already"),
    ],
)
def test_a_file_without_the_columns_is_refused(company, explode, reason):
    mapped(
        company,
        "bills",
        explode=explode,
        constants={"bill_month": "2026-01", "amount": 1},
    )
    company.land("bills/b.csv", WIDE)
    company.load("bills")
    assert reason in company.reason("b.csv")


@pytest.mark.parametrize(
    ("explode", "message"),
    [
        ({"value": "v"}, "give one of 'columns', 'list', or 'from' and 'to'"),
        ({"columns": ["a"], "list": "b", "value": "v"}, "give one of"),
        ({"columns": [], "value": "v"}, "'columns' names no column"),
        ({"from": "a", "value": "v"}, "give both 'from' and 'to'"),
        ({"list": "b", "name": "n", "value": "v"}, "'name' is for 'columns'"),
        ({"columns": ["a"], "name": "V", "value": "v"}, "columns of their own"),
    ],
)
def test_what_is_no_way_to_make_rows_is_an_error_of_the_settings(
    company, explode, message
):
    mapped(company, "bills", explode=explode)
    with pytest.raises(ConfigurationError, match=message):
        company.load("bills")


def test_years_of_months_against_plain_arithmetic(company):
    mapped(
        company,
        "bills",
        explode={"from": "begins", "to": "ends", "value": "bill_month"},
    )
    first = datetime.date(2019, 1, 1)
    spans = [
        (first + datetime.timedelta(days=n * 37 % 1500), n * 53 % 900)
        for n in range(2000)
    ]
    lines, expected = [], 0
    for n, (begins, days) in enumerate(spans):
        ends = begins + datetime.timedelta(days=days)
        lines.append(f"C{n},{begins},{ends},1\n")
        expected += (ends.year - begins.year) * 12 + ends.month - begins.month + 1
    company.land("bills/b.csv", "customer_id,begins,ends,amount\n" + "".join(lines))
    company.load("bills")
    assert counts(company) == [(2000, expected, expected, 0, 0, 0)]
    assert company.column("select sum(amount) from raw.bills") == [expected]


@pytest.mark.parametrize("n_columns", [1, 48, 49])
def test_what_columns_are_called_is_read_as_any_value_is(company, n_columns):
    # Few names are read once, many row by row: months, blanks around them, and words
    # that are none.
    names = [f"{2000 + n // 12}-{n % 12 + 1:02d}" for n in range(n_columns)]
    names[0] = " 2000-01"
    names[-1] = "soon" if n_columns > 1 else names[-1]
    explode = {
        "columns": dict(zip([f"m{n}" for n in range(n_columns)], names, strict=True)),
        "name": "month",
        "value": "amount",
    }
    mapped(company, "bills", explode=explode, columns={"bill_month": "month"})
    header = ",".join(["customer_id", *(f"m{n}" for n in range(n_columns))])
    values = [str(n) for n in range(n_columns)]
    company.land("bills/b.csv", f"{header}\nC1,{','.join(values)}\n")
    company.load("bills")
    n_wrong = n_columns > 1
    assert bills(company) == [
        ("C1", f"{2000 + n // 12}-{n % 12 + 1:02d}", n)
        for n in range(n_columns - n_wrong)
    ]
    assert company.rejected() == [(1, "bill_month", "not_a_date")] * n_wrong
