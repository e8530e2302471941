"""Malformed files of our own making: what they are, and what becomes of each.

`CASES` is the list to read. A case is a file, what its mapping says beside a constant,
and what comes of it: the rows that load as (customer_id, industry), the rows that are
rejected as (number, reason), how many are skipped; or why the file is refused. All are
loaded together, so that none does harm to another.
"""

import gzip
from dataclasses import dataclass, field

import pytest
import zstandard

from tests.ingest.conftest import Company
from tests.ingest.test_formats import workbook

HEAD = "customer_id,industry\n"
AB = [("1", "a"), ("2", "b")]


@dataclass(frozen=True)
class Case:
    """A file, and what must come of it."""

    about: str
    content: bytes | str | dict  # of the file; a dict: the sheets of a workbook
    rows: list = field(default_factory=list)
    rejected: list = field(default_factory=list)
    skipped: int = 0
    refused: str = ""  # a part of the reason
    is_empty: bool = False
    mapping: dict = field(default_factory=dict)
    name: str = "f.csv"


def wide(text, encoding="utf-16"):
    return text.encode(encoding)


PLAIN = (HEAD + "1,a\n2,b\n").encode()
FIXED = {"fixed_width": {"customer_id": [1, 4], "industry": [5, 12]}}
MANY = "".join(f"{n},x\n" for n in range(3000))

