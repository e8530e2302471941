"""Malformed and odd files that others collected, against what these say of them.

Each is read, its bad rows rejected, or it is refused; its rows are counted, and the
good ones are what an independent reader of the clean version finds. Where the file is
not as its manifest says, and why, stands beside its name.
"""

import csv
import json
import re
from collections import Counter
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest

from ingest.landing import find_files

CONSTANTS = {
    "interaction_id": "i",
    "customer_id": "c",
    "occurred_at": "2026-01-01",
    "kind": "call",
}
SALES = {
    "date_format": "%d/%m/%Y %H:%M",
    "columns": {
        "transaction_id": "PRODUCTID",
        "occurred_at": {"expr": "DATE || ' ' || TIME"},
        "amount": {
            "expr": "cast(Qty as decimal(18, 4))"
            " * cast(replace(Price, '$', '') as decimal(18, 4))"
        },
    },
}
# What a person has to say of a file, where its form does not tell.
STATED = {
    "file_escape_char_0x5C": {"escape": "\\"},
    "file_field_delimiter_0x2C_0x20": {"delimiter": ", "},
    "file_field_delimiter_0x20": {"delimiter": " "},
    "file_header_multirow_2": {"header_rows": 2},
    "file_header_multirow_3": {"header_rows": 3},
    "file_multitable_same": {"repeated_header": True},
    "file_quotation_char_0x27": {"quote": "'"},
}
# Read, loaded, duplicate, rejected, skipped, where they are not (83, 83, 0, 0, 0).
COUNTED = {
    # The sign before a quote is a zero byte, which no text has.
    "file_escape_char_0x00": (83, 77, 0, 6, 0),
    # "Men's Boots" stands without quotes in a file that blanks part.
    "file_field_delimiter_0x20": (83, 18, 0, 65, 0),
    # Single quotes around "won't", with nothing before its own.
    "file_quotation_char_0x27": (83, 50, 0, 33, 0),
    "file_header_only": (0, 0, 0, 0, 0),
    "file_no_payload": (0, 0, 0, 0, 0),
    "file_one_data_row": (1, 1, 0, 0, 0),
    # Behind the table the same once more, with a header of its own, and one broken row;
    # with fewer columns; with one more.
    "file_multitable_same": (166, 164, 0, 1, 1),
    "file_multitable_less": (166, 83, 0, 83, 0),
    "file_multitable_more": (166, 164, 0, 2, 0),
    # The quote opens a value that goes on to the next row's: one record of two lines.
    "row_extra_quote39_col8": (82, 81, 0, 1, 0),
    # A delimiter more behind the columns that are mapped shifts nothing of them.
    "row_more_sep_row15_col6": (83, 83, 0, 0, 0),
    "row_more_sep_row18_col5": (83, 83, 0, 0, 0),
    "row_more_sep_row1_col7": (83, 83, 0, 0, 0),
}


@pytest.fixture
def corpora(test_data):
    return test_data / "csv_corpora"


def manifest(corpora, corpus):
    """File name → records expected, None where the file is invalid."""
    with (corpora / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["corpus"] == corpus]
    return {
        corpora / row["file"]: (
            int(row["n_records_expected"]) if row["n_records_expected"] else None
        )
        for row in rows
    }


def counts(company):
    """File name without its extension → read, loaded, duplicate, rejected, skipped."""
    company.books()  # they add up
    rows = company.rows(
        "select r.path, r.n_read, r.n_skipped,"
        " (select count(*) from raw.rejected_rows as b where b.file_id = r.file_id)"
        " from raw.files as r where status != 'refused'"
    )
    kept = {file.partition(".")[0]: book for file, book in company.books().items()}
    return {
        path.partition(".")[0]: (*kept[path.partition(".")[0]][1:], skipped)
        for path, _, skipped, _ in rows
    }


def sold(path):
    """What an independent reader finds in the clean version: id, time, amount."""
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            amount = Decimal(row["Qty"]) * Decimal(row["Price"].removeprefix("$"))
            yield (
                row["PRODUCTID"],
                datetime.strptime(f"{row['DATE']} {row['TIME']}", "%d/%m/%Y %H:%M"),  # noqa: DTZ007
                amount.quantize(Decimal("0.01"), ROUND_HALF_UP),
            )


