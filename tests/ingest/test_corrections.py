"""Corrections stand in place of the records that they correct, and nothing is lost."""

import datetime
import shutil

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingest import masks
from ingest.corrections import LINE_NO, MARK, REASON
from ingest.landing import find_files
from sql.contracts import contract
from sql.selects import select_of
from tests.ingest.conftest import Company
from tests.ingest.correcting import land_rows, mend, rows_of, written
from tests.ingest.test_archives import zipped
from tests.ingest.test_formats import workbook
from tests.ingest.test_known_files import FEEDS, HOUR, looking_back, seen

DAY = datetime.timedelta(days=1)
HEADER = "transaction_id,customer_id,occurred_at,amount"
SALES = f"""{HEADER}
T1,C1,2026-05-01,10.00
T2,C2,31/31/2026,20.00
T3,C3,2026-05-03,abc
T4,C4,2026-05-04
T5,C5,2026-05-05,50.00
"""
FILE, RETRY = "transactions/sales.csv", "transactions/sales.csv.retry.csv"
CORRECTED = select_of(contract("marts", "corrected_rows"))
REJECTED = select_of(contract("marts", "rejected_rows"))


@pytest.fixture
def shop(company):
    """A company with three rejected rows, and a correction file for them."""
    company.land(FILE, SALES)
    company.load("transactions")
    written(company)
    company.clock += DAY
    return company


def counted(company):
    return company.rows(
        "select transaction_id, customer_id, occurred_at::date::varchar,"
        " amount::varchar from staging.transactions order by all"
    )


def corrected(company):
    return company.rows(
        "select file, line_no, column_name, reason_code, correction_file,"
        f" correction_line_no, is_rejected from ({CORRECTED})"
    )


def test_a_corrected_row_leaves_the_rejected_ones_and_is_remembered(shop):
    mend(shop, RETRY, {2: {"occurred_at": "2026-05-02"}})
    shop.load("transactions")
    assert counted(shop) == [
        ("T1", "C1", "2026-05-01", "10.00"),
        ("T2", "C2", "2026-05-02", "20.00"),
        ("T5", "C5", "2026-05-05", "50.00"),
    ]
    assert shop.books() == {
        "sales.csv": ("loaded", 5, 3, 0, 2),
        "sales.csv.retry.csv": ("loaded", 3, 0, 0, 0),
    }
    assert shop.rejected() == [
        (3, "amount", "not_a_number"),
        (4, None, "too_few_columns"),
    ]
    assert corrected(shop) == [
        ("sales.csv", 2, "occurred_at", "not_a_date", "sales.csv.retry.csv", 1, False)
    ]
    books = select_of(contract("marts", "feed_reconciliation"))
    assert shop.rows(f"select file, n_corrected from ({books}) order by file") == [
        ("sales.csv", 1),
        ("sales.csv.retry.csv", 0),
    ]


def test_a_record_that_could_not_be_split_is_given_as_a_whole(shop):
    whole = {
        "transaction_id": "T4",
        "customer_id": "C4",
        "occurred_at": "2026-05-04",
        "amount": "40",
    }
    mend(shop, RETRY, {4: whole})
    shop.load("transactions")
    assert ("T4", "C4", "2026-05-04", "40.00") in counted(shop)
    # It has the place that the record had.
    assert shop.column(
        "select _line_no from raw.transactions where transaction_id = 'T4'"
    ) == [4]
    assert shop.books()["sales.csv"] == ("loaded", 5, 3, 0, 2)
    assert [row[0] for row in shop.rejected()] == [2, 3]


