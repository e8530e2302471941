"""Mappings in `fenji.yaml`: what they do, and how their errors read."""

import hashlib
import json

import pytest

from ingest.landing import find_files
from ingest.mapping import READER_VERSION, mapping_digest
from project.errors import ConfigurationError
from project.mappings import FeedMapping
from sql.contracts import feeds

PRODUCT = {"expr": "cast(Qty as decimal(18,4)) * cast(Price as decimal(18,4))"}
SALES = {"transaction_id": "Order ID", "occurred_at": "Date", "amount": "Total"}
HEAD = "Order ID,Date,Total,kind,Qty,Price\n"


def load_error(company, *names):
    with pytest.raises(ConfigurationError) as raised:
        company.load(*names)
    message = str(raised.value)
    assert "\n" not in message
    assert message.startswith(str(company.root / "fenji.yaml"))
    return message.removeprefix(str(company.root / "fenji.yaml"))


def transactions(company, mapping, *rows):
    company.settings({"feeds": {"transactions": mapping}})
    company.land("transactions/f.csv", HEAD + "".join(f"{row}\n" for row in rows))


def test_columns_expressions_constants_and_canonical_names(company):
    transactions(
        company,
        {
            "columns": {
                **SALES,
                "amount": PRODUCT,
                "quantity": "Qty",
                "customer_id": {"expr": "'C-' || split_part(\"Order ID\", '/', 1)"},
            },
            "constants": {
                "channel": "shop",
                "is_service_sale": True,
                "cost_amount": 1.5,
            },
        },
        "A/1,2026-01-01,99,refund,2,1.005",
    )
    company.load("transactions")
    found = company.rows(
        "select transaction_id, customer_id, amount::text, kind, quantity::text,"
        " channel, is_service_sale, cost_amount::text from raw.transactions"
    )
    assert found == [("A/1", "C-A", "2.01", "refund", "2.0000", "shop", True, "1.50")]


def test_names_are_found_in_spite_of_case_and_blanks(company):
    transactions(
        company,
        {"columns": {**SALES, "transaction_id": " order id", "amount": "TOTAL"}},
        "A,2026-01-01,1,,,",
    )
    company.load("transactions")
    assert company.column("select transaction_id from raw.transactions") == ["A"]


def test_a_source_column_that_is_used_is_not_taken_by_name_too(company):
    transactions(
        company, {"columns": {**SALES, "category": "kind"}}, "A,2026-01-01,1,toys,,"
    )
    company.load("transactions")
    assert company.rows("select kind, category from raw.transactions") == [
        (None, "toys")
    ]


def test_a_row_on_which_an_expression_fails_is_rejected(company):
    transactions(
        company,
        {
            "columns": {
                **SALES,
                "amount": PRODUCT,
                "customer_id": {"expr": "nullif(kind, 'sale')"},
            },
        },
        "A,2026-01-01,1,sale,2,3",
        "B,2026-01-01,1,sale,two,3",
        "C,2026-01-01,1,sale,,3",
        "D,2026-01-01,1,refund,2,3",
        "E,2026-01-01,1,sale,99999999999,99999999999",
    )
    company.load("transactions")
    assert company.rows(
        "select transaction_id, customer_id, amount::integer from raw.transactions"
    ) == [("A", None, 6), ("D", "refund", 6)]
    assert company.rejected() == [
        (2, "amount", "expression_failed"),
        (3, "amount", "required_missing"),
        (5, "amount", "expression_failed"),
    ]


def test_a_cast_that_stands_twice_and_fails_rejects_its_row_only(company):
    # DuckDB 2.0.0 works such a cast out once, outside of `try`, and ends the statement.
    number = 'cast("Price" as decimal(18,4))'
    transactions(
        company,
        {
            "columns": {
                **SALES,
                "amount": {"expr": f"{number} * cast(Qty as decimal(18,4))"},
                "cost_amount": {"expr": f"{number} * 0.5"},
                "discount_amount": {
                    "expr": f"case when {number} > 9 then {number} - 9 else 0 end"
                },
            },
        },
        "A,2026-01-01,1,sale,2,10",
        "B,2026-01-01,1,sale,2,ten",
        "C,2026-01-01,1,sale,two,3",
    )
    company.load("transactions")
    assert company.rows(
        "select transaction_id, amount::integer, cost_amount::integer,"
        " discount_amount::integer from raw.transactions"
    ) == [("A", 20, 5, 1)]
    assert company.rejected() == [
        (2, "amount", "expression_failed"),
        (3, "amount", "expression_failed"),
    ]


