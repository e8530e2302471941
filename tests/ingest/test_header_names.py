"""Which names of a header may be a column, and what of a header may be told."""

import pytest

from ingest import header_names
from ingest.mapping import UnusableHeader, bind
from project.settings import FeedMapping
from sql.contracts import feeds

HEADER = ("order_id", "buyer", "day", "amount_cny", "note")
COLUMNS = {
    "transaction_id": "order_id",
    "customer_id": "buyer",
    "occurred_at": "day",
    "amount": "amt",
}


@pytest.mark.parametrize(
    ("names", "column", "header", "nearest"),
    [
        (["amt"], "amount", HEADER, "amount_cny"),
        (["实付"], "amount", ("备注", "实付金额(元)", "单号"), "实付金额(元)"),
        (["Date"], "occurred_at", ("x", "Order-Date", "订单日期"), "Order-Date"),
        (["kanal"], "channel", ("kanál", "渠道"), "渠道"),
        (["Сумма"], "amount", ("Сумма, руб", "x"), "Сумма, руб"),
        (["amt"], "amount", ("x", "y" * 200), None),
        (["amt"], "amount", (), None),
    ],
)
def test_the_nearest_header(names, column, header, nearest):
    found = header_names.near(header, names, column)
    assert (header[found[0]] if found else None) == nearest


def test_no_more_than_three_are_told():
    header = ("total", "total amount", "line total", "sales amount", "revenue")
    assert header_names.near(header, [], "amount") == [0, 1, 2]


@pytest.mark.parametrize(
    ("columns", "header", "told"),
    [
        (COLUMNS, HEADER, "for amount; amt: renamed to 'amount_cny' (column 4)?;"),
        (
            COLUMNS,
            ("order_id", "buyer", "day", "金额", "total"),
            "; amt: renamed to '金额' (column 4) or 'total' (column 5)?;",
        ),
        # A column that is read already is none.
        ({**COLUMNS, "quantity": "amount_cny"}, HEADER, "for amount; the file has"),
        # A row of data may stand there: only places are told.
        (COLUMNS, ("order_id", "Amts"), "no column 'buyer', which"),
        ({"amount": "amt"}, ("amts", "Anna"), "; column 1 is almost 'amt'; the file"),
        (COLUMNS, ("order_id", "buyer", "day", "amount 13812345678"), "; the file has"),
        (
            {},
            ("transaction_id", "occurred_at", "total"),
            "; amount: renamed to 'total'",
        ),
    ],
)
def test_what_a_missing_column_may_be_called_now(columns, header, told):
    mapping = FeedMapping(columns=columns)
    with pytest.raises(UnusableHeader) as raised:
        bind(feeds()["transactions"], mapping, header)
    assert told in str(raised.value)
    assert "Anna" not in str(raised.value)
    assert "138" not in str(raised.value)


def test_keys_of_json_have_no_places():
    mapping = FeedMapping(columns=COLUMNS)
    with pytest.raises(UnusableHeader, match=r"renamed to 'amount_cny'\?"):
        bind(feeds()["transactions"], mapping, HEADER, numbered=False)


@pytest.mark.parametrize(
    ("n_known", "names"), [(1, None), (2, ("note", "till")), (3, ("note", "till"))]
)
def test_what_is_remembered_of_a_header(n_known, names):
    header = ["id", "note", "", "till", "note", "a@b.c", "n" * 101]
    assert header_names.unused(header, {0}, n_known) == names