def test_a_correction_that_is_rejected_stays_so_for_its_own_reason(shop):
    mend(shop, RETRY, {2: {"occurred_at": "2026-05-02", "amount": "much"}})
    shop.load("transactions")
    assert shop.books()["sales.csv"] == ("loaded", 5, 2, 0, 3)
    assert shop.rows(
        "select line_no, column_name, reason_code, raw_text, correction_file,"
        f" correction_line_no from ({REJECTED})"
    )[0] == (
        2,
        "amount",
        "not_a_number",
        "T2,C2,2026-05-02,xxxx",
        "sales.csv.retry.csv",
        1,
    )
    assert [(row[1], row[-1]) for row in corrected(shop)] == [(2, True)]
    # It is mended where it stands, and need not be asked for again.
    (file,) = written(shop)
    assert (file.n_records, file.n_new) == (3, 0)
    mend(shop, RETRY, {2: {"amount": "2"}})
    shop.load("transactions")
    assert shop.books()["sales.csv"] == ("loaded", 5, 3, 0, 2)


def test_a_file_of_which_nothing_was_mended_changes_nothing(shop):
    before = counted(shop), shop.rejected()
    shop.load("transactions")
    assert (counted(shop), shop.rejected()) == before
    assert corrected(shop) == []
    assert shop.books()["sales.csv.retry.csv"] == ("loaded", 3, 0, 0, 0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({LINE_NO: "5"}, "no_such_record"),  # the mark is that of another record
        ({LINE_NO: "6"}, "no_such_record"),
        ({LINE_NO: "0"}, "no_such_record"),
        ({LINE_NO: ""}, "no_such_record"),
        ({LINE_NO: "two"}, "no_such_record"),
        ({MARK: "0123456789ab"}, "no_such_record"),
        ({MARK: ""}, "no_such_record"),
        ({"customer_id": "C***"}, "masked_value"),
    ],
)
def test_a_correction_that_fits_no_record_is_rejected_by_itself(shop, change, reason):
    rows = rows_of(shop.root / "landing" / RETRY)
    rows[0].update({"occurred_at": "2026-05-02", **change})
    land_rows(shop, RETRY, rows)
    shop.load("transactions")
    assert shop.books() == {
        "sales.csv": ("loaded", 5, 2, 0, 3),
        "sales.csv.retry.csv": ("loaded", 3, 0, 0, 1),
    }
    assert shop.rows(
        f"select line_no, reason_code from ({REJECTED})"
        " where file = 'sales.csv.retry.csv'"
    ) == [(1, reason)]
    assert corrected(shop) == []


def test_of_two_corrections_of_one_record_none_is_used(shop):
    rows = rows_of(shop.root / "landing" / RETRY)
    rows[0]["occurred_at"] = "2026-05-02"
    land_rows(shop, RETRY, [*rows, {**rows[0], "amount": "21"}])
    shop.load("transactions")
    assert shop.books() == {
        "sales.csv": ("loaded", 5, 2, 0, 3),
        "sales.csv.retry.csv": ("loaded", 4, 0, 0, 2),
    }
    assert [row for row in shop.rejected() if row[2] == "corrected_twice"] == [
        (1, LINE_NO, "corrected_twice"),
        (4, LINE_NO, "corrected_twice"),
    ]
    # One that changes nothing says nothing against the other.
    land_rows(shop, RETRY, [*rows, {**rows[0], "occurred_at": "31/31/2026"}])
    shop.load("transactions")
    assert shop.books()["sales.csv"] == ("loaded", 5, 3, 0, 2)


def test_a_row_of_the_correction_file_that_cannot_be_read_is_rejected(shop):
    place = shop.root / "landing" / RETRY
    shop.land(RETRY, place.read_text(encoding="utf-8") + "1,2,3\n")
    shop.load("transactions")
    assert shop.books() == {
        "sales.csv": ("loaded", 5, 2, 0, 3),
        "sales.csv.retry.csv": ("loaded", 4, 0, 0, 1),
    }
    assert (4, None, "too_few_columns") in shop.rejected()
    (kept,) = (shop.root / "data/quarantine/transactions").glob("*retry*")
    assert "too_few_columns" in kept.read_text(encoding="utf-8")
    (file,) = written(shop)
    assert file.why == "its correction file has rows that cannot be read; mend them"


