"""Every kind of file that the contract names, and files that are none of them."""

import gzip
import json
import zipfile
from xml.sax.saxutils import escape

import pytest
import zstandard

from ingest.raw_tables import feed_columns

HEAD = "customer_id,industry\n"
ROWS = [("1", "a"), ("2", "b")]
OBJECTS = ['{"customer_id":1,"industry":"a"}', '{"customer_id":"2","industry":"b"}']
PRETTY = """{
 "customer_id": 1,
 "industry": "a"
}
{
 "customer_id": 2,
 "industry": "b"}
"""


def gzipped(data):
    return gzip.compress(data, mtime=0)


def customers(company):
    return company.rows(
        "select customer_id, industry from raw.customers order by _file_id, _line_no"
    )


TEXTS = [
    ("f.csv", HEAD + "1,a\n2,b\n"),
    ("F.CSV", HEAD + "1,a\n2,b\n"),
    ("f.txt", HEAD + "1,a\n2,b"),
    ("f.csv", "customer_id;industry\n1;a\n2;b\n"),
    ("f.tsv", "customer_id\tindustry\n1\ta\n2\tb\n"),
    ("f.txt", "customer_id|industry\n1|a\n2|b\n"),
    ("f.csv", " Customer_ID , INDUSTRY \n1,a\n2,b\n"),
    ("f.csv", "\ufeff" + HEAD + "1,a\n2,b\n"),
    ("f.csv", '"customer_id","industry"\n"1","a"\n"2","b"\n'),
    ("f.csv", "Customers 2026\n\nprinted,by,hand\n" + HEAD + "1,a\n2,b\n"),
    ("deep/er/f.csv", HEAD + "1,a\n2,b\n"),
    ("year=2026/f.csv", HEAD + "1,a\n2,b\n"),
    ("s[1]*?.csv", HEAD + "1,a\n2,b\n"),
    ("it's.csv", HEAD + "1,a\n2,b\n"),
    ("客户.csv", HEAD + "1,a\n2,b\n"),
    (
        "f.jsonl",
        '{"customer_id":1,"industry":"a"}\n{"customer_id":"2","industry":"b"}',
    ),
    ("f.json", PRETTY),
]


def test_text_formats_packed_or_not(company):
    for number, (name, content) in enumerate(TEXTS):
        plain = content.encode()
        half = len(plain) // 2  # several frames are one stream
        frames = zstandard.compress(plain[:half]) + zstandard.compress(plain[half:])
        for suffix, data in (("", plain), (".gz", gzipped(plain)), (".zst", frames)):
            company.land(f"customers/{number}{suffix[1:]}/{name}{suffix}", data)
    company.load("customers")
    found = company.rows(
        "select path, list((customer_id, industry) order by _line_no)"
        " from raw.customers inner join raw.files on _file_id = file_id group by path"
    )
    assert len(found) == 3 * len(TEXTS)
    assert [path for path, rows in found if rows != ROWS] == []
    assert {book[:2] for book in company.books().values()} == {("loaded", 2)}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"]
)
def test_encodings_are_found_out(company, encoding):
    text = "customer_id,industry\n曾惠-14485,办公用品\n许安-10165,家具\n" * 1
    company.land("customers/f.csv", text.encode(encoding))
    company.load("customers")
    assert customers(company) == [("曾惠-14485", "办公用品"), ("许安-10165", "家具")]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gb18030", "客户编号,行业\n张三,办公\n"),
        ("big5", "客戶編號,行業\n張三,辦公\n"),
        ("cp1252", "Código,Índice\nJosé,Müller\n"),
    ],
)
def test_encodings_are_told_by_the_names_that_are_mapped(company, encoding, text):
    first, second = text.splitlines()[0].split(",")
    columns = {"customer_id": first, "industry": second}
    company.settings({"feeds": {"customers": {"columns": columns}}})
    company.land("customers/f.csv", text.encode(encoding))
    company.load("customers")
    assert customers(company) == [tuple(text.splitlines()[1].split(","))]