def test_pollock(company, corpora):
    files = manifest(corpora, "pollock")
    without_header = {
        "file_no_header": ("column4", "column1", "column2", "column3", "column5")
    }
    mappings = []
    for path in files:
        own = {**SALES, "files": path.name, **STATED.get(path.stem, {})}
        # Equal rows of two files would be duplicates.
        key = {"expr": f"'{path.stem} ' || PRODUCTID"}
        own["columns"] = {**SALES["columns"], "transaction_id": key}
        if path.stem in without_header:
            text = json.dumps(own["columns"])
            names = ("PRODUCTID", "DATE", "TIME", "Qty", "Price")
            for name, instead in zip(names, without_header[path.stem], strict=True):
                text = re.sub(rf"\b{name}\b", instead, text)
            own |= {"columns": json.loads(text), "header_row": 0}
        mappings.append(own)
        company.land(f"transactions/{path.name}", path.read_bytes())
    company.settings({"feeds": {"transactions": mappings}})
    load = company.load_one("transactions")
    assert load.refused == ()
    assert load.empty == ("file_no_payload.csv",)

    source = list(sold(corpora / "pollock" / "csv" / "source.csv"))
    found = counts(company)
    for path in files:
        damaged = re.search(r"row_.*?(\d+)_", path.stem)
        usual = (83, 82, 0, 1, 0) if damaged else (83, 83, 0, 0, 0)
        assert found[path.stem] == COUNTED.get(path.stem, usual), path.stem
        loaded = Counter(
            company.rows(
                "select replace(transaction_id, $name || ' ', ''),"
                " occurred_at at time zone 'UTC', amount"
                " from raw.transactions inner join raw.files on _file_id = file_id"
                " where path = $path",
                path=path.name,
                name=path.stem,
            )
        )
        # Nothing is loaded that is not there, and nothing but broken rows is missing.
        n_tables = 2 if "multitable" in path.stem else 1
        assert loaded <= Counter(source * n_tables), path.stem
        assert sum(loaded.values()) == found[path.stem][1]
        lines = company.column(
            "select line_no from raw.rejected_rows as r inner join raw.files as f"
            " on r.file_id = f.file_id where path = $path",
            path=path.name,
        )
        if damaged and lines:
            assert lines == [damaged and int(re.findall(r"\d+", path.stem)[0])]


def detail(n_columns, names):
    """An expression that holds all values of a row."""
    assert len(names) == n_columns
    quoted = ('"' + name.replace('"', '""') + '"' for name in names)
    return " || chr(31) || ".join(f"coalesce({name}, '')" for name in quoted)


# Contract: blank lines are no rows, where these have records of one blank value. Of the
# last file the manifest counts the columns.
FEWER = {"all-empty": 2, "empty-one-column": 1, "location_coordinates": 3}


@pytest.mark.parametrize("corpus", ["csv_spectrum", "csv_test_data"])
def test_files_with_their_values_as_json(company, corpora, corpus):
    files = manifest(corpora, corpus)
    mappings, expected = [], {}
    for path in files:
        known = corpora / corpus / "json" / f"{path.stem}.json"
        if not known.exists():
            continue
        rows = json.loads(known.read_text(encoding="utf-8", errors="replace"))
        rows = rows if isinstance(rows, list) else [rows]
        has_header = corpus == "csv_spectrum" or path.stem.startswith("header")
        names = ("foo", "bar", "baz")
        if rows and isinstance(rows[0], dict):
            names = tuple(rows[0])
            rows = [list(row.values()) for row in rows]
        width = len(rows[0]) if rows else len(names)
        own = {"files": path.name, "constants": CONSTANTS}
        if not has_header:
            names = tuple(f"column{n}" for n in range(1, width + 1))
            own["header_row"] = 0
        own["columns"] = {"detail": {"expr": detail(width, names)}}
        mappings.append(own)
        texts = ["\x1f".join(row) for row in rows]
        expected[path.stem] = [text for text in texts if text.strip() or width > 1]
        assert files[path] - len(expected[path.stem]) == FEWER.get(path.stem, 0)
        company.land(f"interactions/{path.name}", path.read_bytes())
    company.settings({"feeds": {"interactions": mappings}})
    assert company.load_one("interactions").refused == ()
    found = counts(company)
    for name, rows in expected.items():
        # One of the files is not UTF-8, nor is what was made of it.
        own = company.column(
            "select detail from raw.interactions inner join raw.files"
            " on _file_id = file_id where path = $path order by _line_no",
            path=f"{name}.csv",
        )
        if name != "location_coordinates":
            assert own == list(dict.fromkeys(rows)), name
        assert found[name][0] == len(rows), name