def test_without_its_correction_file_a_row_is_rejected_again(shop):
    digest = shop.input_digest()
    mend(shop, RETRY, {2: {"occurred_at": "2026-05-02"}})
    assert shop.input_digest() != digest
    shop.load("transactions")
    (shop.root / "landing" / RETRY).unlink()
    shop.load("transactions")
    assert shop.books() == {"sales.csv": ("loaded", 5, 2, 0, 3)}
    assert [row[0] for row in shop.rejected()] == [2, 3, 4]
    assert corrected(shop) == []


def test_what_is_read_is_not_read_again(shop):
    mend(shop, RETRY, {2: {"occurred_at": "2026-05-02"}})
    digest = shop.input_digest()
    assert shop.load_one("transactions").n_new == 2
    assert shop.load_one("transactions").n_new == 0
    assert shop.input_digest() == digest


def test_a_file_that_came_again_is_not_corrected_by_what_was_said_of_another(shop):
    mend(shop, RETRY, {2: {"occurred_at": "2026-05-02"}})
    shop.load("transactions")
    shop.land(FILE, SALES.replace("T2,C2", "T9,C9").replace("abc", "30"))
    shop.load("transactions")
    assert shop.books() == {
        "sales.csv": ("loaded", 5, 3, 0, 2),
        "sales.csv.retry.csv": ("loaded", 3, 0, 0, 2),
    }
    assert shop.rejected() == [
        (2, "occurred_at", "not_a_date"),
        (4, None, "too_few_columns"),
        (1, LINE_NO, "no_such_record"),
        (2, LINE_NO, "no_such_record"),
    ]


def test_when_a_correction_was_known_first_is_remembered(shop):
    mend(shop, RETRY, {2: {"occurred_at": "2026-05-02"}})
    shop.load("transactions")
    first, shop.clock = shop.clock, shop.clock + DAY
    mend(shop, RETRY, {3: {"amount": "30"}})
    shop.load("transactions")
    assert shop.rows(f"select line_no, known_from from ({CORRECTED})") == [
        (2, first),
        (3, shop.clock),
    ]
    shop.clock += DAY
    mend(shop, RETRY, {2: {"amount": "21"}})
    shop.load("transactions")
    assert shop.rows(f"select line_no, known_from from ({CORRECTED})") == [
        (2, shop.clock),
        (3, shop.clock - DAY),
    ]


def test_personal_values_stay_masked_and_are_kept(company):
    company.land(
        "customers/crm.csv",
        "customer_id,customer_name,phone,party_type\n"
        "C1,Zoe Miller,13800138000,person\nC2,Ann Lee,13900139000,person-ish\n",
    )
    company.load("customers")
    written(company)
    (row,) = rows_of(company.root / "landing/customers/crm.csv.retry.csv")
    del row[MARK]
    assert row == {
        LINE_NO: "2",
        REASON: "party_type: not_in_list",
        "customer_id": "C2",
        "customer_name": masks.MASK,
        "phone": masks.MASK,
        "party_type": "xxxxxx-xxx",
    }
    mend(company, "customers/crm.csv.retry.csv", {2: {"party_type": "person"}})
    company.load("customers")
    assert company.rows(
        "select customer_id, customer_name, phone, party_type from raw.customers"
        " where customer_id = 'C2'"
    ) == [("C2", "Ann Lee", "13900139000", "person")]


def test_a_mark_is_that_of_what_is_shown(company):
    # Or else a telephone number could be found out by trying all of them.
    head = "customer_id,phone,party_type\n"
    marks = []
    for phone in ("13800138000", "13900139000"):
        company.land(
            "customers/crm.csv", f"{head}C1,{phone},x\nC2,{phone},\n,{phone}\n"
        )
        company.load("customers")
        place = company.root / "landing/customers/crm.csv.retry.csv"
        place.unlink(missing_ok=True)
        written(company)
        marks.append([(row[LINE_NO], row[MARK][:10]) for row in rows_of(place)])
    assert marks[0] == marks[1]
    assert len(set(marks[0])) == len(marks[0]) == 2


