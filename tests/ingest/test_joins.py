"""Files that a mapping joins: whose columns it reads, and what becomes of each row."""

import hashlib
import json
from decimal import Decimal

import pytest

from ingest import ledger
from ingest.landing import find_files
from ingest.load import look
from ingest.mapping import READER_VERSION, mapping_digest
from ingest.preview import preview
from project.errors import ConfigurationError
from project.mappings import FeedMapping
from sql.contracts import contract, feeds
from sql.selects import select_of
from tests.ingest.test_archives import zipped
from tests.ingest.test_formats import workbook

BOOKS = select_of(contract("marts", "feed_reconciliation"))

ITEMS = (
    "order,line,product,qty\n"
    "O1,1,P1,2\n"
    "O1,2,P2,1\n"
    "O2,1,P1,3\n"
    "O3,1,P9,4\n"
    "O1,3,P1,x\n"
    "draft,1,P1,9\n"
)
# A key is compared without blanks around it.
ORDERS = "order,customer,day\n O1 ,C1,2026-05-01\nO2,C2,2026-05-02\nO7,C9,2026-05-03\n"
PRODUCTS = "sku,price,group\nP1,1.50,tea\nP2,10,cups\nP3,7,cups\n"

JOIN = {
    "orders": {"files": "orders*.csv", "on": "order"},
    "products": {"files": "products.*", "on": {"sku": "product"}},
}
COLUMNS = {
    "transaction_id": "order",
    "line_no": "line",
    "customer_id": "orders.customer",
    "occurred_at": {"expr": "coalesce(orders.day, '2026-05-09')"},
    "category": "products.group",
    "quantity": "qty",
    "amount": {
        "expr": 'cast(qty as decimal(9,2)) * cast("products.price" as decimal(9,2))'
    },
}
# Every part of the amount of O3 is there but the price.
WITHOUT_PRICE = {
    **COLUMNS,
    "amount": {
        "expr": "cast(qty as decimal(9,2)) * coalesce(products.price, '0')::int"
    },
}


def mapped(company, **more):
    mapping = {
        "files": "items*",
        "join": JOIN,
        "where": '"order" <> \'draft\' or "order" is null',
        "columns": COLUMNS,
        **more,
    }
    company.settings({"feeds": {"transactions": mapping}})


def landed(company, items=ITEMS, orders=ORDERS, products=PRODUCTS):
    company.land("transactions/items.csv", items)
    company.land("transactions/orders.csv", orders)
    company.land("transactions/products.csv", products)


def counts(company):
    """Read, loaded, duplicate, rejected, skipped and unmatched of each file."""
    return company.rows(
        "select file, n_read, n_loaded, n_duplicate, n_rejected, n_skipped, n_unmatched"
        f" from ({BOOKS}) order by file"
    )


def loaded(company, *columns):
    return company.rows(
        f"select {', '.join(columns)} from raw.transactions order by _line_no"
    )


def test_orders_lines_and_products_are_one_row(company):
    mapped(company)
    landed(company)
    load = company.load_one("transactions")
    # O3 is in no order, and its P9 is no product: no amount, which is required.
    assert counts(company) == [("items.csv", 6, 3, 0, 2, 1, 1)]
    assert load.n_files == 1
    assert loaded(
        company, "transaction_id", "customer_id", "occurred_date", "category", "amount"
    ) == [
        ("O1", "C1", *company.rows("select date '2026-05-01'")[0], "tea", Decimal(3)),
        ("O1", "C1", *company.rows("select date '2026-05-01'")[0], "cups", Decimal(10)),
        (
            "O2",
            "C2",
            *company.rows("select date '2026-05-02'")[0],
            "tea",
            Decimal("4.5"),
        ),
    ]
    assert company.rejected() == [
        (4, "amount", "required_missing"),
        (5, "amount", "expression_failed"),
    ]


def test_what_is_joined_may_decide_which_rows_are_taken(company):
    mapped(company, where="products.group = 'cups'")
    landed(company)
    company.load("transactions")
    assert counts(company) == [("items.csv", 6, 1, 0, 0, 5, 0)]


