"""Which names of a header may be a column, and what of a header may be told."""

import pytest

from ingest import header_names
from ingest.mapping import UnusableHeader, bind, near_column
from project.mappings import FeedMapping
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
        # A number of customers is their id, their name is not.
        (["customer_nr"], "x", ("customerName", "customerNumber"), "customerNumber"),
        (["cust_id"], "x", ("custName", "custNo"), "custNo"),
        (["会员编号"], "x", ("会员姓名", "会员卡号"), "会员卡号"),
        # And yet the nearer name goes first.
        (["order_id"], "x", ("user_id", "ordr_ids"), "ordr_ids"),
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


STORE = (
    "ss_ticket_number",
    "ss_item_sk",
    "ss_customer_sk",
    "ss_quantity",
    "ss_net_paid",
    *(f"ss_other_{number}" for number in range(11)),
)


@pytest.mark.parametrize(
    ("header", "name", "told"),
    [
        (STORE, "ss_net_payd", "; did you mean 'ss_net_paid' (column 5)?"),
        # Fewer than a quarter of the names, or than three, may be words of a row.
        ((*STORE, *"abcde"), "ss_net_payd", "; column 5 is almost 'ss_net_payd'"),
        (("email", "phone", "Anna"), "Ana", "; column 3 is almost 'Ana'"),
        (("email", "phone", "x", "memo"), "memoo", "; column 4 is almost 'memoo'"),
        (
            ("email", "phone", "sex", "memo"),
            "memoo",
            "; did you mean 'memo' (column 4)?",
        ),
        (
            ("email", "phone", "city", "ann 13812345678"),
            "ann 1381234567",
            "; column 4 is almost 'ann 1381234567'",
        ),
        (
            ("customerName", "customerNumber", "addressLine1"),
            "customer_id",
            "; column 2 is almost 'customer_id'",
        ),
        ((), "x", ""),
    ],
)
def test_a_name_is_told_where_the_line_is_a_header(header, name, told):
    assert near_column(header, name) == told


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