def test_a_correction_file_with_fewer_columns_is_filled_up(company):
    company.land("customers/crm.csv", "customer_id,party_type\nC1,x\n")
    company.load("customers")
    written(company)
    retry = "customers/crm.csv.retry.csv"
    mend(company, retry, {1: {"party_type": "person"}})
    # A column that the mapping reads now and did not read then.
    company.settings(
        {"feeds": {"customers": {"columns": {"region": {"expr": "upper(Area)"}}}}}
    )
    company.land(
        "customers/crm.csv", "customer_id,party_type,Area\nC1,x,north\nC2,y,south\n"
    )
    company.load("customers")
    rows = "select customer_id, party_type, region from raw.customers"
    assert company.rows(rows) == [("C1", "person", "NORTH")]
    assert [file.n_new for file in written(company)] == [1]
    assert [row["Area"] for row in rows_of(company.root / "landing" / retry)] == [
        masks.MASK,
        masks.MASK,
    ]
    company.load("customers")
    assert company.rows(rows) == [("C1", "person", "NORTH")]


def test_a_file_and_its_correction_file_move_together(shop):
    mend(shop, RETRY, {2: {"occurred_at": "2026-05-02"}})
    shop.load("transactions")
    folder = shop.root / "landing/transactions"
    (folder / "may").mkdir()
    for name in ("sales.csv", "sales.csv.retry.csv"):
        (folder / name).rename(folder / "may" / name)
    assert shop.load_one("transactions").n_new == 0
    assert shop.books() == {
        "may/sales.csv": ("loaded", 5, 3, 0, 2),
        "may/sales.csv.retry.csv": ("loaded", 3, 0, 0, 0),
    }
    # The file alone goes elsewhere: nothing lies beside it.
    (folder / "may/sales.csv").rename(folder / "june.csv")
    shop.load("transactions")
    books = shop.books()
    assert books["june.csv"] == ("loaded", 5, 2, 0, 3)
    assert books["may/sales.csv.retry.csv"][0] == "refused"
    assert shop.reason("may/sales.csv.retry.csv") == (
        "corrects no file: the one that it is named after is not beside it"
    )


def test_rows_of_a_file_that_is_gone_stay_corrected(shop):
    mend(shop, RETRY, {2: {"occurred_at": "2026-05-02"}})
    shop.load("transactions")
    before = counted(shop)
    place = shop.root / "landing" / FILE
    held = place.read_bytes()
    place.unlink()
    assert shop.load_one("transactions").vanished == ("sales.csv",)
    retry = shop.root / "landing" / RETRY
    kept = retry.read_bytes()
    retry.unlink()
    assert shop.load_one("transactions").n_new == 0
    assert (counted(shop), len(corrected(shop))) == (before, 1)
    (why,) = [file.why for file in written(shop)]
    assert why == "it is gone from its folder; put it back"
    shop.land(FILE, held)
    shop.load("transactions")
    assert shop.books() == {"sales.csv": ("loaded", 5, 2, 0, 3)}
    shop.land(RETRY, kept)
    shop.load("transactions")
    assert counted(shop) == before


def test_a_file_that_is_forgotten_takes_its_corrections_along(shop):
    mend(shop, RETRY, {2: {"occurred_at": "2026-05-02"}})
    shop.load("transactions")
    (shop.root / "landing" / FILE).unlink()
    assert shop.forget("transactions/sales.csv") == 3
    shop.load("transactions")
    assert counted(shop) == []
    assert corrected(shop) == []
    assert [place[0] for place in shop.books().values()] == ["refused"]
    shop.land(FILE, SALES)
    shop.load("transactions")
    assert shop.books()["sales.csv"] == ("loaded", 5, 3, 0, 2)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("transaction_id,amount\nT1,2\n", "no columns fenji_line_no and fenji_mark"),
        ("fenji_line_no,fenji_mark,Colour\n2,x,red\n", "column 3 that is none of the"),
        ("\x00\x01\x02", "has no"),
    ],
)
def test_what_is_no_correction_file_is_refused_and_harms_nothing(shop, text, reason):
    shop.land(RETRY, text)
    shop.load("transactions")
    books = shop.books()
    assert books["sales.csv"] == ("loaded", 5, 2, 0, 3)
    assert books["sales.csv.retry.csv"][0] == "refused"
    assert reason in shop.reason("sales.csv.retry.csv")
    (file,) = written(shop)
    assert file.why.startswith("its correction file has")
    shop.land(RETRY, "")
    shop.load("transactions")
    assert shop.books()["sales.csv.retry.csv"] == ("empty", 0, 0, 0, 0)


