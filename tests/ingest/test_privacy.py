"""What of a rejected row may be seen, and by whom."""

import json
import re
import stat

import pytest

from ingest.rejections import REASONS
from sql.contracts import contract, feeds
from sql.selects import quoted, select_of


def shown(company):
    select = select_of(contract("marts", "rejected_rows"))
    return company.column(f"select raw_text from ({select}) order by line_no")


def kept(company):
    """The quarantine's files, joined."""
    files = sorted(company.project.quarantine.rglob("*.csv"))
    return "".join(file.read_text(encoding="utf-8") for file in files)


def test_personal_and_unmapped_columns_are_masked_as_a_whole(company):
    company.land(
        "customers/f.csv",
        "customer_id,customer_name,phone,birth_date,industry,secret,is_listed\n"
        'C1,"王小明, jr",13812345678,1980-02-29,retail,s3cret,maybe\n'
        "C2,,,,retail,,maybe\n",
    )
    company.load("customers")
    assert shown(company) == ["C1,***,***,***,***,***,xxxxx", "C2,,,,***,,xxxxx"]
    assert '"C1,""王小明, jr"",13812345678,1980-02-29,retail,s3cret,maybe"' in kept(
        company
    )


MASKED = [
    ("mail bob.o'neil+x@example.co.uk now", "mail *** now"),
    ("a@b", "***"),
    ("call 13812345678", "call ***"),
    ("call 138-1234-5678.", "call ***."),
    ("(555) 123-4567", "***"),
    ("+44 20 7946 0958", "***"),
    ("010 8888 9999", "***"),
    ("1.23.45.67.89", "***"),
    ("short 123456", "short 123456"),
    ("2026-05-31 10:20", "2026-05-31 10:20"),
    ("2026-05-31 10:20:30+08:00", "2026-05-31 10:20:30+08:00"),
    ("12,345.67", "12,345.67"),
    ("2026-13-45", "***"),
    ("2026/02/29", "2026/02/29"),
    ("2026/2/29 10:20", "2026/2/29 10:20"),
    ("2026.02.29", "2026.02.29"),
    ("20260229", "20260229"),
    ("on 20260229 102030", "on 20260229 102030"),
    ("29.02.2026", "29.02.2026"),
    ("2/29/2026 8:26", "2/29/2026 8:26"),
    ("29-02-2026", "29-02-2026"),
    ("2026/13/01", "***"),
    ("20261301", "***"),
    ("18991231", "***"),
    ("202602290", "***"),
    ("2026/02/29;13812345678", "2026/02/29;***"),
    ("+86 138-1234-5678", "***"),
    ("+86 13812345678", "***"),
    ("0571-88888888", "***"),
    ("0571 8888 8888", "***"),
    ("(020) 7946 0000", "***"),
    ("021-20260229", "***"),
    ("(021) 20260229", "***"),
    ("+1 20260229", "***"),
    ("+20260229", "***"),
    ("020.2026.02.29", "***"),
    ("06.12.19.85.30", "***"),
    ("06/12/19/85/30", "***"),
    ("1234567", "***"),
]


def loaded(company, feed, column, texts):
    """What the texts of a column become when they are loaded, in their order."""
    rows = "".join(f'{number},"{text}"\n' for number, text in enumerate(texts))
    key = contract("raw", feed).key[0]
    company.land(f"{feed}/f.csv", f"{key},{column}\n{rows}")
    company.load(feed)
    return company.column(f"select {column} from raw.{feed} order by {key}::integer")


def test_mail_and_telephone_are_masked_in_the_words_that_people_type(company):
    texts = [text for text, _ in MASKED]
    found = loaded(company, "customers", "hobby", texts)
    assert found == [masked for _, masked in MASKED]