def test_a_row_without_a_match_is_counted_and_loaded(company):
    mapped(company, columns=WITHOUT_PRICE)
    landed(company, items="order,line,product,qty\nO9,1,P1,1\n,2,P1,1\nO1,1,P1,1\n")
    company.load("transactions")
    # A blank key matches nothing, not even a blank one.
    assert counts(company) == [("items.csv", 3, 2, 0, 1, 0, 2)]


@pytest.mark.parametrize(
    ("again", "n_rejected", "n_loaded"),
    [
        ("O1,C1,2026-05-01\n", 0, 3),  # the same once more
        ("O1,C3,2026-05-01\n", 2, 1),  # another customer
    ],
)
def test_a_key_that_is_there_twice(company, again, n_rejected, n_loaded):
    mapped(company)
    landed(company, items="".join(ITEMS.splitlines(keepends=True)[:4]))
    company.land("transactions/orders-2.csv", "order,customer,day\n" + again)
    company.load("transactions")
    assert counts(company) == [("items.csv", 3, n_loaded, 0, n_rejected, 0, 0)]
    reasons = company.column("select reason_code from raw.rejected_rows")
    assert reasons == ["joined_twice"] * n_rejected


def test_a_condition_of_the_join_leaves_one_row_a_key(company):
    mapped(
        company,
        join={
            **JOIN,
            "orders": {
                "files": "orders.csv",
                "on": ["order"],
                "where": "\"day\" < '2026-05-04'",
            },
        },
    )
    landed(company, orders=ORDERS + "O1,C8,2026-05-04\n")
    company.load("transactions")
    assert [row[0] for row in loaded(company, "customer_id")] == ["C1", "C1", "C2"]


def test_a_broken_record_of_a_joined_file_is_nobodys_row(company):
    mapped(company)
    landed(company, orders=ORDERS + "O8,C8\n")
    company.load("transactions")
    assert company.reason("items.csv").startswith(
        "join.orders: landing/transactions/orders.csv, record 4: too_few_columns; mend"
    )
    landed(company)
    company.load("transactions")
    assert company.column("select status from raw.files") == ["loaded"]


def test_a_changed_joined_file_reads_again_what_needs_it(company):
    mapped(company)
    landed(company)
    company.land(
        "balances/b.csv", "customer_id,account_id,balance_date,balance_amount\n"
    )
    company.load()
    before = company.input_digest()
    assert company.load_one("transactions").n_new == 0
    landed(company, orders=ORDERS.replace("C1", "C5"))
    assert company.input_digest() != before
    company.land(
        "balances/b.csv", "customer_id,account_id,balance_date,balance_amount\n"
    )
    balances, transactions = company.load("balances", "transactions")
    assert (balances.n_new, transactions.n_new) == (0, 1)
    assert {row[0] for row in loaded(company, "customer_id")} == {"C5", "C2"}
    # The rows before are kept for who looks back.
    assert company.column("select count(*) from former.transactions") == [3]


def test_unchanged_joined_files_are_not_opened(company, monkeypatch):
    mapped(company)
    landed(company)
    project = company.project
    look(company.con, project)
    known = ledger.joined(company.con)
    assert {file.place for file in known} == {
        "landing/transactions/orders.csv",
        "landing/transactions/products.csv",
    }
    monkeypatch.setattr(ledger, "_hashed", None)  # whoever calls it fails
    files = find_files(project)
    with pytest.raises(TypeError):
        ledger.changes(project, (), files, ())
    ledger.note_joined(company.con, files)


def test_a_moved_joined_file_is_the_same(company):
    mapped(company)
    landed(company)
    company.load("transactions")
    before = company.input_digest()
    folder = company.root / "landing/transactions"
    (folder / "orders.csv").rename(folder / "orders-may.csv")
    assert company.input_digest() == before