def test_a_correction_file_of_a_refused_file_is_refused_with_it(shop):
    shop.land(FILE, "Colour\nred\n")
    shop.load("transactions")
    assert {row[0] for row in shop.books().values()} == {"refused"}
    assert shop.reason("sales.csv.retry.csv") == (
        "corrects a file that has no rows, or was refused"
    )
    shop.land(FILE, SALES)
    mend(shop, RETRY, {2: {"occurred_at": "2026-05-02"}})
    shop.load("transactions")
    assert shop.books()["sales.csv"] == ("loaded", 5, 3, 0, 2)


@pytest.mark.parametrize(
    ("encoding", "sign"), [("gb18030", ","), ("utf-8", ";"), ("utf-16", "\t")]
)
def test_spreadsheets_may_save_it_their_own_way(company, encoding, sign):
    company.settings(
        {
            "feeds": {
                "transactions": {
                    "columns": {
                        "transaction_id": "订单编号",
                        "occurred_at": "日期",
                        "amount": "金额",
                    }
                }
            }
        }
    )
    company.land(FILE, "订单编号,日期,金额\nT1,昨天,1\nT2,2026-05-01,2\n")
    company.load("transactions")
    written(company)
    place = company.root / "landing" / RETRY
    text = place.read_text(encoding="utf-8-sig").replace("xx,1", "2026-05-02,1")
    company.land(RETRY, text.replace(",", sign).encode(encoding))
    company.load("transactions")
    assert company.books()["sales.csv"] == ("loaded", 2, 2, 0, 0)


def test_equal_lines_of_a_file_stay_two_when_one_is_corrected(company):
    # As if the file had always held it so: a line of another file would be a duplicate.
    company.land(FILE, f"{HEADER}\nT1,C1,2026-05-01,10\nT1,C1,2026-05-32,10\n")
    company.load("transactions")
    written(company)
    mend(company, RETRY, {2: {"occurred_at": "2026-05-01"}})
    company.load("transactions")
    assert counted(company) == [("T1", "C1", "2026-05-01", "10.00")] * 2
    assert company.books()["sales.csv"] == ("loaded", 2, 2, 0, 0)


def test_rows_that_a_later_check_rejected_can_be_corrected(company):
    company.land(
        FILE, f"{HEADER}\nT1,C1,2026-05-01,10\nT1,C2,2026-05-01,5\nT2,C3,2026-05-01,1\n"
    )
    company.load("transactions")
    assert {row[2] for row in company.rejected()} == {"two_customers"}
    written(company)
    mend(company, RETRY, {2: {"customer_id": "C1"}})
    company.load("transactions")
    assert company.books()["sales.csv"] == ("loaded", 3, 3, 0, 0)
    assert corrected(company) == [
        (
            "sales.csv",
            2,
            "customer_id",
            "two_customers",
            "sales.csv.retry.csv",
            2,
            False,
        )
    ]