# In codes of many digits only what can be nothing else.
MASKED_CODES = [
    ("8471300000", "8471300000"),
    ("8471.30.00.00", "8471.30.00.00"),
    ("SKU-12345678", "SKU-12345678"),
    ("4006381333931", "4006381333931"),
    ("23854123456789012", "23854123456789012"),
    ("Books@home 24", "Books@home 24"),
    ("2026-05-31 sale 20260618", "2026-05-31 sale 20260618"),
    ("anna@example.com", "***"),
    ("for anna.m@mail.example.com, 2", "for ***, 2"),
    ("13812345678", "***"),
    ("a13812345678,13912345678b", "a***,***b"),
    ("+86 138 1234 5678", "***"),
    ("+44 20 7946 0958 x", "*** x"),
    ("(555) 123-4567", "***"),
    ("555-123-4567", "***"),
    ("11010519491231002X", "***"),
    ("6222 0210 0111 2233 445", "***"),
]


def test_codes_of_many_digits_stay_what_they_are(company):
    texts = [text for text, _ in MASKED_CODES]
    found = loaded(company, "resources", "channel", texts)
    assert found == [masked for _, masked in MASKED_CODES]


def test_a_word_of_any_list_is_masked_as_well(company):
    company.land(
        "assessments/f.csv",
        "customer_id,characteristic,assessed_at,points\n"
        "C1, Anna@Example.com ,2026-01-01,1\nC1,Strength,2026-01-01,1\n",
    )
    company.load("assessments")
    assert company.column(
        "select characteristic from raw.assessments order by all"
    ) == [
        "***",
        "strength",
    ]


def test_every_text_of_a_feed_is_personal_masked_or_an_id():
    """A new column has to say what of it may be read in a release."""
    undecided = [
        f"{feed.table}.{column.name}"
        for feed in feeds().values()
        for column in feed.columns
        if (column.type == "text" or (column.type == "choice" and not column.values))
        and not (column.personal or column.masked or column.name.endswith("_id"))
    ]
    # The number of a line is no text, but is compared as one.
    assert undecided == ["transactions.line_no"]


def test_the_date_that_rejects_a_row_is_seen(company):
    company.settings({"feeds": {"transactions": {"date_format": "%Y/%m/%d"}}})
    company.land(
        "transactions/f.csv",
        "transaction_id,occurred_at,customer_id,quantity,amount\n"
        "S3,2026/02/29,曾惠,3,1.115\n",
    )
    company.load("transactions")
    assert company.rejected() == [(1, "occurred_at", "not_a_date")]
    assert shown(company) == ["S3,2026/02/29,曾惠,3,1.115"]


def test_ids_by_which_a_row_is_found_again_stay(company):
    """Long ones look like telephone numbers; other columns with such do not stay."""
    company.land(
        "transactions/f.csv",
        "transaction_id,line_no,customer_id,occurred_at,amount,product_id\n"
        "T-20260531001,1,10000000042,2026-05-31,x,13812345678\n"
        "bob@example.com,1,,2026-05-31,x,\n",
    )
    company.load("transactions")
    assert shown(company) == [
        "T-20260531001,1,10000000042,2026-05-31,x,***",
        "***,1,,2026-05-31,x,",
    ]


def test_ids_that_are_personal_or_composed_are_masked(company):
    company.settings(
        {
            "feeds": {
                "transactions": {
                    "columns": {
                        "transaction_id": {"expr": "order || '/' || phone"},
                        "occurred_at": "on",
                    }
                }
            }
        }
    )
    company.land(
        "transactions/f.csv", "order,phone,on,amount\n2026053100,13812345678,x,1\n"
    )
    company.land(
        "identities/f.csv",
        "customer_id,id_kind,id_value\n10000000042,,13812345678\n",
    )
    company.load("transactions", "identities")
    assert sorted(shown(company)) == ["***,***,x,1", "10000000042,,***"]


def test_unreadable_rows_of_feeds_with_personal_columns_keep_only_their_shape(company):
    company.land("customers/f.csv", "customer_id,customer_name\nC1,王小明,Bob 42\n")
    company.load("customers")
    assert shown(company) == ["x9,xxx,xxx 99"]
    assert "C1,王小明,Bob 42" in kept(company)