@pytest.mark.parametrize("is_link", [False, True])
def test_joined_files_are_no_files_of_the_feed(company, is_link):
    mapped(company, files=None)
    landed(company)
    if is_link:
        file = company.root / "landing/transactions/orders.csv"
        target = file.rename(company.root / "elsewhere.csv")
        file.symlink_to(target)
    company.load("transactions")
    assert company.column("select path from raw.files") == ["items.csv"]


def test_a_file_that_another_feed_loads_may_be_joined(company):
    company.settings(
        {
            "feeds": {
                "balances": {
                    "join": {
                        "owners": {
                            "folder": "landing/customers",
                            "files": "*.csv",
                            "on": {"account": "account_id"},
                        }
                    },
                    "columns": {"customer_id": "owners.customer_id"},
                }
            }
        }
    )
    company.land("customers/c.csv", "customer_id,account\nC1,A1\nC2,A2\n")
    company.land(
        "balances/b.csv", "account_id,balance_date,balance_amount\nA2,2026-05-01,5\n"
    )
    customers, balances = company.load("customers", "balances")
    assert (customers.n_loaded, balances.n_loaded) == (2, 1)
    assert company.column("select customer_id from raw.balances") == ["C2"]


def test_a_join_may_use_what_an_earlier_one_brought(company):
    mapped(
        company,
        join={
            **JOIN,
            "people": {"files": "people.csv", "on": {"id": "orders.customer"}},
        },
        columns={**COLUMNS, "channel": "people.channel"},
    )
    landed(company)
    company.land("transactions/people.csv", "id,channel\nC1,web\n")
    company.load("transactions")
    assert loaded(company, "channel") == [("web",), ("web",), (None,)]


def test_a_key_may_be_worked_out(company):
    sku = {"expr": "replace(product, 'GTXPro', 'GTX Pro')"}
    mapped(
        company,
        join={**JOIN, "products": {"files": "products.csv", "on": {"sku": sku}}},
    )
    landed(
        company,
        items="order,line,product,qty\nO1,1,GTXPro,2\nO1,2,GTX Pro,1\n",
        products="sku,price,group\nGTX Pro,5,tea\n",
    )
    company.load("transactions")
    assert loaded(company, "amount") == [(10,), (5,)]


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "json", "csv.gz", "gb18030"])
def test_files_of_every_kind_are_joined(company, kind):
    folder = company.root / "landing/transactions"
    landed(company)
    (folder / "products.csv").unlink()
    table = company.con.sql(
        "select * from (values ('P1', 1.50, '茶'), ('P2', 10.00, '杯'))"
        ' as t (sku, price, "group")'
    )
    rows = [{"sku": "P1", "price": 1.5, "group": "茶"}]
    rows += [{"sku": "P2", "price": 10, "group": "杯"}]
    if kind == "parquet":
        table.write_parquet(str(folder / "products.parquet"))
    elif kind == "csv.gz":
        table.write_csv(str(folder / "products.csv.gz"), compression="gzip")
    elif kind == "gb18030":
        company.land(
            "transactions/products.csv",
            "sku,price,group\nP1,1.5,茶\nP2,10,杯\n".encode("gb18030"),
        )
    else:
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        text = lines if kind == "jsonl" else json.dumps(rows, ensure_ascii=False)
        company.land(f"transactions/products.{kind}", text)
    mapped(company)
    company.load("transactions")
    assert loaded(company, "category", "amount") == [
        ("茶", Decimal(3)),
        ("杯", Decimal(10)),
        ("茶", Decimal("4.5")),
    ]


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_rows_of_every_kind_get_columns(company, kind):
    folder = company.root / "landing/transactions"
    landed(company)
    (folder / "items.csv").unlink()
    items = company.con.sql(
        "select * from (values ('O1', 1, 'P1', 2), ('O2', 1, 'P2', 3),"
        " ('O1', 2, 'P1', null)) as t (\"order\", line, product, qty)"
    )
    if kind == "parquet":
        items.write_parquet(str(folder / "items.parquet"))
    else:
        company.con.execute(f"copy items to '{folder / 'items.jsonl'}' (format json)")
    mapped(company)
    company.load("transactions")
    assert counts(company)[0][1:] == (3, 2, 0, 1, 0, 0)
    assert loaded(company, "_line_no", "amount") == [(1, 3), (2, 30)]