def test_a_row_that_ends_the_statement_can_be_corrected(company):
    company.settings(
        {
            "feeds": {
                "transactions": {
                    "columns": {
                        "transaction_id": "Order",
                        "occurred_at": {"expr": "cast(Day as date)"},
                        "amount": "Total",
                    }
                }
            }
        }
    )
    far = "300000-01-01"
    company.land(
        FILE, f"Order,Day,Total\n1,2026-01-01,1\n2,{far},1\n3,2026-01-03,1\n4,{far},1\n"
    )
    company.load("transactions")
    written(company)
    mend(company, RETRY, {2: {"Day": "2026-01-02"}})
    company.load("transactions")
    assert company.rejected() == [(4, "occurred_at", "expression_failed")]
    # A correction that ends the statement itself takes no other row along.
    mend(company, RETRY, {2: {"Day": "400000-01-01"}})
    company.load("transactions")
    books = company.books()
    assert books["sales.csv"] == ("loaded", 4, 2, 0, 2)
    assert company.reason("sales.csv.retry.csv") == (
        "holds values that cannot be worked with"
    )


PLAIN = f"{HEADER}\nT1,C1,2026-05-01,10\nT2,C2,2026-05-77,20\nT3,C3,2026-05-03,30\n"
ROWS = [line.split(",") for line in PLAIN.splitlines()]
FORMS = {
    "text": ("a.csv", PLAIN, "a.csv.retry.csv", {}),
    "jsonl": (
        "a.jsonl",
        "".join(
            f'{{"transaction_id": "T{n}", "customer_id": "C{n}",'
            f' "occurred_at": "2026-05-{day}", "amount": {n}0}}\n'
            for n, day in ((1, "01"), (2, "77"), (3, "03"))
        ),
        "a.jsonl.retry.csv",
        {},
    ),
    "workbook": ("a.xlsx", None, "a.xlsx.retry.csv", {}),
    "sheets": (
        "a.xlsx",
        None,
        "a.xlsx.May.retry.csv",
        {"sheet": "*"},
    ),
    "archive": (
        "a.zip",
        zipped([("in/may.csv", PLAIN)]),
        "a.zip.in.may.csv.retry.csv",
        {},
    ),
    "part": ("a.csv", PLAIN, "a.csv.one.retry.csv", {"part": "one"}),
    "fixed": (
        "a.txt",
        "T1C12026-05-0110\nT2C22026-05-7720\nT3C32026-05-0330\n",
        "a.txt.retry.csv",
        {
            "fixed_width": {
                "transaction_id": [1, 2],
                "customer_id": [3, 4],
                "occurred_at": [5, 14],
                "amount": [15, 16],
            }
        },
    ),
    "where": ("a.csv", PLAIN, "a.csv.retry.csv", {"where": "amount <> '30'"}),
    "trailer": ("a.csv", PLAIN, "a.csv.retry.csv", {"trailer_rows": 1}),
}


@pytest.mark.parametrize("form", FORMS)
def test_records_of_every_form_can_be_corrected(company, form):
    name, content, retry, mapping = FORMS[form]
    if mapping:
        company.settings({"feeds": {"transactions": mapping}})
    if content is None:
        workbook(company.root / "landing/transactions" / name, {"May": ROWS})
    else:
        company.land(f"transactions/{name}", content)
    company.load("transactions")
    before = counted(company)
    assert "T2" not in {row[0] for row in before}
    (file,) = written(company)
    assert file.correction_file == f"landing/transactions/{retry}"
    mend(company, f"transactions/{retry}", {2: {"occurred_at": "2026-05-02"}})
    company.load("transactions")
    assert counted(company) == sorted([*before, ("T2", "C2", "2026-05-02", "20.00")])
    assert company.rejected() == []
    company.books()
    assert company.load_one("transactions").n_new == 0


def test_a_line_that_is_no_json_is_given_as_a_whole(company):
    row = '{"transaction_id": "T1", "occurred_at": "2026-05-01", "amount": 1}\n'
    retry = "transactions/a.jsonl.retry.csv"
    company.land("transactions/a.jsonl", row + "{T2, soon}\n")
    company.load("transactions")
    written(company)
    whole = {"transaction_id": "T2", "occurred_at": "2026-05-02", "amount": "2"}
    mend(company, retry, {2: whole})
    company.load("transactions")
    assert company.books()["a.jsonl"] == ("loaded", 2, 2, 0, 0)
    # Another line came in its place, of another shape or of the same one.
    for line in ("{T3, later on}\n", "{T9, late}\n"):
        company.land("transactions/a.jsonl", row + line)
        company.load("transactions")
        assert company.rejected()[-1] == (1, LINE_NO, "no_such_record")