def test_typed_expressions_are_taken_as_they_are(company):
    transactions(
        company,
        {
            "date_format": "%d/%m/%Y",
            "columns": {
                **SALES,
                "occurred_at": {"expr": "strptime(Date, '%Y%m%d')"},
                "is_service_sale": {
                    "expr": "Qty in ('1', '2', '3', '4', '5', '6', '7')"
                },
                "amount": {"expr": "case when Price like '%-' then -1 else 1 end * 2"},
            },
        },
        "A,20260131,1,sale,7,3-",
    )
    company.load("transactions")
    assert company.rows(
        "select occurred_date::text, is_service_sale, amount::integer"
        " from raw.transactions"
    ) == [("2026-01-31", True, -2)]


def test_rows_keep_their_numbers_behind_a_long_list(company):
    values = ", ".join(f"'{n}'" for n in range(50))
    columns = {**SALES, "is_service_sale": {"expr": f"Qty in ({values})"}}
    company.settings({"feeds": {"transactions": {"columns": columns}}})
    rows = "".join(f"{n},2026-01-01,1,sale,{n % 60},1\n" for n in range(1, 300_001))
    company.con.execute("set threads = 4")
    company.land("transactions/f.csv", HEAD + rows)
    company.load("transactions")
    assert company.rows(
        "select count(*), count(*) filter (transaction_id = _line_no::text),"
        " count(*) filter (is_service_sale) from raw.transactions"
    ) == [(300_000, 300_000, 250_000)]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"costumers": {}},
            ":1: feeds.costumers: is not a feed; did you mean 'customers'?",
        ),
        (
            {"customers": {"columns": {"custmer_id": "x"}}},
            "columns.custmer_id: is not a column of the feed customers; did you mean",
        ),
        (
            {"customers": {"constants": {"zzz": "x"}}},
            "constants.zzz: is not a column of the feed customers; columns: cust",
        ),
        (
            {"transactions": {"constants": {"status": "payed"}}},
            "constants.status: is none of paid, pending, cancelled, test (given: p",
        ),
        (
            {"transactions": {"constants": {"amount": "ten"}}},
            "constants.amount: is no amount (given: ten)",
        ),
        (
            {"tickets": {"constants": {"severity": 7}}},
            "constants.severity: is none of 1, 2, 3, 4, 5 (given: 7)",
        ),
        (
            {"customers": {"constants": {"seat_count": 1.5}}},
            "constants.seat_count: is no integer (given: 1.5)",
        ),
        (
            {"contracts": {"constants": {"starts_on": "31.5.2026"}}},
            "constants.starts_on: is no date (given: 31.5.2026)",
        ),
        (
            {"customers": {"constants": {"can_buy": "perhaps"}}},
            "constants.can_buy: is no boolean (given: perhaps)",
        ),
        (
            {"customers": {"constants": {"city": " "}}},
            "constants.city: is blank (given:",
        ),
        (
            {"customers": {"constants": {"city": "x"}, "columns": {"city": "y"}}},
            "constants.city: is given under 'columns' as well",
        ),
        (
            {"customers": {"encoding": "utf9"}},
            "feeds.customers.encoding: is not an encoding that Python knows",
        ),
    ],
)
def test_wrong_settings_are_told_before_any_file_is_read(company, given, problem):
    company.settings({"feeds": given})
    with pytest.raises(ConfigurationError) as raised:
        find_files(company.project)
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("read_text('/etc/passwd')", "the function read_text is not allowed here"),
        ("(select 1)", "'(SELECT 1)' is not allowed here"),
        ("getenv('HOME')", "getenv is not allowed here; docs/input_files.md lists"),
        ("regex_replace(Qty, 'a', '')", "here; did you mean 'regexp_replace' or"),
        ("json_extract_string(Qty, Price)", "needs the place as a text, such as"),
        ("json_extract_string(Qty, '$.*')", "is not allowed here"),
        ("json_extract(Qty, '$.a')", "the function json_extract is not allowed here"),
        ("now()", "the function now is not allowed here"),
        ("current_date", "the function current_date is not allowed here"),
        ("random()", "the function rand is not allowed here"),
        ("sum(Qty)", "the function sum is not allowed here"),
        ("row_number() over ()", "is not allowed here"),
        ("Qty; drop table raw.files", "is not one expression"),
        ("Qty +", "is not an expression"),
        ("when * 2", "'when' is a word of SQL: write the column in double quotes"),
        ("Qty * （2 + 1）", "signs of a Chinese keyboard; write Qty * (2 + 1)"),
        ("Qty * 1,000", "write numbers without commas: 1000"),
        ("", "is not one expression"),
        ("a.f.Qty", "write the column alone"),
        ("cast(Qty as integer[])", "the type INT[] is not allowed here"),
        ("Qty in (select 1)", "needs a list of values"),
        ("Qty in ()", "needs a list of values"),
        ("*", "is not allowed here"),
        ("$x", "is not allowed here"),
        ("[1]", "is not allowed here"),
        ("Qty::json ->> '$.x'", "is not allowed here"),
        ("Prize * 2", "no column 'Prize'; did you mean 'Price' (column 6)?"),
        ("lower(1, 2)", "is not an expression: The number of provided arguments"),
        ("Qty - Price", "No function matches"),
    ],
)
def test_expressions_that_are_refused(company, expression, problem):
    mapping = {"columns": {**SALES, "quantity": {"expr": expression}}}
    transactions(company, mapping, "A,2026-01-01,1,,1,1")
    message = load_error(company, "transactions")
    assert message.startswith(":1: feeds.transactions.columns.quantity: ")
    assert problem in message