def test_rows_keep_their_numbers_where_records_are_broken(company):
    mapped(company)
    landed(
        company,
        items="order,line,product,qty\nO1,1,P1,2\n\nO1,2\nO2,1,P2,1\nO2,2,P9,1\n",
    )
    company.load("transactions")
    assert loaded(company, "_line_no", "amount") == [(1, 3), (3, 10)]
    assert company.rejected() == [
        (2, None, "too_few_columns"),
        (4, "amount", "required_missing"),
    ]


def test_what_a_joined_file_holds_is_not_shown_of_rejected_rows(company):
    mapped(company)
    landed(company, orders=ORDERS.replace("C1", "13800138000"))
    company.load("transactions")
    shown = company.column("select raw_text from raw.rejected_rows")
    assert shown
    assert not any("13800138000" in text for text in shown)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"orders": {"files": "none.csv", "on": "order"}}, "no file is there for"),
        ({"orders": {"files": "orders.csv", "on": "nr"}}, "no column for nr"),
        (
            {"orders": {"files": "orders.csv", "on": {"order": "nr"}}},
            "join.orders: no column 'nr'",
        ),
        (
            {
                "orders": {
                    "files": "orders.csv",
                    "on": "order",
                    "where": "cast(day as integer) > 1",
                }
            },
            "orders.csv, record 1: its 'where' fails there",
        ),
    ],
)
def test_a_join_that_cannot_be_made_refuses_the_file(company, change, reason):
    mapped(company, join={**JOIN, **change})
    landed(company)
    company.load("transactions")
    assert company.books()["items.csv"][0] == "refused"
    assert reason in company.reason("items.csv")
    # It heals by itself.
    mapped(company)
    company.load("transactions")
    assert company.books()["items.csv"][0] == "loaded"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"on": []}, "feeds.transactions.join.orders.on: names no column"),
        ({"encoding": "utf-7000"}, "join.orders.encoding: is not an encoding"),
        ({"folder": "nowhere"}, "join.orders.folder: there is no such folder"),
        ({"where": "now() > 1"}, "feeds.transactions.join.orders.where: "),
        ({"where": "day"}, "feeds.transactions.join.orders.where: is no condition"),
    ],
)
def test_what_is_wrong_with_a_join_is_an_error_of_the_settings(
    company, change, message
):
    orders = {"files": "orders.csv", "on": "order", **change}
    mapped(company, join={**JOIN, "orders": orders})
    landed(company)
    with pytest.raises(ConfigurationError) as raised:
        company.load("transactions")
    assert message in str(raised.value)


def test_first_rows_are_shown_with_what_is_joined(company):
    mapped(company)
    landed(company)
    (head,) = preview(company.project, find_files(company.project)).files
    assert (head.status, head.n_read, head.n_unmatched) == ("loaded", 6, 1)
    assert [row["category"] for row in head.rows] == ["tea", "cups", "tea"]


def test_many_rows_are_joined_as_a_plain_join_would(company):
    company.settings(
        {
            "feeds": {
                "transactions": {
                    "files": "items.csv",
                    "join": {"orders": {"files": "orders.csv", "on": "o"}},
                    "columns": {
                        "transaction_id": "o",
                        "line_no": "n",
                        "customer_id": "orders.c",
                        "occurred_at": "orders.d",
                        "amount": "a",
                    },
                }
            }
        }
    )
    items = [(i, i * 7919 % 30_000, i % 97) for i in range(60_000)]
    orders = {
        o: (f"C{o % 500}", f"2026-05-{o % 28 + 1:02}") for o in range(0, 30_000, 3)
    }
    company.land(
        "transactions/items.csv",
        "n,o,a\n" + "".join(f"{n},{o},{a}\n" for n, o, a in items),
    )
    company.land(
        "transactions/orders.csv",
        "o,c,d\n" + "".join(f"{o},{c},{d}\n" for o, (c, d) in orders.items()),
    )
    company.load("transactions")
    matched = [(n, o, a) for n, o, a in items if o in orders]
    ((_, *found),) = counts(company)
    # Those without an order have no day, which is required.
    lost = len(items) - len(matched)
    assert found == [60_000, len(matched), 0, lost, 0, lost]
    assert dict(
        company.rows("select customer_id, sum(amount) from raw.transactions group by 1")
    ) == {
        c: sum(a for _, o, a in matched if orders[o][0] == c)
        for c in {orders[o][0] for _, o, _ in matched}
    }
    assert company.rows(
        "select count(*) from raw.transactions where line_no::int + 1 <> _line_no"
    ) == [(0,)]