def test_a_column_of_parquet_takes_what_is_of_its_type(company):
    company.con.execute(
        "create table t as select 'T' || i as transaction_id,"
        " case when i <> 2 then 'x' || i end as customer_id,"
        " case when i <> 2 then date '2026-05-01' end as occurred_at,"
        " i::decimal(9, 2) as amount from range(1, 4) as r (i)"
    )
    place = company.root / "landing/transactions/a.parquet"
    place.parent.mkdir(parents=True)
    company.con.execute(f"copy t to '{place}' (format parquet)")
    company.con.execute("drop table t")
    company.load("transactions")
    assert company.rejected() == [(2, "occurred_at", "required_missing")]
    written(company)
    retry = "transactions/a.parquet.retry.csv"
    mend(company, retry, {2: {"occurred_at": "soon"}})
    company.load("transactions")
    assert company.rejected()[-1] == (1, "occurred_at", "not_of_type")
    mend(company, retry, {2: {"occurred_at": "2026-05-02"}})
    company.load("transactions")
    assert company.rejected() == []
    assert counted(company)[1] == ("T2", None, "2026-05-02", "2.00")


def test_a_record_that_becomes_several_rows_is_corrected_as_one(company):
    company.settings(
        {
            "feeds": {
                "transactions": {
                    "columns": {
                        "transaction_id": "Order",
                        "line_no": "month",
                        "occurred_at": {"expr": "'2026-0' || month || '-01'"},
                        "amount": "Sum",
                    },
                    "explode": {"columns": ["1", "2"], "name": "month", "value": "Sum"},
                }
            }
        }
    )
    company.land(FILE, "Order,1,2\nA,10,20\nB,x,y\nC,30,40\n")
    company.load("transactions")
    assert company.books()["sales.csv"] == ("loaded", 6, 4, 0, 2)
    (file,) = written(company)
    assert file.n_records == 1
    mend(company, RETRY, {2: {"1": "1", "2": "2"}})
    company.load("transactions")
    assert company.books()["sales.csv"] == ("loaded", 6, 6, 0, 0)
    assert [row[1] for row in corrected(company)] == [2]


def test_columns_of_joined_files_are_those_of_the_corrected_key(company):
    company.settings(
        {
            "feeds": {
                "transactions": {
                    "files": "lines*.csv",
                    "columns": {
                        "transaction_id": "id",
                        "occurred_at": "orders.day",
                        "amount": "sum",
                    },
                    "join": {"orders": {"files": "orders.csv", "on": ["id"]}},
                }
            }
        }
    )
    company.land("transactions/orders.csv", "id,day\n1,2026-05-01\n2,2026-05-02\n")
    company.land("transactions/lines.csv", "id,sum\n1,10\n7,20\n")
    company.load("transactions")
    written(company)
    mend(company, "transactions/lines.csv.retry.csv", {2: {"id": "2"}})
    company.load("transactions")
    assert counted(company) == [
        ("1", None, "2026-05-01", "10.00"),
        ("2", None, "2026-05-02", "20.00"),
    ]