def test_an_encoding_that_shows_late_in_the_file(company):
    """The first 64 KB are ASCII, which is UTF-8."""
    ascii_rows = "".join(f"{n},{'x' * 50}\n" for n in range(3000))
    text = HEAD + ascii_rows + "a,办公用品\nb,家具\nc,北京\n"
    company.land("customers/f.csv", text.encode("gb18030"))
    company.load("customers")
    assert customers(company)[-3:] == [("a", "办公用品"), ("b", "家具"), ("c", "北京")]
    assert company.rejected() == []


def test_a_late_bad_byte_makes_no_other_encoding(company):
    rows = "".join(f"{n},办公用品{'x' * 50}\n" for n in range(3000)).encode()
    company.land("customers/f.csv", HEAD.encode() + rows + b"a,\xff\nb,\xe5\x8c\x97\n")
    company.load("customers")
    assert company.rejected() == [(3001, None, "bad_encoding")]


def test_a_given_encoding_rejects_what_is_not_in_it(company):
    company.settings({"feeds": {"customers": {"encoding": "gb18030"}}})
    rows = "".join(f"{n},办公用品{'x' * 50}\n" for n in range(3000)).encode("gb18030")
    company.land(
        "customers/f.csv",
        HEAD.encode() + rows + b"a,\xff\xff\nb," + "北".encode("gb18030"),
    )
    company.load("customers")
    assert company.rejected() == [(3001, None, "bad_encoding")]
    assert customers(company)[-1] == ("b", "北")


def test_a_bad_byte_at_the_start_makes_no_other_encoding(company):
    rows = [f"{n},办公用品".encode("gb18030") for n in range(200)]
    rows[3] = b"3,\xff\xff"
    company.land("customers/f.csv", HEAD.encode() + b"\n".join(rows) + b"\n")
    company.load("customers")
    assert company.rejected() == [(4, None, "bad_encoding")]
    assert customers(company)[-1] == ("199", "办公用品")


def test_rows_that_end_in_a_delimiter_more_than_the_header(company):
    company.land("customers/f.csv", HEAD + "1,a,\n2,b\n3,c,x\n")
    company.load("customers")
    assert customers(company) == ROWS
    assert company.rejected() == [(3, None, "too_many_columns")]


def test_json_numbers_keep_their_text_and_invalid_lines_are_rejected(company):
    lines = [
        '{"customer_id": 17850.0, "industry": "x|y"}',
        '{"customer_id": 1.10, "is_listed": true}',
        "",
        '{"customer_id": 12345678901234567890123}',
        '{"customer_id": 1e5, "industry": "a\\nb"}',
        "{not json",
        "[1, 2]",
        "42",
        '{"customer_id": null}',
        '{"x": {"customer_id": 1.10}, "industry": "nested"}',
        '{"customer_id": "C", "industry": {"b": [1, 2]}, "is_listed": "maybe"}',
        '{"industry": "only"}',
    ]
    company.land("customers/f.jsonl", "\n".join(lines))
    company.load("customers")
    assert company.column(
        "select customer_id from raw.customers order by _line_no"
    ) == [
        "17850.0",
        "1.10",
        "12345678901234567890123",
        "1e5",
    ]
    assert company.rejected() == [
        (5, None, "unreadable_row"),
        (6, None, "unreadable_row"),
        (7, None, "unreadable_row"),
        (8, "customer_id", "required_missing"),
        (9, "customer_id", "required_missing"),
        (10, "is_listed", "not_a_boolean"),
        (11, "customer_id", "required_missing"),
    ]
    assert company.books()["f.jsonl"] == ("loaded", 11, 4, 0, 7)


ORDERS = [
    {
        "no": 1,
        "buyer": {"id": "C1", "name": "Ann", "Home": {"city.name": "Oslo"}},
        "buyer.kind": "household",
    },
    {"no": 2, "buyer": {"name": "Bob", "id": 1.1}},
    {"no": 3, "buyer": None},
    {"no": 4},
    {"no": 5, "buyer": "nobody"},
]