def test_keys_are_compared_without_blanks_around_them(company):
    keys = ["O1", "编号", "-", "~", "!x!", "O 1", "é", "1\u00a01"]
    blanks = ["", " ", "\t", "\u00a0", "\u3000", " \u3000"]
    mapped(company, where=None)
    items = "".join(
        f'"{blank}{key}{blank}",{line},P1,2\n'
        for key in keys
        for line, blank in enumerate([*blanks, "x"])
    )
    # There blanks stand around each key, too, and a blank one is no key.
    orders = "".join(
        f'"{blank}{key}{blank}",C{place},2026-05-01\n'
        for place, (key, blank) in enumerate(zip(keys, [*blanks, "", ""], strict=True))
    )
    landed(
        company,
        items=f"order,line,product,qty\n{items}\u3000,9,P1,1\nNone,10,P1,1\n",
        orders=f"order,customer,day\n{orders}\u3000,C99,2026-05-01\n",
    )
    company.load_one("transactions")
    # A transaction needs an id: the row of the blank key is rejected.
    n = len(keys) * len(blanks)
    n_unmatched = len(keys) + 2
    assert counts(company) == [
        ("items.csv", n + n_unmatched, n + n_unmatched - 1, 0, 1, 0, n_unmatched)
    ]
    assert company.rows(
        "select customer_id, count(*) from raw.transactions where line_no != '6'"
        " group by all order by customer_id nulls last"
    ) == [*((f"C{place}", len(blanks)) for place in range(len(keys))), (None, 1)]


def test_rows_that_are_not_loaded_are_unmatched_unless_they_are_left_out(company):
    mapped(company)
    items = (
        "order,line,product,qty\n"
        "O1,1,P1,2\n"
        "O8,1,P1,2\n"  # in no order: loaded on the day that the mapping gives
        "O8,2,P1,x\n"  # and rejected
        "draft,1,P1,2\n"  # left out
    )
    landed(company, items=items)
    company.load_one("transactions")
    assert counts(company) == [("items.csv", 4, 2, 0, 1, 1, 2)]
    # None of the bad ones is left in the feed's table.
    assert company.rows("select count(*) from raw.transactions") == [(2,)]


OWNED = "order,line,product,qty\nO1,1,P1,2\nO2,1,P1,3\n"
# Each way to say how a file is read that mappings have, of a file that is joined.
FORMS = {
    "header_rows": (
        {"header_rows": 2, "on": {"order number": "order"}},
        "order,customer,day\nnumber,,\nO1,C1,2026-05-01\nO2,C2,2026-05-02\n",
    ),
    "skip_rows and trailer_rows": (
        {"skip_rows": 1, "trailer_rows": 1},
        (
            "order,customer,day\nO1,code,y-m-d\nO1,C1,2026-05-01\nO2,C2,2026-05-02\n"
            "O2,total,2\n"
        ),
    ),
    "broken records outside": (
        {"skip_rows": 1, "trailer_rows": 1},
        "order,customer,day\nunits\nO1,C1,2026-05-01\nO2,C2,2026-05-02\ntotal,2\n",
    ),
    "skip_lines": (
        {"skip_lines": ["#", "Total"]},
        (
            '# "orders\norder,customer,day\nO1,C1,2026-05-01\n#O2,C1,\n'
            "O2,C2,2026-05-02\nTotal,2\n"
        ),
    ),
    "repeated_header": (
        {"repeated_header": True},
        "order,customer,day\nO1,C1,2026-05-01\norder,customer,day\nO2,C2,2026-05-02\n",
    ),
    "quote": (
        {"quote": "'"},
        "order,customer,day\n'O1','C1','2026-05-01'\n'O2','C2',2026-05-02\n",
    ),
    "escape": (
        {"escape": "\\", "where": "customer <> 'a\"b'"},
        'order,customer,day\nO1,"a\\"b",x\nO1,C1,2026-05-01\nO2,C2,2026-05-02\n',
    ),
    "fixed_width": (
        {
            "fixed_width": {"order": [1, 4], "customer": [5, 6], "day": [7, 16]},
            "header_row": 1,
            "trailer_rows": 1,
            "skip_lines": ["--"],
        },
        "ordrcuday       \n--\nO1  C12026-05-01\nO2  C22026-05-02\nO2  no total",
    ),
}