def test_a_json_record_is_shown_as_json(company):
    company.land(
        "transactions/f.jsonl",
        '{"transaction_id": "13812345678", "occurred_at": "2026/02/29", "amount": 1.50,'
        ' "quantity": null, "channel": "say \\"hi\\" to a@b.c", "secret": [1, "s3cret"]'
        "}\n"
        '{"amount": {"net": 1}, "transaction_id": "T2", "occurred_at": "2026-01-01"}\n',
    )
    company.load("transactions")
    first, second = shown(company)
    assert first == (
        '{"transaction_id": "13812345678", "occurred_at": "2026/02/29", "amount": 1.50,'
        ' "quantity": null, "channel": "***", "***": "***"}'
    )
    assert second == (
        '{"amount": "{\\"xxx\\":1}", "transaction_id": "T2",'
        ' "occurred_at": "2026-01-01"}'
    )
    assert '""secret"": [1, ""s3cret""]' in kept(company)


def test_unreadable_rows_with_unmapped_columns_keep_only_their_shape(company):
    company.land(
        "bills/f.csv", "customer_id,bill_month,amount,who\nC1,2026-05,1,Bob,x\n"
    )
    company.load("bills")
    assert shown(company) == ["x9,9999-99,9,xxx,x"]


def test_unreadable_rows_of_other_feeds_keep_only_their_shape_too(company):
    company.land(
        "bills/f.csv", "customer_id,bill_month,amount\nC1,2026-05,Anna Muster,12\n"
    )
    company.load("bills")
    assert shown(company) == ["x9,9999-99,xxxx xxxxxx,99"]


def test_what_stands_where_a_number_or_a_day_should_stand_shows_no_letters(company):
    company.land(
        "bills/f.csv",
        "customer_id,bill_month,amount\n"
        "C1,Anna Muster,1\nC1,2026-05,Zoë 王小明 12\nC1,2026-05,13812345678 x\n",
    )
    company.land(
        "tickets/f.csv",
        "ticket_id,customer_id,opened_at,kind,direction\n"
        "T1,C1,2026-05-31,Complaint,Anna\n",
    )
    company.load("bills", "tickets")
    assert shown(company) == [
        "C1,xxxx xxxxxx,1",
        "T1,C1,2026-05-31,Complaint,xxxx",
        "C1,2026-05,xxx xxx 12",
        "C1,2026-05,*** x",
    ]


def test_rows_that_are_rejected_later_are_masked_too(company):
    company.land(
        "transactions/f.csv",
        "transaction_id,customer_id,occurred_at,amount,product_id\n"
        "T,A,2026-01-01,1,bob@example.com\nT,B,2026-01-01,1,x\n",
    )
    company.load("transactions")
    assert "bob@example.com" not in str(shown(company))
    assert shown(company)[1].startswith("T,,B,2026-01-01")


def test_rows_that_are_rejected_later_are_kept_as_they_were(company):
    company.land(
        "transactions/f.csv",
        "transaction_id,customer_id,occurred_at,amount,product_id\n"
        "T,A,2026-01-01,1,bob@example.com\nT,B,2026-01-01,1,x\nU,A,2026-01-01,1,\n",
    )
    company.load("transactions")
    (file,) = company.project.quarantine.rglob("*.csv")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    _, *rows = file.read_text(encoding="utf-8").splitlines()
    assert [row.partition(',"')[0] for row in rows] == [
        "f.csv,1,customer_id,two_customers",
        "f.csv,2,customer_id,two_customers",
    ]
    assert "bob@example.com" in rows[0]
    assert company.forget("f.csv") == 3
    assert kept(company) == ""


def test_json_lines_are_masked_like_columns(company):
    company.land(
        "customers/f.jsonl",
        '{"customer_id": "C", "phone": "13812345678", "is_listed": "maybe"}\n'
        '{"customer_id": "C", "customer_name": "Bob"\n',
    )
    company.load("customers")
    assert shown(company)[0] == (
        '{"customer_id": "C", "phone": "***", "is_listed": "xxxxx"}'
    )
    assert shown(company)[1] == '{"xxxxxxxx_xx": "x", "xxxxxxxx_xxxx": "xxx"'
    assert "13812345678" in kept(company)


def test_long_rows_are_cut(company):
    company.land("bills/f.csv", f"customer_id,bill_month,amount\nC,{'x' * 100_000},1\n")
    company.load("bills")
    assert len(shown(company)[0]) == 500
    assert len(kept(company)) > 100_000