CASES = [
    # Line ends and ends of files.
    Case("no line end at the end", HEAD + "1,a\n2,b", AB),
    Case("CRLF", HEAD + "1,a\r\n2,b\r\n", AB),
    Case("CR alone", "customer_id,industry\r1,a\r2,b\r", AB),
    Case("CR and LF mixed", "customer_id,industry\r\n1,a\n2,b\r\n", AB),
    Case(
        "the last line is cut within a row",
        HEAD + "1,a\n2",
        AB[:1],
        [(2, "too_few_columns")],
    ),
    Case(
        "the last line is cut within quotes",
        HEAD + '1,a\n2,"b',
        AB[:1],
        [(2, "unclosed_quote")],
    ),
    Case("blank lines among the rows", HEAD + "\n1,a\n\n \n2,b\n\n\n", AB),
    Case("lines of delimiters only", HEAD + "1,a\n,\n2,b\n,\n", AB),
    Case(
        "Ctrl-Z at the end, as DOS wrote it",
        HEAD + "1,a\n2,b\n\x1a",
        AB,
        [(3, "too_few_columns")],
    ),
    Case("nothing", b"", is_empty=True),
    Case("blanks only", " \n\t\n  \n", is_empty=True),
    Case("a mark of UTF-8 only", "\ufeff", is_empty=True),
    Case("a header only", HEAD, []),
    # Columns.
    Case(
        "a row with fewer columns",
        HEAD + "1,a\n2\n3,c\n",
        [("1", "a"), ("3", "c")],
        [(2, "too_few_columns")],
    ),
    Case(
        "a row with more columns",
        HEAD + "1,a\n2,b,x,y\n3,c\n",
        [("1", "a"), ("3", "c")],
        [(2, "too_many_columns")],
    ),
    Case("a delimiter behind every row", "customer_id,industry,\n1,a,\n2,b,\n", AB),
    Case(
        "a delimiter behind the header alone", "customer_id,industry,,\n1,a\n2,b\n", AB
    ),
    Case(
        "blanks around names and behind them",
        " customer_id , Industry  ,\u3000\n1,a,\n2,b,\n",
        AB,
    ),
    Case("names in quotes", '"customer_id","industry"\n1,a\n2,b\n', AB),
    Case(
        "two columns of one name: the first counts",
        "customer_id,industry,industry\n1,a,x\n2,b,y\n",
        AB,
    ),
    Case(
        "no header",
        "1,a\n2,b\n",
        AB,
        mapping={
            "header_row": 0,
            "columns": {"customer_id": "column1", "industry": "column2"},
        },
    ),
    Case(
        "a header that nobody knows", "x,y\n1,a\n", refused="no column for customer_id"
    ),
    Case(
        "a required value is blank",
        HEAD + "1,a\n,b\n",
        AB[:1],
        [(2, "required_missing")],
    ),
    # Quotes.
    Case(
        "a quote within a value without quotes",
        HEAD + '1,5" nails\n',
        [("1", '5" nails')],
    ),
    Case(
        "text behind a closing quote",
        HEAD + '1,"a"x\n2,b\n',
        AB[1:],
        [(1, "unreadable_row")],
    ),
    Case(
        "a quote that is never closed",
        HEAD + '1,a\n2,"b\n3,c\n4,d\n',
        AB[:1],
        [(2, "unclosed_quote")],
    ),
    Case("a line end in quotes", HEAD + '1,"a\nb"\n2,b\n', [("1", "a\nb"), ("2", "b")]),
    Case("delimiters and quotes in quotes", HEAD + '1,"a,""b"""\n', [("1", 'a,"b"')]),
    Case(
        "single quotes",
        HEAD + "1,'a,b'\n2,it's\n",
        [("1", "a,b"), ("2", "it's")],
        mapping={"quote": "'"},
    ),
    Case(
        "quotes that mean nothing",
        HEAD + '1,"a\n2,b"\n',
        [("1", '"a'), ("2", 'b"')],
        mapping={"quote": ""},
    ),
    Case(
        "a backslash before quotes",
        HEAD + '1,"a\\"b"\n2,"c\\\\"\n',
        [("1", 'a"b'), ("2", "c\\")],
        mapping={"escape": "\\"},
    ),
    Case(
        "doubled quotes where a backslash is stated",
        HEAD + '1,"a""b"\n2,b\n',
        AB[1:],
        [(1, "unreadable_row")],
        mapping={"escape": "\\"},
    ),
    # Delimiters.
    Case(
        "two signs between columns",
        "customer_id||industry\n1||a\n2||b\n",
        AB,
        mapping={"delimiter": "||"},
    ),
    Case(
        "aligned by blanks",
        "customer_id   industry\n  1          a  \n 2    b\n",
        AB,
        mapping={"delimiter": " "},
    ),
    Case(
        "tabs in a file that is called .csv", "customer_id\tindustry\n1\ta\n2\tb\n", AB
    ),
    Case(
        "a stated delimiter that is not there",
        "customer_id;industry\n1;a\n",
        refused="no column for customer_id",
        mapping={"delimiter": "|"},
    ),
    # Encodings.
    Case(
        "a byte that is no UTF-8",
        HEAD.encode() + b"1,a\n2,\xff\n3,\xe5\x8c\x97\n",
        [("1", "a"), ("3", "北")],
        [(2, "bad_encoding")],
        mapping={"encoding": "utf-8"},
    ),
    Case("zero bytes", HEAD.encode() + b"1,a\n2,\0b\n", AB[:1], [(2, "bad_encoding")]),
    Case(
        "a torn character at the end",
        HEAD.encode() + "1,a\n2,北".encode()[:-1],
        AB[:1],
        [(2, "bad_encoding")],
        mapping={"encoding": "utf-8"},
    ),
    Case(
        "GB18030 with half a character",
        (HEAD + "1,办公用品\n2,家具\n").encode("gb18030") + b"3,\xb0\n4,b\n",
        [("1", "办公用品"), ("2", "家具"), ("4", "b")],
        [(3, "bad_encoding")],
        mapping={"encoding": "gb18030"},
    ),
    Case("UTF-16 with a mark", wide(HEAD + "1,a\n2,b\n"), AB),
    Case("UTF-16 without one", wide(HEAD + "1,a\n2,b\n", "utf-16-le"), AB),
    Case(
        "UTF-16 without one, stated",
        wide(HEAD + "1,a\n2,b\n", "utf-16-be"),
        AB,
        mapping={"encoding": "UTF-16"},
    ),
    Case(
        "UTF-16 of an odd number of bytes",
        wide(HEAD + "1,a\n2,b\n", "utf-16-le") + b"3",
        AB,
        [(3, "bad_encoding")],
    ),
    Case(
        "an encoding that it is not",
        "customer_id,industry\n1,é\n".encode("cp1252"),
        refused="is not ascii text",
        mapping={"encoding": "ascii"},
    ),
    Case(
        "a picture",
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8,
        refused="is no text that can be read",
    ),
    # Headers and what is not in the table.
    Case(
        "titles above the header",
        "Customers\n\nprinted,2026\n" + HEAD + "1,a\n2,b\n",
        AB,
    ),
    Case(
        "21 lines above the header",
        "title\n" * 20 + HEAD + "1,a\n",
        [("1", "a")],
        mapping={"header_row": 21},
    ),
    Case(
        "a header of two lines, merged above",
        "customer,,x\nid,industry,\n1,a,\n2,b,\n",
        AB,
        mapping={
            "header_rows": 2,
            "columns": {"customer_id": "customer id", "industry": "customer industry"},
        },
    ),
    Case(
        "a row of units below the header",
        HEAD + "number,words\n1,a\n2,b\n",
        AB,
        skipped=1,
        mapping={"skip_rows": 1},
    ),
    Case(
        "more rows to skip than there are",
        HEAD + "1,a\n",
        [],
        skipped=1,
        mapping={"skip_rows": 2},
    ),
    Case(
        "totals at the end",
        HEAD + "1,a\n2,b\nTotal\n2 rows,\n",
        AB,
        skipped=2,
        mapping={"trailer_rows": 2},
    ),
    Case(
        "comments with quotes in them",
        '# it, "open\n' + HEAD + '1,a\n# say "no\n2,b\n',
        AB,
        skipped=1,
        mapping={"skip_lines": ["#"]},
    ),
    Case(
        "a comment sign in quotes is a value",
        HEAD + '1,"a\n#b"\n# x\n',
        [("1", "a\n#b")],
        skipped=1,
        mapping={"skip_lines": ["#"]},
    ),
    Case(
        "30 lines of comments above the header",
        "# x\n" * 30 + HEAD + "1,a\n2,b\n",
        AB,
        mapping={"skip_lines": ["#"]},
    ),
    Case(
        "comments without a header",
        "# x,y,z\n1,a\n# z\n2,b\n",
        AB,
        skipped=2,
        mapping={
            "skip_lines": ["#"],
            "header_row": 0,
            "columns": {"customer_id": "column1", "industry": "column2"},
        },
    ),
    Case(
        "the header on every page",
        HEAD + "1,a\n" + HEAD + "2,b\n Customer_ID,industry\n",
        [*AB, (" Customer_ID", "industry")],
        skipped=1,
        mapping={"repeated_header": True},
    ),
    Case(
        "totals by their first word",
        HEAD + '1,a\nTotal,9,9\n"Total",1\n2,b\n',
        AB,
        skipped=2,
        mapping={"skip_lines": ["Total"]},
    ),
    # Fixed width.
    Case("fixed width", "1   a       x\n2   b\n", AB, mapping=FIXED, name="f.txt"),
    Case(
        "fixed width, a header, short lines",
        "id  industry\n1   a\n\n2\n",
        [("1", "a"), ("2", None)],
        mapping={**FIXED, "header_row": 1},
        name="f.txt",
    ),
    Case(
        "fixed width, quotes and delimiters",
        '1   a,"b\n2   b\n',
        [("1", 'a,"b'), ("2", "b")],
        mapping=FIXED,
        name="f.txt",
    ),
    Case(
        "fixed width, Chinese",
        "甲一 x办公用品\n".encode("gb18030"),
        [("甲一 x", "办公用品")],
        mapping=FIXED,
        name="f.txt",
    ),
    Case(
        "fixed width, a broken byte, a trailer",
        b"1   a\n2   \xff\n3   c\n== 3\n",
        [("1", "a"), ("3", "c")],
        [(2, "bad_encoding")],
        skipped=1,
        mapping={"encoding": "utf-8", **FIXED, "skip_lines": ["=="]},
        name="f.txt",
    ),
    # Packed.
    Case(
        "a .gz that is cut off",
        gzip.compress(PLAIN, mtime=0)[:-9],
        refused="cannot be read to its end",
        name="f.csv.gz",
    ),
    Case(
        "a .gz that is none",
        PLAIN,
        refused="cannot be read to its end",
        name="f.csv.gz",
    ),
    Case(
        "a .zst that is cut off",
        zstandard.compress(PLAIN)[:-3],
        refused="cannot be read to its end",
        name="f.csv.zst",
    ),
    Case(
        "two .gz behind one another",
        gzip.compress(HEAD.encode()) + gzip.compress(b"1,a\n2,b\n"),
        AB,
        name="f.csv.gz",
    ),
    # JSON.
    Case(
        "a line that is no JSON",
        '{"customer_id": "1", "industry": "a"}\n{"customer\n',
        AB[:1],
        [(2, "unreadable_row")],
        name="f.jsonl",
    ),
    Case(
        "an array that is cut off",
        '[{"customer_id": "1"}, {"cust',
        refused="is no JSON",
        name="f.json",
    ),
    Case("JSON of numbers", "1 2 3", refused="holds no JSON objects", name="f.json"),
    # Others.
    Case(
        "a Parquet file that is none",
        PLAIN,
        refused="is no Parquet file",
        name="f.parquet",
    ),
    Case(
        "a workbook that is none",
        PLAIN,
        refused="is no workbook that can be read",
        name="f.xlsx",
    ),
    Case(
        "a page that is called .xls",
        "<html><table><tr><td>1</td></tr></table></html>",
        refused="is no workbook that can be read",
        name="f.xls",
    ),
    Case(
        "a workbook with titles, units and a total",
        {
            "s": [
                ["Members", None],
                [None, None],
                ["customer_id", "industry"],
                ["no", "word"],
                ["1", "a"],
                ["2", "b"],
                ["Total", "2"],
            ]
        },
        AB,
        skipped=2,
        mapping={"skip_rows": 1, "trailer_rows": 1},
        name="f.xlsx",
    ),
    Case(
        "a workbook with a header of two rows, that comes again",
        {
            "s": [
                ["customer", None],
                ["id", "industry"],
                ["1", "a"],
                ["id", "industry"],
                ["# note", None],
                ["2", "b"],
            ]
        },
        AB,
        skipped=2,
        mapping={
            "header_rows": 2,
            "repeated_header": True,
            "skip_lines": ["#"],
            "columns": {"customer_id": "customer id", "industry": "customer industry"},
        },
        name="f.xlsx",
    ),
    Case(
        "a broken row far behind others",
        HEAD + MANY + "x\ny,b\n",
        [(str(n), "x") for n in range(3000)] + [("y", "b")],
        [(3001, "too_few_columns")],
    ),
]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """All files, in a feed that was loaded once."""
    company = Company(tmp_path_factory.mktemp("malformed"))
    mappings = []
    for number, case in enumerate(CASES):
        place = f"{number:02}/{case.name}"
        # Equal rows of two files would be duplicates.
        constants = {"constants": {"region": f"case {number}"}}
        mappings.append({"files": f"{number:02}/*", **constants, **case.mapping})
        if isinstance(case.content, dict):
            workbook(company.root / "landing" / "customers" / place, case.content)
        else:
            company.land(f"customers/{place}", case.content)
    company.settings({"feeds": {"customers": mappings}})
    company.load("customers")
    yield company
    company.con.close()