@pytest.mark.parametrize("case", FORMS)
def test_joined_files_are_read_as_files_of_a_mapping_are(company, case):
    form, orders = FORMS[case]
    company.settings(
        {
            "feeds": {
                "transactions": {
                    "files": "items*",
                    "join": {"orders": {"files": "orders.csv", "on": "order", **form}},
                    "columns": {
                        "transaction_id": "order",
                        "customer_id": "orders.customer",
                        "occurred_at": "orders.day",
                        "amount": "qty",
                    },
                }
            }
        }
    )
    company.land("transactions/items.csv", OWNED)
    company.land("transactions/orders.csv", orders)
    load = company.load_one("transactions")
    assert load.refused == ()
    assert counts(company) == [("items.csv", 2, 2, 0, 0, 0, 0)]
    assert loaded(company, "customer_id", "occurred_date::varchar") == [
        ("C1", "2026-05-01"),
        ("C2", "2026-05-02"),
    ]


def test_sheets_and_members_of_archives_are_joined(company):
    company.settings(
        {
            "feeds": {
                "transactions": {
                    "files": "items*",
                    "join": {
                        "orders": {
                            "files": "orders.xlsx",
                            "on": "order",
                            "sheet": "2026-*",
                            "trailer_rows": 1,
                        },
                        "products": {"files": "p.zip", "on": {"sku": "product"}},
                    },
                    "columns": COLUMNS,
                }
            }
        }
    )
    head = ["order", "customer", "day"]
    sheets = {
        "2026-04": [head, ["O1", "C1", "2026-04-01"], ["O9", "sum", "1"]],
        "2026-05": [head, ["O2", "C2", "2026-05-02"], ["O9", "sum", "1"]],
        "Notes": [["read me"]],
    }
    book = company.land("transactions/orders.xlsx", b"")
    workbook(book, sheets)
    company.land(
        "transactions/p.zip",
        zipped(
            [
                ("a/1.csv", "sku,price,group\nP1,1.50,tea\n"),
                ("a/2.csv", "sku,price,group\nP2,10,cups\n"),
            ]
        ),
    )
    company.land("transactions/items.csv", ITEMS.replace("P9", "P2"))
    load = company.load_one("transactions")
    assert load.refused == ()
    assert load.n_files == 1  # the joined ones are none of the feed's
    # O3 and the draft are in no order, which costs them their customer alone.
    assert counts(company) == [("items.csv", 6, 5, 0, 1, 0, 2)]
    assert loaded(company, "transaction_id", "customer_id", "category") == [
        ("O1", "C1", "tea"),
        ("O1", "C1", "cups"),
        ("O2", "C2", "tea"),
        ("O3", None, "cups"),
        ("draft", None, "tea"),
    ]
    # One more sheet, and what needs it is read again.
    sheets["2026-06"] = [head, ["O3", "C3", "2026-06-02"], ["O9", "sum", "1"]]
    workbook(book, sheets)
    assert company.load_one("transactions").n_new == 1
    assert counts(company) == [("items.csv", 6, 5, 0, 1, 0, 1)]


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"quote": ","}, "join.orders.quote: is ',', which parts columns"),
        ({"escape": "é"}, "join.orders.escape: is one ASCII sign"),
        ({"fixed_width": {"a": [3, 2]}}, "join.orders.fixed_width.a: is the first"),
        ({"header_row": 0, "header_rows": 2}, "join.orders.header_rows: says nothing"),
    ],
)
def test_what_is_no_form_is_an_error_of_the_join(company, form, problem):
    mapped(company, join={"orders": {"files": "o.csv", "on": "order", **form}})
    with pytest.raises(ConfigurationError, match=problem):
        find_files(company.project)