@pytest.mark.parametrize("form", ["lines", "array"])
def test_values_inside_json_objects_are_named_by_their_keys(company, form):
    company.settings(
        {
            "feeds": {
                "customers": {
                    "columns": {
                        "customer_id": "no",
                        "industry": "buyer.id",
                        "city": " BUYER.home.City.Name ",
                        "region": {"expr": "upper(buyer.id)"},
                        "party_type": "buyer.kind",  # a key goes before a way to one
                    }
                }
            }
        }
    )
    objects = [json.dumps(order).replace("1.1}", "1.10}") for order in ORDERS]
    text = "\n".join(objects) if form == "lines" else f"[{', '.join(objects)}]"
    company.land("customers/f.json", text)
    company.load("customers")
    assert company.rows(
        "select industry, city, region, party_type from raw.customers"
        " order by customer_id"
    ) == [
        ("C1", "Oslo", "C1", "household"),
        ("1.10", None, "1.10", None),
        *[(None,) * 4] * 3,
    ]


@pytest.mark.parametrize(
    ("value", "is_refused"),
    [('{"id": 1}', True), ("[1]", True), ('"[1]"', False), ("null", False)],
)
def test_an_object_is_no_id(company, value, is_refused):
    company.settings({"feeds": {"customers": {"columns": {"customer_id": "who"}}}})
    company.land("customers/f.json", f'{{"who": {value}}}\n{{"who": null}}')
    company.load("customers")
    status, *_ = company.books()["f.json"]
    assert (status == "refused") == is_refused
    if is_refused:
        assert company.reason("f.json") == (
            "the column for customer_id holds objects or lists of JSON; map a value"
            " that lies in them, by its keys: customer_id: KEY.KEY"
        )


def test_objects_beside_values_are_no_reason_to_refuse_a_file(company):
    company.settings({"feeds": {"customers": {"columns": {"industry": "what"}}}})
    company.land(
        "customers/f.json",
        '{"customer_id": 1, "what": {"a": 1}}\n{"customer_id": 2, "what": "b"}',
    )
    company.load("customers")
    assert customers(company) == [("1", '{"a":1}'), ("2", "b")]


def test_a_json_name_that_comes_late_is_a_column_too(company):
    lines = [json.dumps({"customer_id": n}) for n in range(5000)]
    lines.append(json.dumps({"customer_id": "z", 'odd "/~ name': "late"}))
    company.settings(
        {"feeds": {"customers": {"columns": {"industry": 'odd "/~ name'}}}}
    )
    company.land("customers/f.jsonl", "\n".join(lines))
    company.load("customers")
    assert customers(company)[-1] == ("z", "late")


@pytest.mark.parametrize("pack", [bytes, gzipped])
@pytest.mark.parametrize("form", ["{}\n{}", "[{},\n{}]"])
def test_long_json_objects(company, pack, form):
    long = json.dumps({"customer_id": "1", "industry": "x" * 17_000_000})
    text = "\ufeff" + form.format(long, OBJECTS[1])
    suffix = ".gz" if pack is gzipped else ""
    company.land(f"customers/f.json{suffix}", pack(text.encode()))
    company.load("customers")
    assert [(customer, len(text)) for customer, text in customers(company)] == [
        ("1", 17_000_000),
        ("2", 1),
    ]


def workbook(path, sheets):
    """A minimal .xlsx; ("day", n) is the n-th day of Excel's calendar."""
    path.parent.mkdir(parents=True, exist_ok=True)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"

    def cell(value):
        if value is None:
            return "<c/>"
        if isinstance(value, tuple):
            return f'<c s="1"><v>{value[1]}</v></c>'
        if isinstance(value, bool):
            return f'<c t="b"><v>{int(value)}</v></c>'
        if isinstance(value, str):
            text = f'<t xml:space="preserve">{escape(value)}</t>'
            return f'<c t="inlineStr"><is>{text}</is></c>'
        return f"<c><v>{value}</v></c>"

    with zipfile.ZipFile(path, "w") as book:
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels"'
            ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/></Types>',
        )
        book.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r"'
            f' Type="{office}/officeDocument" Target="xl/workbook.xml"/>'
            "</Relationships>",
        )
        names = list(sheets)
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
            + "".join(
                f'<sheet name="{escape(name)}" sheetId="{n}" r:id="r{n}"/>'
                for n, name in enumerate(names, start=1)
            )
            + "</sheets></workbook>",
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">'
            + "".join(
                f'<Relationship Id="r{n}" Type="{office}/worksheet"'
                f' Target="worksheets/sheet{n}.xml"/>'
                for n in range(1, len(names) + 1)
            )
            + f'<Relationship Id="s" Type="{office}/styles" Target="styles.xml"/>'
            "</Relationships>",
        )
        book.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{main}"><cellXfs><xf numFmtId="0"/>'
            '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
        )
        for n, rows in enumerate(sheets.values(), start=1):
            body = "".join(
                f"<row>{''.join(cell(value) for value in row)}</row>" for row in rows
            )
            book.writestr(
                f"xl/worksheets/sheet{n}.xml",
                f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>',
            )