def test_feeds_that_read_one_file_have_correction_files_of_their_own(company):
    (company.root / "raw").mkdir()
    one = {"folder": "raw", "files": "*.csv"}
    company.settings(
        {
            "feeds": {
                "transactions": {
                    **one,
                    "columns": {
                        "transaction_id": "id",
                        "occurred_at": "day",
                        "amount": "sum",
                    },
                },
                "bills": {
                    **one,
                    "columns": {
                        "customer_id": "id",
                        "bill_month": "month",
                        "amount": "sum",
                    },
                },
            }
        }
    )
    (company.root / "raw/a.csv").write_text("id,day,month,sum\n1,then,2026-05,2\n")
    company.load()
    (file,) = written(company)
    assert file.correction_file == "raw/a.csv.transactions.retry.csv"
    place = company.root / file.correction_file
    place.write_text(place.read_text().replace("xxxx", "2026-05-01"))
    company.load()
    assert company.rejected() == []
    assert sorted((file.feed, file.path) for file in find_files(company.project)) == [
        ("bills", "a.csv"),
        ("transactions", "a.csv"),
        ("transactions", "a.csv.transactions.retry.csv"),
    ]


LINES = st.lists(
    st.sampled_from(
        [
            f"{transaction},{number},{customer},{day},{amount}\n"
            for transaction in ("T", "U")
            for number in ("", "1")
            for customer in ("A", "B")
            for day in ("2026-01-01", "soon")
            for amount in (1, "x")
        ]
        + ["T,1\n"]
    ),
    max_size=4,
)
HEAD = "transaction_id,line_no,customer_id,occurred_at,amount\n"
FILES = ("a.csv", "b.csv")
# What happens in an hour to a file: it comes with these lines, its rejected rows are
# corrected (the n-th of them, with these values), its corrections are taken away, or
# both move.
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(FILES),
        st.one_of(
            st.tuples(st.just("land"), LINES),
            st.tuples(
                st.just("mend"),
                st.integers(0, 3),
                st.fixed_dictionaries(
                    {
                        "transaction_id": st.sampled_from(["T", "U"]),
                        "occurred_at": st.sampled_from(["2026-01-01", "2026-13-13"]),
                        "amount": st.sampled_from(["1", "2", "y"]),
                    }
                ),
            ),
            st.tuples(st.just("mend"), st.just(0), st.just({"amount": "3"})),
            st.tuples(st.just("drop")),
            st.tuples(st.just("move")),
        ),
    ),
    min_size=2,
    max_size=6,
)


def _happens(company, file, event):
    folder = company.root / "landing/transactions"
    place, retry = folder / file, folder / f"{file}.retry.csv"
    if not place.exists():
        place, retry = folder / "new" / file, folder / "new" / f"{file}.retry.csv"
    if not place.exists():
        place, retry = folder / file, folder / f"{file}.retry.csv"
    what, *values = event
    if what == "land":
        below = place.relative_to(company.root / "landing")
        company.land(str(below), HEAD + "".join(values[0]))
    elif what == "mend":
        written(company)
        nth, cells = values
        rows = rows_of(retry) if retry.exists() else []
        if rows:
            rows[nth % len(rows)].update(cells)
            land_rows(company, str(retry.relative_to(company.root / "landing")), rows)
    elif what == "drop":
        retry.unlink(missing_ok=True)
    elif what == "move" and place.parent == folder:
        (folder / "new").mkdir(exist_ok=True)
        for moving in (place, retry):
            if moving.exists():
                moving.rename(folder / "new" / moving.name)


@given(EVENTS)
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_project_made_afresh_says_the_same_and_so_does_every_look_back(
    tmp_path_factory, events
):
    company = Company(tmp_path_factory.mktemp("days"))
    was = []
    begun = [(file, ("land", ["T,1,A,soon,1\n", "T,2,A,soon,1\n"])) for file in FILES]
    for file, event in [*begun, *events]:
        _happens(company, file, event)
        company.load(*FEEDS)
        company.books()  # they add up
        was.append((company.clock, _said(company)))
        company.clock += HOUR
    fresh = Company(tmp_path_factory.mktemp("fresh"))
    shutil.copytree(company.root / "landing", fresh.root / "landing")
    fresh.load(*FEEDS)
    assert _said(fresh) == was[-1][1]
    assert fresh.input_digest() == company.input_digest()
    for at, said in was:
        with looking_back(company, at):
            assert _said(company) == said
    company.con.close()
    fresh.con.close()


def _said(company):
    return (*seen(company), corrected(company))