def test_forms_that_a_join_has_not_leave_older_digests_alone(company):
    # Else a new version of Fenji would read every file with a join again.
    feed = feeds()["exchange_rates"]  # without a masked column
    join = {"orders": {"files": "o.csv", "on": "order"}}
    mapping = FeedMapping.model_validate({"join": join})
    at_first = ["encoding", "delimiter", "header_row", "sheet"]
    content = {
        "reader": READER_VERSION,
        "timezone": "UTC",
        "mapping": {
            **dict.fromkeys([*at_first, "date_format"]),
            "columns": {},
            "constants": {},
            "join": {
                "orders": {
                    **dict.fromkeys([*at_first, "folder", "where"]),
                    "files": "o.csv",
                    "on": "order",
                }
            },
        },
        "is_taken": False,
        "columns": [
            (column.name, column.type, column.values, column.required)
            for column in feed.columns
        ],
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    assert (
        mapping_digest(company.project, feed, mapping)
        == hashlib.sha256(text.encode()).hexdigest()
    )
    join["orders"]["quote"] = ""
    quoted = FeedMapping.model_validate({"join": join})
    assert mapping_digest(company.project, feed, quoted) != mapping_digest(
        company.project, feed, mapping
    )


@pytest.mark.parametrize("n_more", [0, 5])
def test_values_are_the_same_whether_made_before_or_after_the_join(company, n_more):
    # With more orders than lines they are made of the joined rows.
    company.settings(
        {
            "timezone": "Asia/Shanghai",
            "feeds": {
                "transactions": {
                    "files": "items*",
                    "join": {"orders": {"files": "orders.csv", "on": "order"}},
                    "date_format": ["%Y-%m-%d %H:%M", "%d.%m.%Y"],
                    "null_values": ["none"],
                    "columns": {
                        "transaction_id": "order",
                        "line_no": "line",
                        "customer_id": "orders.customer",
                        "occurred_at": "orders.day",
                        "amount": "orders.total",
                        "quantity": "orders.pieces",
                    },
                }
            },
        }
    )
    company.land(
        "transactions/items.csv",
        "order,line\n" + "".join(f"O{n},{line}\n" for n in range(6) for line in (1, 2)),
    )
    company.land(
        "transactions/orders.csv",
        "order,customer,day,total,pieces\n"
        "O0,C1,2026-05-01 23:30,1.005,2\n"
        "O1,C2, 31.05.2026 ,10000000000000,1\n"
        "O2,C3,2026-05-41 10:00,5,1\n"
        "O3,C4,01.05.2026,none,1\n"
        "O4,C5,01.05.2026,7,none\n"
        + "".join(f"X{n},C,2026-05-01 10:00,1,1\n" for n in range(2 * n_more)),
    )
    company.load_one("transactions")
    assert loaded(
        company, "transaction_id", "occurred_date::varchar", "amount", "quantity"
    ) == [
        ("O0", "2026-05-01", Decimal("1.01"), Decimal(2)),
        ("O0", "2026-05-01", Decimal("1.01"), Decimal(2)),
        ("O4", "2026-05-01", Decimal(7), None),
        ("O4", "2026-05-01", Decimal(7), None),
    ]
    reasons = [
        ("amount", "out_of_range"),
        ("occurred_at", "not_a_date"),
        ("amount", "required_missing"),
        ("occurred_at", "required_missing"),
    ]
    assert [row[1:] for row in company.rejected()] == [
        reason for reason in reasons for _ in range(2)
    ]
