"""Public data sets as their publishers wrote them, against plain Python over them."""

import csv
from collections import Counter
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest

CENT = Decimal("0.01")


def cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def rows_of(path, encoding="utf-8", delimiter=","):
    with path.open(encoding=encoding, newline="") as file:
        yield from csv.DictReader(file, delimiter=delimiter)


def test_online_retail(company, test_data):
    folder = test_data / "online_retail" / "by-day"
    company.settings(
        {
            "timezone": "Europe/London",
            "currency": "GBP",
            "feeds": {
                "transactions": {
                    "folder": str(folder),
                    "columns": {
                        "transaction_id": "InvoiceNo",
                        "occurred_at": "InvoiceDate",
                        "customer_id": {
                            "expr": "regexp_replace(CustomerID, '\\.0$', '')"
                        },
                        "amount": {
                            "expr": "cast(Quantity as decimal(18,4))"
                            " * cast(UnitPrice as decimal(18,4))"
                        },
                    },
                }
            },
        }
    )
    load = company.load_one("transactions")
    assert (load.n_files, load.n_read, load.n_loaded) == (305, 541_909, 541_909)
    assert (load.n_duplicate, load.n_rejected) == (0, 0)
    expected: Counter = Counter()
    for path in sorted(folder.glob("*.csv")):
        for row in rows_of(path):
            amount = cents(Decimal(row["Quantity"]) * Decimal(row["UnitPrice"]))
            customer = row["CustomerID"].removesuffix(".0") or None
            day = date.fromisoformat(row["InvoiceDate"][:10])
            expected[row["InvoiceNo"], customer, day, amount] += 1
    found = company.rows(
        "select transaction_id, customer_id, occurred_date, amount, count(*)"
        " from staging.transactions group by all"
    )
    assert {tuple(row[:4]): row[4] for row in found} == expected
    assert len({row[1] for row in found if row[1]}) == 4_372
    assert sum(row[4] for row in found if row[1] is None) == 135_080


def test_superstore(company, test_data):
    path = test_data / "superstore_zh" / "sales_gb18030.csv"
    company.settings(
        {
            "timezone": "Asia/Shanghai",
            "feeds": {
                "transactions": {
                    "date_format": "%Y/%m/%d",
                    "columns": {
                        "transaction_id": "订单 ID",
                        "line_no": "行 ID",
                        "occurred_at": "订单日期",
                        "customer_id": {"expr": '"客户 ID"'},
                        "category": "类别",
                        "amount": "销售额",
                    },
                }
            },
        }
    )
    company.land("transactions/sales.csv", path.read_bytes())
    company.con.execute("set threads = 2")
    load = company.load_one("transactions")
    rows = list(rows_of(path, "gb18030"))
    customers: dict = {}
    for row in rows:
        customers.setdefault(row["订单 ID"], set()).add(row["客户 ID"])
    torn = {order for order, who in customers.items() if len(who) > 1}
    expected = Counter(
        (
            row["订单 ID"],
            row["行 ID"],
            row["客户 ID"],
            datetime.strptime(row["订单日期"], "%Y/%m/%d").date(),  # noqa: DTZ007
            row["类别"],
            cents(Decimal(row["销售额"])),
        )
        for row in rows
        if row["订单 ID"] not in torn
    )
    found = company.rows(
        "select transaction_id, line_no, customer_id, occurred_date, category, amount"
        " from staging.transactions"
    )
    assert Counter(found) == expected
    assert (load.n_read, load.n_loaded) == (len(rows), sum(expected.values()))
    assert {reason for _, _, reason in company.rejected()} == {"two_customers"}


def test_cdnow(company, test_data):
    path = test_data / "cdnow_sample" / "CDNOW_sample.txt"
    company.settings(
        {
            "feeds": {
                "transactions": {
                    "header_row": 0,
                    "delimiter": " ",
                    "date_format": "%Y%m%d",
                    "columns": {
                        "transaction_id": {"expr": "column1 || '-' || column3"},
                        "customer_id": "column1",
                        "occurred_at": "column3",
                        "quantity": "column4",
                        "amount": "column5",
                    },
                }
            }
        }
    )
    company.land("transactions/CDNOW.txt", path.read_bytes())
    company.load("transactions")
    expected = Counter(
        (cells[0], datetime.strptime(cells[2], "%Y%m%d").date(), Decimal(cells[4]))  # noqa: DTZ007
        for cells in (line.split() for line in path.read_text().splitlines())
    )
    found = company.rows(
        "select customer_id, occurred_date, amount from staging.transactions"
    )
    assert Counter(found) == expected
    assert company.books()["CDNOW.txt"] == ("loaded", 6_919, 6_919, 0, 0)


def test_berka_balances(company, test_data):
    """Several movements of an account on a day: the last one of the file counts."""
    path = test_data / "berka" / "trans_1993.asc"
    company.settings(
        {
            "feeds": {
                "balances": {
                    "files": "*.asc",
                    "date_format": "%y%m%d",
                    "columns": {
                        "customer_id": "account_id",
                        "account_id": "account_id",
                        "balance_date": "date",
                        "balance_amount": "balance",
                    },
                }
            }
        }
    )
    company.land("balances/trans_1993.asc", path.read_bytes())
    company.load("balances")
    last = {}
    rows = list(rows_of(path, "ascii", ";"))
    for row in rows:
        day = datetime.strptime(row["date"], "%y%m%d").date()  # noqa: DTZ007
        last[row["account_id"], day] = Decimal(row["balance"])
    found = company.rows(
        "select account_id, balance_date, balance_amount from staging.balances"
    )
    assert {(account, day): balance for account, day, balance in found} == last
    assert len(found) == len(last)
    assert company.books()["trans_1993.asc"][1] == len(rows)


@pytest.mark.parametrize(
    "case",
    [
        (
            "airline_loyalty/customer_loyalty_history.csv",
            "customers",
            {"customer_id": "Loyalty Number", "city": "City"},
            "Loyalty Number",
        ),
        (
            "telco/Telco-Customer-Churn.csv",
            "customers",
            {"customer_id": "customerID"},
            "customerID",
        ),
        (
            "support_tickets/customer_support_tickets.csv",
            "tickets",
            {
                "ticket_id": "Ticket ID",
                "customer_id": "Customer Email",
                "opened_at": "Date of Purchase",
                "status": "Ticket Status",
            },
            "Ticket ID",
        ),
    ],
)
def test_every_record_of_a_file_is_there(company, test_data, case):
    path, feed, columns, key = case
    company.settings({"feeds": {feed: {"columns": columns}}})
    company.land(f"{feed}/f.csv", (test_data / path).read_bytes())
    company.load(feed)
    expected = [row[key] for row in rows_of(test_data / path, "utf-8-sig")]
    (column,) = (name for name, source in columns.items() if source == key)
    found = company.column(f"select {column} from raw.{feed} order by _line_no")
    assert found == expected
