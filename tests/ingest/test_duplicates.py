"""Which rows count: repeated, replaced and contradicting ones, in whatever order."""

from collections import Counter
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.raw_tables import feed_columns

LINES = "transaction_id,line_no,customer_id,occurred_at,amount\n"


def line(transaction, number="", customer="C", amount="1"):
    return f"{transaction},{number},{customer},2026-01-01,{amount}\n"


def counted(company, columns="transaction_id, line_no, amount::integer"):
    return company.rows(f"select {columns} from staging.transactions order by all")


def test_a_repeated_row_is_a_duplicate(company):
    company.land("transactions/a.csv", LINES + line("T", 1) + line("T", 2))
    company.land("transactions/b.csv", LINES + line("T", 2) + line("T", 3))
    company.load("transactions")
    assert counted(company) == [("T", "1", 1), ("T", "2", 1), ("T", "3", 1)]
    assert company.books() == {
        "a.csv": ("loaded", 2, 2, 0, 0),
        "b.csv": ("loaded", 2, 1, 1, 0),
    }


def test_of_two_contents_the_later_file_counts_and_both_are_loaded(company):
    company.land("transactions/b.csv", LINES + line("T", 1, amount=2))
    company.land("transactions/a.csv", LINES + line("T", 1, amount=1))
    company.load("transactions")
    assert counted(company) == [("T", "1", 2)]
    assert company.books() == {
        "a.csv": ("loaded", 1, 1, 0, 0),
        "b.csv": ("loaded", 1, 1, 0, 0),
    }
    assert company.rows("select status, line_no from raw.row_status") == [
        ("superseded", 1)
    ]


def test_a_file_that_comes_late_but_sorts_early_changes_nothing_that_counts(company):
    company.land("transactions/b.csv", LINES + line("T", 1, amount=2))
    company.load("transactions")
    company.land("transactions/a.csv", LINES + line("T", 1, amount=1))
    company.load("transactions")
    assert counted(company) == [("T", "1", 2)]


def test_within_a_file_the_later_line_counts(company):
    rows = line("T", 1, amount=1) + line("T", 1, amount=2) + line("T", 1, amount=1)
    company.land("transactions/a.csv", LINES + rows)
    company.load("transactions")
    # The last row says 1, as the first did: it is a duplicate, and what it says counts.
    assert counted(company) == [("T", "1", 1)]
    assert company.books()["a.csv"] == ("loaded", 3, 2, 1, 0)


def test_names_are_compared_byte_by_byte(company):
    for name, amount in (("B.csv", 1), ("a.csv", 2), ("é.csv", 4), ("z.csv", 3)):
        company.land(f"transactions/{name}", LINES + line("T", 1, amount=amount))
    company.load("transactions")
    assert counted(company) == [("T", "1", 4)]


def test_equal_lines_of_a_file_are_separate_where_they_have_no_number(company):
    company.land("transactions/a.csv", LINES + line("T") * 3 + line("T", amount=5))
    company.load("transactions")
    assert [row[2] for row in counted(company)] == [1, 1, 1, 5]
    assert company.books()["a.csv"] == ("loaded", 4, 4, 0, 0)


def test_a_content_counts_as_often_as_in_the_file_that_has_it_most_often(company):
    company.land("transactions/a.csv", LINES + line("T") * 2)
    company.land("transactions/b.csv", LINES + line("T") * 3 + line("T", amount=7))
    company.land("transactions/c.csv", LINES + line("T") * 1)
    company.load("transactions")
    assert [row[2] for row in counted(company)] == [1, 1, 1, 7]
    assert company.books() == {
        "a.csv": ("loaded", 2, 2, 0, 0),
        "b.csv": ("loaded", 4, 2, 2, 0),
        "c.csv": ("loaded", 1, 0, 1, 0),
    }


def test_lines_with_and_without_numbers_stay_apart(company):
    company.land(
        "transactions/a.csv", LINES + line("T") + line("T", 1) + line("T", " ")
    )
    company.load("transactions")
    assert len(counted(company)) == 3