INVALID = {  # status; read, loaded, rejected, and for what
    "bad-header-less-fields": ("loaded", 1, 0, ["too_few_columns"]),
    "bad-header-more-fields": ("loaded", 1, 0, ["too_many_columns"]),
    "bad-header-no-header": ("empty", 0, 0, []),
    "bad-header-wrong-header": ("refused", None, None, []),
    "bad-missing-quote": ("loaded", 1, 0, ["unclosed_quote"]),
    "bad-quotes-with-unescaped-quote": ("loaded", 1, 0, ["unclosed_quote"]),
    # A quote within a value that has none around it is a part of it, as in 5" nails.
    "bad-unescaped-quote": ("loaded", 1, 1, []),
}


def test_invalid_files(company, corpora):
    own = {
        "constants": CONSTANTS,
        "columns": {"detail": {"expr": detail(3, ("foo", "bar", "baz"))}},
    }
    company.settings({"feeds": {"interactions": own}})
    files = manifest(corpora, "csv_test_data")
    paths = [path for path, records in files.items() if records is None]
    assert {path.stem for path in paths} == {*INVALID}
    for path in paths:
        company.land(f"interactions/{path.name}", path.read_bytes())
    company.load_one("interactions")
    books = company.books()
    for name, (status, read, loaded, reasons) in INVALID.items():
        file = f"{name}.csv"
        assert books[file][:3] == (status, read, loaded), name
        assert reasons == company.column(
            "select reason_code from raw.rejected_rows as r inner join raw.files as f"
            " on r.file_id = f.file_id where path = $path",
            path=file,
        )


# Of the folders without a list of records: files that are refused, and why.
REFUSED = {
    "encrypted_no_password.xls": "is no workbook that can be read",
    "bian-anal-mca-2005-dols-eng-1011-0312-tab3.xlsm": "is of an unknown kind (.xlsm)",
    "simple.psv": "is of an unknown kind (.psv)",
    "simple.ssv": "is of an unknown kind (.ssv)",
    "README.md": "is of an unknown kind (.md)",
    "csvRecord.bin": "is of an unknown kind (.bin)",
}


@pytest.mark.parametrize(
    "folder", ["messytables_horror", "duckdb_rejects", "commons_csv"]
)
def test_files_without_a_list_are_read_or_refused(company, corpora, folder):
    company.settings(
        {
            "feeds": {
                "interactions": {
                    "constants": CONSTANTS,
                    "header_row": 0,
                    "columns": {"detail": "column1"},
                }
            }
        }
    )
    paths = [path for path in (corpora / folder).rglob("*") if path.is_file()]
    for path in paths:
        name = path.relative_to(corpora / folder).as_posix()
        company.land(f"interactions/{name}", path.read_bytes())
    landed = find_files(company.project)  # the archive has one member
    load = company.load_one("interactions")
    assert load.n_new == len(landed) == len(paths)
    assert {path.rpartition("/")[2]: why for path, why in load.refused} == {
        path.name: REFUSED[path.name] for path in paths if path.name in REFUSED
    }
    books = company.books()
    assert len(books) == len(paths)
    empty = {file for file, book in books.items() if book[0] == "empty"}
    assert empty <= {"empty.txt", "null.csv", "libreoffice.xlsx"}
    assert all(book[1] for file, book in books.items() if book[0] == "loaded")