def test_a_misspelt_source_column_is_an_error_of_the_settings(company):
    transactions(
        company, {"columns": {**SALES, "amount": "Totl"}}, "A,2026-01-01,1,,1,1"
    )
    message = load_error(company, "transactions")
    assert message.startswith(":1: feeds.transactions.columns.amount: f.csv: no column")
    assert "; Totl: renamed to 'Total' (column 3)?; the file has Order ID," in message


def test_a_file_without_the_mapped_columns_beside_others_is_refused(company):
    transactions(company, {"columns": SALES}, "A,2026-01-01,1,,1,1")
    company.land("transactions/g.csv", "a,b\n1,2\n")
    company.load("transactions")
    assert company.books()["g.csv"][0] == "refused"
    assert "no column 'Order ID'" in company.reason("g.csv")
    # So is one that comes alone on a later day.
    company.land("transactions/h.csv", "a,b\n1,2\n")
    company.load("transactions")
    assert company.books()["h.csv"][0] == "refused"


def test_a_wrong_date_format_is_an_error_of_the_settings(company):
    mapping = {"columns": SALES, "date_format": "%Y-%Q"}
    transactions(company, mapping, "A,2026-01-01,1,,1,1")
    message = load_error(company, "transactions")
    assert message.startswith(":1: feeds.transactions.date_format: ")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("yyyy-mm-dd", "write '%Y-%m-%d'"),
        ("dd.MM.yyyy HH:mm:ss", "write '%d.%m.%Y %H:%M:%S'"),
        ("Y/m/d", "such as '%Y/%m/%d' for 2026/05/31"),
        ("iso", "such as '%Y/%m/%d' for 2026/05/31"),
    ],
)
def test_a_date_format_without_a_percent_sign_is_refused(company, given, hint):
    # No file is needed to see that.
    company.settings({"feeds": {"transactions": {"date_format": given}}})
    assert load_error(company, "transactions") == (
        ":1: feeds.transactions.date_format: is written in the letters of strptime,"
        f" each after a %: {hint} (given: {given})"
    )


def test_hostile_values_are_values(company):
    columns = {
        **SALES,
        "category": {"expr": "'''; drop table raw.files; --' || kind || \"Qty\""},
    }
    company.settings(
        {
            "feeds": {
                "transactions": {
                    "columns": columns,
                    "constants": {"channel": "'); drop table raw.files; --"},
                }
            }
        }
    )
    company.land("transactions/f.csv", HEAD + "A,2026-01-01,1,sale,1,1\n")
    company.load("transactions")
    assert company.rows("select category, channel from raw.transactions") == [
        ("'; drop table raw.files; --sale1", "'); drop table raw.files; --")
    ]


def test_parts_of_mappings_that_came_later_leave_older_digests_alone(company):
    # Else a new version of Fenji would read every file again.
    rates = feeds()["exchange_rates"]  # without a masked column
    at_first = ["encoding", "delimiter", "header_row", "sheet", "date_format"]
    content = {
        "reader": READER_VERSION,
        "timezone": "UTC",
        "mapping": {**dict.fromkeys(at_first), "columns": {}, "constants": {}},
        "is_taken": False,
        "columns": [
            (column.name, column.type, column.values, column.required)
            for column in rates.columns
        ],
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    assert (
        mapping_digest(company.project, rates, FeedMapping())
        == hashlib.sha256(text.encode()).hexdigest()
    )