def test_the_absent_part_of_a_key_is_its_default(company):
    head = "customer_id,account_id,balance_date,balance_amount"
    company.land("balances/a.csv", f"{head}\nC,A,2026-01-01,5\n")
    company.land("balances/b.csv", f"{head},asset_class\nC,A,2026-01-01,5,deposit\n")
    company.land("balances/c.csv", f"{head},asset_class\nC,A,2026-01-01,7,fund\n")
    company.load("balances")
    assert company.rows(
        "select asset_class, balance_amount::integer from staging.balances order by all"
    ) == [("deposit", 5), ("fund", 7)]
    assert company.books()["b.csv"] == ("loaded", 1, 0, 1, 0)


def test_null_is_a_value_of_a_key(company):
    head = "customer_id,category,period_start,period_end,total_spend_amount\n"
    row = "C,{},2026-01-01,2026-12-31,{}\n"
    company.land("wallet/a.csv", head + row.format("", 1) + row.format("x", 2))
    company.land("wallet/b.csv", head + row.format("", 3))
    company.load("wallet")
    assert company.rows(
        "select category, total_spend_amount::integer from staging.wallet order by all"
    ) == [("x", 2), (None, 3)]


def test_transactions_of_two_customers_are_rejected(company):
    company.land(
        "transactions/a.csv",
        LINES
        + line("T", 1, "A")
        + line("T", 2, "B")
        + line("T", 3, "")
        + line("U", 1, "A")
        + line("U", 2, "")
        + line("V", 1, ""),
    )
    company.load("transactions")
    assert sorted({row[0] for row in counted(company)}) == ["U", "V"]
    assert company.rejected() == [
        (n, "customer_id", "two_customers") for n in (1, 2, 3)
    ]
    assert company.books()["a.csv"] == ("loaded", 6, 3, 0, 3)


def test_a_replaced_line_names_no_customer(company):
    company.land("transactions/a.csv", LINES + line("T", 1, "A") + line("T", 2, "B"))
    company.load("transactions")
    assert counted(company) == []
    company.land("transactions/b.csv", LINES + line("T", 1, "B"))
    company.load("transactions")
    assert counted(company) == [("T", "1", 1), ("T", "2", 1)]
    assert company.rejected() == []
    company.land("transactions/c.csv", LINES + line("T", 3, "C"))
    company.load("transactions")
    assert counted(company) == []
    assert len(company.rejected()) == 3
    assert company.books() == {
        "a.csv": ("loaded", 2, 1, 0, 1),
        "b.csv": ("loaded", 1, 0, 0, 1),
        "c.csv": ("loaded", 1, 0, 0, 1),
    }


def test_a_changed_file_replaces_all_its_rows(company):
    company.land("transactions/a.csv", LINES + line("T", 1, amount=1) + line("U", 1))
    company.land("transactions/b.csv", LINES + line("T", 1, amount=2))
    company.load("transactions")
    company.land("transactions/b.csv", LINES + line("W", 1))
    load = company.load_one("transactions")
    assert (load.n_files, load.n_new, load.n_read) == (2, 1, 1)
    assert counted(company) == [("T", "1", 1), ("U", "1", 1), ("W", "1", 1)]
    assert company.books()["b.csv"] == ("loaded", 1, 1, 0, 0)


def test_a_file_that_is_gone_keeps_its_rows_until_it_is_forgotten(company):
    company.land("transactions/a.csv", LINES + line("T", 1, amount=1))
    file = company.land("transactions/b.csv", LINES + line("T", 1, amount=2))
    company.load("transactions")
    file.unlink()
    company.load("transactions")
    assert counted(company) == [("T", "1", 2)]
    assert company.forget("b.csv") == 1
    company.load("transactions")
    assert counted(company) == [("T", "1", 1)]
    assert list(company.books()) == ["a.csv"]