SHEETS = {
    "2026": [
        ["Members", None, None],
        [None, None, None],
        ["customer_id", "registered_at", "can_buy"],
        ["00042", ("day", 46173), True],
        [17850, "2026-05-31 08:00", "否"],
        [None, None, None],
        ["x", "soon", None],
    ],
    "other": [["customer_id"], ["only here"]],
}


def test_a_workbook(company):
    workbook(company.root / "landing/customers/f.xlsx", SHEETS)
    company.load("customers")
    found = company.rows(
        "select customer_id, registered_date::text, can_buy, _line_no"
        " from raw.customers order by _line_no"
    )
    assert found == [
        ("00042", "2026-05-31", True, 1),
        ("17850", "2026-05-31", False, 2),
    ]
    assert company.rejected() == [(3, "registered_at", "not_a_date")]


def test_a_sheet_and_a_header_row_that_are_named(company):
    mapping = {"sheet": "other", "header_row": 1}
    company.settings({"feeds": {"customers": mapping}})
    workbook(company.root / "landing/customers/f.xlsx", SHEETS)
    company.load("customers")
    assert company.column("select customer_id from raw.customers") == ["only here"]


def test_a_sheet_that_is_missing_is_told_without_the_names_of_others(company):
    company.settings({"feeds": {"customers": {"sheet": "wanted"}}})
    sheet = [["customer_id"], ["C1"]]
    file = company.root / "landing/customers/f.xlsx"
    workbook(file, {"Anna Muster": sheet, "b": sheet})
    company.load("customers")
    assert company.reason("f.xlsx") == "has no sheet 'wanted'; it has 2 sheets"


def test_a_row_of_a_workbook_that_is_no_header_is_not_told(company):
    rows = [["Anna Muster", "+86 138 1234 5678"], ["1", "2"]]
    workbook(company.root / "landing/customers/f.xlsx", {"s": rows})
    company.load("customers")
    assert company.reason("f.xlsx").startswith(
        "no column for customer_id; the file has 2 other columns of names"
    )


def test_a_date_format_is_for_the_text_cells_of_a_workbook(company):
    company.settings({"feeds": {"customers": {"date_format": "%d.%m.%Y"}}})
    rows = [["customer_id", "registered_at"], ["a", ("day", 46173)], ["b", "31.5.2026"]]
    workbook(company.root / "landing/customers/f.xlsx", {"s": rows})
    company.load("customers")
    days = company.column("select registered_date::text from raw.customers")
    assert days == ["2026-05-31", "2026-05-31"]


REFUSED = [
    (
        "f.csv",
        "name,amount\n1,2\n",
        "no column for customer_id; the file has 2 other columns of names that neither",
    ),
    (
        "f.csv",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)),
        "no text",
    ),
    ("f.csv.gz", b"no gzip at all", "cannot be read"),
    ("f.csv.gz", gzipped(HEAD.encode() * 9000)[:90], "cannot be read"),
    ("f.csv.zst", b"no zstd at all", "cannot be read"),
    ("f.parquet", b"no parquet", "is no Parquet file"),
    ("f.xlsx", b"no workbook", "is no workbook"),
    ("f.xls", b"no workbook", "is no workbook"),
    ("f.json", '[{"customer_id": 1}, {"cust', "is no JSON"),
    ("f.json", '"text"', "holds no JSON objects"),
    ("f.jsonl", '{"name": 1}\n', "no column for customer_id"),
    ("f.dat", HEAD + "1,a\n", "is of an unknown kind (.dat)"),
    ("README", "hello", "is of an unknown kind"),
]