def test_there_are_sixty_files_at_least():
    assert len(CASES) >= 60
    assert len({case.about for case in CASES}) == len(CASES)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[c.about for c in CASES])
def test_a_malformed_file(loaded, number):
    case = CASES[number]
    path = f"{number:02}/{case.name}"
    ((file_id, status, reason),) = loaded.rows(
        "select file_id, status, reason from raw.files where path = $path", path=path
    )
    rows = loaded.rows(
        "select customer_id, industry from raw.customers where _file_id = $id"
        " order by _line_no",
        id=file_id,
    )
    rejected = loaded.rows(
        "select line_no, reason_code from raw.rejected_rows where file_id = $id"
        " order by line_no",
        id=file_id,
    )
    assert (rows, rejected) == (case.rows, case.rejected), reason
    if case.refused:
        assert status == "refused"
        assert case.refused in reason
        return
    assert (status, reason) == ("empty" if case.is_empty else "loaded", None)
    (skipped,) = loaded.column(
        "select n_skipped from raw.files where file_id = $id", id=file_id
    )
    assert (skipped or 0) == case.skipped
    _, n_read, n_loaded, n_duplicate, n_rejected = loaded.books()[path]
    assert (n_read, n_duplicate) == (len(rows) + len(rejected) + case.skipped, 0)
    assert (n_loaded, n_rejected) == (len(rows), len(rejected))
