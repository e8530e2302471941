"""Headers by their words and prefixes, files by their names."""

from pathlib import Path

import pytest

from ingest.header_names import shared_prefix, word_key, words
from ingest.matching import Hints, best_feed, hints_of, matched
from sql.contracts import feeds

STORE_SALES = (
    "ss_sold_date_sk",
    "ss_item_sk",
    "ss_customer_sk",
    "ss_store_sk",
    "ss_ticket_number",
    "ss_quantity",
    "ss_sales_price",
    "ss_net_paid",
)
CLASSIC = (
    "orderNumber",
    "orderLineNumber",
    "productCode",
    "quantityOrdered",
    "priceEach",
    "orderDate",
)
NORTHWIND = ["Id", "Client_id", "OrderDate", "ShipCity", "Country", "City"]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("orderLineNumber", ("order", "line", "number")),
        ("Client_id", ("client", "id")),
        ("customerID", ("customer", "id")),
        ("IDCard", ("id", "card")),
        ("SKU", ("sku",)),
        ("Order Date", ("order", "date")),
        ("金额RMB", ("金额", "rmb")),
        ("column12", ("column", "12")),
        ("Сумма, руб", ("сумма", "руб")),
        ("", ()),
    ],
)
def test_names_are_parted_into_words(name, parts):
    assert words(name) == parts


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("AmountTotal", "total amount", True),
        ("quantityOrdered", "Quantity", True),
        ("customer_sk", "customerId", True),
        ("金额RMB", "金额", True),
        ("rmb", "", False),
        ("order date", "order", False),
    ],
)
def test_names_of_the_same_words_are_alike(one, other, alike):
    assert (word_key(one) == word_key(other)) == alike


@pytest.mark.parametrize(
    ("header", "prefix"),
    [
        (STORE_SALES, "ss_"),
        (["c_id", "c_name", "c_mail", "c_city", "note"], "c_"),  # four of five
        (["c_id", "c_name", "c_mail", "note"], ""),  # three of four
        (["c_id", "c_name"], ""),
        (["C_ID", "c_name", "c_mail"], "c_"),
        (["a", "b", "c"], ""),
        ([], ""),
    ],
)
def test_a_prefix_is_one_that_nearly_all_columns_share(header, prefix):
    assert shared_prefix(header) == prefix


@pytest.mark.parametrize(
    ("header", "feed", "hints", "found"),
    [
        (
            STORE_SALES,
            "transactions",
            Hints(),
            {
                "ss_item_sk": "product_id",
                "ss_customer_sk": "customer_id",
                "ss_store_sk": "store_id",
                "ss_ticket_number": "transaction_id",
                "ss_quantity": "quantity",
                "ss_sales_price": "unit_price",
                "ss_net_paid": "amount",
            },
        ),
        (
            CLASSIC,
            "transactions",
            Hints(),
            {
                "orderNumber": "transaction_id",
                "orderLineNumber": "line_no",
                "productCode": "product_id",
                "quantityOrdered": "quantity",
                "priceEach": "unit_price",
                "orderDate": "occurred_at",
            },
        ),
        (
            ["c_customer_sk", "c_email_address", "c_birth_year", "c_city"],
            "customers",
            Hints(),
            {
                "c_customer_sk": "customer_id",
                "c_email_address": "email",
                "c_city": "city",
            },
        ),
        # Its own name goes before other words for the same.
        (
            ["member no", "customer_id"],
            "customers",
            Hints(),
            {"customer_id": "customer_id"},
        ),
        (["Id", "x"], "transactions", Hints(), {}),
        (
            ["Id"],
            "transactions",
            Hints(frozenset({"transactions"})),
            {"Id": "transaction_id"},
        ),
        (
            ["Id"],
            "transactions",
            Hints(frozenset({"transactions"}), is_lines=True),
            {"Id": "line_no"},
        ),
        (["Id"], "customers", Hints(frozenset({"customers"})), {"Id": "customer_id"}),
    ],
)
def test_headers_are_matched(header, feed, hints, found):
    assert matched(header, feeds()[feed], hints) == found


@pytest.mark.parametrize(
    ("file", "feed", "is_lines"),
    [
        ("Order/whole.parquet", "transactions", False),
        ("OrderDetail/whole.parquet", "transactions", True),
        ("x/store_sales.csv.gz", "transactions", False),
        ("orders/members.csv", "customers", False),  # the file goes before its folder
        ("x/会员资料2026.xlsx", "customers", False),
        ("x/订单明细.csv", "transactions", True),
        ("x/ticket_ratings.csv", "ticket_ratings", False),
        ("x/export.csv", None, False),
    ],
)
def test_names_of_files_are_hints(file, feed, is_lines):
    hints = hints_of(Path(file))
    assert feed in hints.feeds if feed else not hints.feeds
    assert hints.is_lines == is_lines


def test_an_order_is_no_customer():
    header = NORTHWIND
    hints = hints_of(Path("nw/Order/whole.parquet"))
    assert best_feed(header, hints).table == "transactions"
    assert best_feed(header, Hints()).table == "customers"
    # Columns count more where there are some.
    members = ["member no", "name", "sex", "birthday", "city", "mobile", "email"]
    assert best_feed(members, hints).table == "customers"
    assert best_feed(["alpha"], Hints(frozenset({"customers"}))) is None