def test_files_that_cannot_be_used_are_refused_and_the_rest_loads(company):
    company.land("customers/good.csv", HEAD + "1,a\n")
    for number, (name, content, _) in enumerate(REFUSED):
        company.land(f"customers/{number}/{name}", content)
    load = company.load_one("customers")
    books = company.books()
    assert books.pop("good.csv") == ("loaded", 1, 1, 0, 0)
    assert len(books) == len(REFUSED)
    for number, (name, _, problem) in enumerate(REFUSED):
        path = f"{number}/{name}"
        assert books[path] == ("refused", None, None, None, None)
        assert problem in company.reason(path)
        assert "\n" not in company.reason(path)
        assert (path, company.reason(path)) in load.refused
    # They are not tried again until they change.
    assert company.load_one("customers").n_new == 0


EMPTY = [
    ("f.csv", ""),
    ("f.csv", "\n\n  \n"),
    ("f.csv", "\ufeff"),
    ("f.csv.gz", gzipped(b"")),
    ("f.json", "[]"),
    ("f.json", ""),
    ("f.jsonl", "\n"),
    ("f.parquet", ""),
]


def test_empty_files(company):
    for number, (name, content) in enumerate(EMPTY):
        company.land(f"customers/{number}/{name}", content)
    load = company.load_one("customers")
    assert len(load.empty) == len(EMPTY)
    assert set(company.books().values()) == {("empty", 0, 0, 0, 0)}


@pytest.mark.parametrize("feed", ["transactions", "customers"])
def test_a_feed_of_which_nothing_can_be_used(company, feed):
    empty = company.land(f"{feed}/empty.csv", "")
    company.land(f"{feed}/strange.csv", "colour,weight\nred,5\n")
    company.load(feed)
    assert {book[0] for book in company.books().values()} == {"empty", "refused"}
    assert feed_columns(company.con) == {}
    empty.unlink()
    company.forget("empty.csv")
    company.land(f"{feed}/strange.csv", "weight,colour\nred,5\n")
    company.load(feed)
    assert list(company.books()) == ["strange.csv"]


def test_a_header_without_rows_makes_the_feed_present(company):
    company.land("customers/f.csv", HEAD)
    company.land("bills/f.csv", "")
    company.load("customers", "bills")
    assert company.books()["f.csv"] == ("loaded", 0, 0, 0, 0)
    assert feed_columns(company.con) == {"customers": {"customer_id", "industry"}}


def test_a_file_without_a_header_has_columns_by_number(company):
    company.settings(
        {
            "feeds": {
                "customers": {
                    "header_row": 0,
                    "delimiter": " ",
                    "columns": {"customer_id": "column1", "industry": "column3"},
                }
            }
        }
    )
    company.land("customers/f.txt", " 00042   0001  a \r\n 2 0002 b\r\n\r\n 3 0003\r\n")
    company.load("customers")
    assert customers(company) == [("00042", "a"), ("2", "b")]
    assert company.rejected() == [(3, None, "too_few_columns")]


def test_parquet_with_hostile_names_and_typed_columns(company):
    file = company.root / "landing/customers/f.parquet"
    file.parent.mkdir(parents=True)
    company.con.sql(
        """select 42::bigint as "Customer_ID ", '{"a":1}'::json as "in""dustry'; --",
        true as can_buy"""
    ).write_parquet(str(file))
    company.settings(
        {"feeds": {"customers": {"columns": {"industry": "in\"dustry'; --"}}}}
    )
    company.load("customers")
    assert customers(company) == [("42", '{"a":1}')]


def test_a_parquet_file_that_breaks_in_the_middle_is_refused(company):
    folder = company.root / "landing/customers"
    folder.mkdir(parents=True)
    query = "select 'C' || range as customer_id, repeat('x', 90) || range as industry"
    for name in ("a", "b", "c"):
        company.con.sql(f"{query} from range(200000)").write_parquet(
            str(folder / f"{name}.parquet")
        )
    data = bytearray((folder / "b.parquet").read_bytes())
    for place in range(len(data) // 4, len(data) // 2):
        data[place] ^= 0x55
    (folder / "b.parquet").write_bytes(data)
    company.load("customers")
    books = company.books()
    assert books["a.parquet"] == ("loaded", 200_000, 200_000, 0, 0)
    assert books["b.parquet"][0] == "refused"
    assert books["c.parquet"] == ("loaded", 200_000, 0, 200_000, 0)