ROWS = st.lists(
    st.tuples(
        st.sampled_from("TU"),  # transaction
        st.sampled_from(["", "1"]),  # line
        st.sampled_from(["A", "A", "A", "B", ""]),  # customer
        st.sampled_from([1, 2]),  # amount
    ),
    max_size=4,
)
FILES = st.dictionaries(st.sampled_from(["a", "b", "B", "c/a"]), ROWS, min_size=1)


def reference(files):
    """(counted rows, books) by the words of the contract, row by row."""
    order = sorted(files, key=str.encode)
    placed = [(path, row) for path in order for row in files[path]]
    duplicates: Counter = Counter()
    kept = []
    seen: Counter = Counter()
    for path in order:
        here: Counter = Counter()
        for row in files[path]:
            here[row] += 1
            # A numbered row is there once; the n-th equal row without a number is
            # there when an earlier file had n of them.
            if seen[row] >= (1 if row[1] else here[row]):
                duplicates[path] += 1
            else:
                kept.append((path, row))
            if row[1]:
                seen[row] = 1
        for row, n in here.items():
            seen[row] = max(seen[row], n)
    last = {row[:2]: row for _, row in placed if row[1]}
    kept_counted = [
        (path, row) for path, row in kept if not row[1] or last[row[:2]] == row
    ]
    customers: dict = {}
    for _, row in kept_counted:
        customers.setdefault(row[0], set()).add(row[2])
    torn = {name for name, who in customers.items() if len(who - {""}) > 1}
    rejected = Counter(path for path, row in kept_counted if row[0] in torn)
    books = {
        f"{path}.csv": (
            "loaded",
            len(files[path]),
            len(files[path]) - duplicates[path] - rejected[path],
            duplicates[path],
            rejected[path],
        )
        for path in files
    }
    return Counter(row for _, row in kept_counted if row[0] not in torn), books


def content(rows):
    return LINES + "".join(line(t, n, c, a) for t, n, c, a in rows)


def compare(company, files):
    found = Counter(
        (transaction, number or "", customer or "", int(amount))
        for transaction, number, customer, amount in company.rows(
            "select transaction_id, line_no, customer_id, amount"
            " from staging.transactions"
        )
    )
    assert (found, company.books()) == reference(files)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_what_counts_depends_on_the_set_of_files_only(company, data):
    company.load("transactions")
    former_files = company.column("select path from raw.files")
    for path in former_files:
        (company.root / "landing/transactions" / path).unlink()
    if former_files:
        company.forget(*(f"transactions/{path}" for path in former_files))
    assert company.column("select count(*) from raw.row_status") == [0]
    former, final = data.draw(FILES), data.draw(FILES)
    arrival = data.draw(st.permutations(sorted(set(former) | set(final))))
    now = {}
    for path in arrival:
        now[path] = former.get(path, final.get(path))
        company.land(f"transactions/{path}.csv", content(now[path]))
        if data.draw(st.booleans()):
            company.load("transactions")
            compare(company, now)
    for path in arrival:
        if path in final:
            now[path] = final[path]
            company.land(f"transactions/{path}.csv", content(now[path]))
    company.load("transactions")
    compare(company, now)


def test_amounts_of_content_are_compared_as_they_are_typed(company):
    company.land("transactions/a.csv", LINES + line("T", 1, amount="1.0"))
    company.land("transactions/b.csv", LINES + line("T", 1, amount="1.00"))
    company.load("transactions")
    assert company.column("select amount from staging.transactions") == [
        Decimal("1.00")
    ]
    assert company.books()["b.csv"] == ("loaded", 1, 0, 1, 0)


def test_columns_of_a_feed_are_those_of_all_its_files(company):
    company.land("customers/a.csv", "customer_id,city\n1,x\n")
    company.land("customers/b.csv", "customer_id,industry\n2,y\n")
    company.load("customers")
    assert feed_columns(company.con) == {
        "customers": {"customer_id", "city", "industry"}
    }