def test_the_quarantine_is_for_the_owner_alone(company):
    company.land("customers/a b/客户.csv", "customer_id,city\n,x\n")
    company.load("customers")
    (file,) = company.project.quarantine.rglob("*.csv")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(company.project.quarantine.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    header, row = file.read_text(encoding="utf-8").splitlines()
    assert header == "file,line_no,column_name,reason_code,raw_text"
    assert row == 'a b/客户.csv,1,customer_id,required_missing,",x"'


def test_the_quarantine_follows_the_file(company):
    company.land("customers/f.csv", "customer_id,city\n,x\n")
    company.load("customers")
    company.land("customers/f.csv", "customer_id,city\n,y\n")
    company.load("customers")
    assert ",y" in kept(company)
    assert ",x" not in kept(company)
    company.land("customers/f.csv", "customer_id,city\n1,y\n")
    company.load("customers")
    assert kept(company) == ""


def test_all_reasons_are_documented(company):
    company.land("customers/f.csv", "customer_id,city,can_buy\n1,x\n,,\n1,x,2\n")
    company.load("customers")
    assert {reason for _, _, reason in company.rejected()} <= set(REASONS)


# A row of data that stands where the header should be, and what of it is a secret.
PERSON = ("Anna Muster", "+86 138 1234 5678", "anna@example.com")


@pytest.mark.parametrize(
    ("mapping", "header", "told"),
    [
        ({}, PERSON, "the file has 3 other columns of names that neither the feed"),
        # What is written almost like a column is a name of theirs all the same.
        ({}, ("Custmer_ID", *PERSON), "; column 1 is almost 'customer_id'"),
        ({}, ("email", *PERSON), "; the file has email and 3 other columns"),
        (
            {"columns": {"customer_id": "Kunde"}},
            ("Kunden", *PERSON),
            "no column 'Kunde', which fenji.yaml names for customer_id; column 1 is",
        ),
        (
            {"columns": {"customer_id": {"expr": "lower(Kunde)"}}},
            ("Kunden", *PERSON),
            "no column 'Kunde'; column 1 is almost 'Kunde'",
        ),
    ],
)
@pytest.mark.parametrize("name", ["f.csv", "f.jsonl", "f.parquet"])
def test_a_header_is_told_by_the_names_that_are_known(
    company, mapping, header, told, name
):
    company.settings({"feeds": {"customers": mapping}})
    company.land("customers/known.csv", "Kunde,customer_id\nC1,C1\n")
    company.load("customers")
    values = ["1"] * len(header)
    if name == "f.csv":
        company.land(f"customers/{name}", f"{','.join(header)}\n{','.join(values)}\n")
    elif name == "f.jsonl":
        told = re.sub("column [0-9]+", "another key", told)
        line = json.dumps(dict(zip(header, values, strict=True)))
        company.land(f"customers/{name}", line)
    else:
        columns = ", ".join(f"'1' as {quoted(name)}" for name in header)
        file = company.root / "landing/customers/f.parquet"
        company.con.execute(f"copy (select {columns}) to '{file}'")
    company.load("customers")
    assert company.books()[name][0] == "refused"
    reason = company.reason(name)
    assert told in reason
    assert not [cell for cell in header if cell != "email" and cell in reason]


def test_names_of_files_are_masked_and_told_apart(company):
    for name in ("anna@example.com.csv", "bob@example.com.csv", "+8613812345678.dat"):
        company.land(f"customers/2026-05-31/{name}", "customer_id\nC1\n")
    company.land("customers/20260531_120000-1717171717.csv", "customer_id\nC1\n")
    (load,) = company.load("customers")
    (refused,) = [file for file, _ in load.refused]
    assert re.fullmatch(r"2026-05-31/\*\*\*\.dat \([0-9a-f]{8}\)", refused)
    books = company.books()
    assert len(books) == 4
    assert refused in books
    assert "20260531_120000-1717171717.csv" in books
    assert not [file for file in books if re.search("anna|bob|13812345678", file)]
    # By the name that a release has for it a file is found again.
    assert company.forget(f"customers/{refused}") == 0
    assert len(company.books()) == 3
