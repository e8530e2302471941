"""One file for several feeds, or for several parts of one, without a copy of it."""

from ingest.forget import find
from ingest.landing import find_files
from sql.contracts import contract
from sql.selects import select_of

BOOKS = select_of(contract("marts", "feed_reconciliation"))

SALES = "no,customer,day,sold,returned,returned_on\n"
ROWS = "1,C1,2026-05-01,10,,\n2,C1,2026-05-02,20,5,2026-05-09\n3,C2,2026-05-03,30,,\n"

SOLD = {
    "files": "sales.csv",
    "columns": {
        "transaction_id": "no",
        "customer_id": "customer",
        "occurred_at": "day",
        "amount": "sold",
    },
}
RETURNED = {
    "files": "sales.csv",
    "part": "returned",
    "where": "returned <> ''",
    "columns": {
        "transaction_id": {"expr": "no || '-R'"},
        "original_transaction_id": "no",
        "customer_id": "customer",
        "occurred_at": "returned_on",
        "amount": {"expr": "-cast(returned as decimal(9,2))"},
    },
}


def counts(company):
    return company.rows(
        "select file, n_read, n_loaded, n_duplicate, n_rejected, n_skipped"
        f" from ({BOOKS}) order by file"
    )


def mapped(company, *mappings):
    company.settings({"feeds": {"transactions": list(mappings)}})


def test_two_parts_of_one_file(company):
    mapped(company, SOLD, RETURNED)
    company.land("transactions/sales.csv", SALES + ROWS)
    load = company.load_one("transactions")
    assert (load.n_files, load.n_new) == (2, 2)
    assert counts(company) == [
        ("sales.csv", 3, 3, 0, 0, 0),
        ("sales.csv#returned", 3, 1, 0, 0, 2),
    ]
    assert company.rows(
        "select transaction_id, amount from raw.transactions order by 1"
    ) == [("1", 10), ("2", 20), ("2-R", -5), ("3", 30)]
    assert company.load_one("transactions").n_new == 0


def test_packed_and_other_files_have_parts(company):
    mapped(
        company,
        {**SOLD, "files": "sales.jsonl"},
        {**RETURNED, "files": "sales.jsonl"},
    )
    company.land(
        "transactions/sales.jsonl",
        '{"no": "1", "customer": "C1", "day": "2026-05-01", "sold": 10,'
        ' "returned": 4, "returned_on": "2026-05-02"}\n',
    )
    company.load("transactions")
    assert company.column("select sum(amount) from raw.transactions") == [6]


def test_a_changed_file_is_read_for_each_part(company):
    mapped(company, SOLD, RETURNED)
    company.land("transactions/sales.csv", SALES + ROWS)
    company.load("transactions")
    company.land(
        "transactions/sales.csv", SALES + ROWS.replace("30,,", "30,1,2026-05-04")
    )
    assert company.load_one("transactions").n_new == 2
    assert company.column("select sum(amount) from raw.transactions") == [60 - 5 - 1]


def test_a_file_that_moved_takes_its_parts_along(company):
    mapped(company, {**SOLD, "files": "s*.csv"}, {**RETURNED, "files": "s*.csv"})
    file = company.land("transactions/sales.csv", SALES + ROWS)
    company.load("transactions")
    file.rename(file.with_name("sales-may.csv"))
    company.load("transactions")
    assert [row[0] for row in counts(company)] == [
        "sales-may.csv",
        "sales-may.csv#returned",
    ]
    assert company.column("select sum(amount) from raw.transactions") == [55]


def test_a_part_that_is_mapped_no_more_leaves_no_rows(company):
    mapped(company, SOLD, RETURNED)
    company.land("transactions/sales.csv", SALES + ROWS)
    company.load("transactions")
    mapped(company, SOLD)
    company.load("transactions")
    assert counts(company) == [("sales.csv", 3, 3, 0, 0, 0)]
    assert company.column("select sum(amount) from raw.transactions") == [60]


def test_a_part_may_be_forgotten(company):
    mapped(company, SOLD, RETURNED)
    company.land("transactions/sales.csv", SALES + ROWS)
    company.load("transactions")
    names = ["transactions/sales.csv#returned"]
    (found,) = find(company.con, company.project, names)
    assert (found.path, found.n_rows) == ("sales.csv#returned", 1)


def test_without_a_part_the_first_mapping_takes_a_file(company):
    second = {key: value for key, value in RETURNED.items() if key != "part"}
    mapped(company, SOLD, second)
    company.land("transactions/sales.csv", SALES + ROWS)
    files = find_files(company.project)
    assert [file.path for file in files] == ["sales.csv"]


def test_one_file_for_two_feeds(company):
    customers = {
        "folder": "export",
        "files": "sales.csv",
        "columns": {"customer_id": "customer"},
    }
    shared = {**SOLD, "folder": "export"}
    company.settings({"feeds": {"customers": customers, "transactions": shared}})
    (company.root / "export").mkdir()
    (company.root / "export/sales.csv").write_text(SALES + ROWS)
    people, lines = company.load("customers", "transactions")
    assert (people.n_loaded, people.n_duplicate, lines.n_loaded) == (2, 1, 3)
