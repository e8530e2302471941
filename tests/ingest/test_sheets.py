"""Several sheets of a workbook: each is a landing file of its own."""

import zipfile

import pytest

from tests.ingest.test_archives import zipped
from tests.ingest.test_formats import workbook

HEAD = ["customer_id", "industry"]
SHEETS = {
    "2026-01": [["January", None], HEAD, ["1", "a"], ["Total", "1"]],
    "2026-02": [HEAD, ["2", "b"], [None, "c"], ["Total", "2"]],
    "Notes": [["read me"], ["twice"]],
    "北区": [HEAD, ["3", "d"], ["Total", "1"]],
    "Empty": [],
}


def taken(company, sheet, name="m.xlsx", **more):
    mapping = {"sheet": sheet, "trailer_rows": 1, **more}
    company.settings({"feeds": {"customers": mapping}})
    path = company.root / "landing" / "customers" / name
    if not path.exists():
        workbook(path, SHEETS)
    load = company.load_one("customers")
    rows = company.rows(
        "select path, customer_id, _line_no from raw.customers inner join raw.files"
        " on _file_id = file_id order by path, _line_no"
    )
    return load, rows


JANUARY, FEBRUARY = ("m.xlsx/2026-01", "1", 1), ("m.xlsx/2026-02", "2", 1)
NORTH = ("m.xlsx/北区", "3", 1)


@pytest.mark.parametrize(
    ("sheet", "rows"),
    [
        ("2026-*", [JANUARY, FEBRUARY]),
        ("2026-0?", [JANUARY, FEBRUARY]),
        (["2026-02", "北区"], [FEBRUARY, NORTH]),
        (["北区"], [NORTH]),
        ("北区", [("m.xlsx", "3", 1)]),
    ],
)
def test_sheets_by_pattern_or_list(company, sheet, rows):
    load, found = taken(company, sheet)
    assert found == rows
    assert load.refused == ()


def test_all_sheets_each_with_its_own_fate(company):
    load, found = taken(company, "*")
    assert found == [JANUARY, FEBRUARY, NORTH]
    assert [path for path, _ in load.refused] == ["m.xlsx/Notes"]
    assert load.empty == ("m.xlsx/Empty",)
    # What is told of rows names the sheet, and the last row of each is skipped.
    assert company.rows(
        "select path, line_no from raw.rejected_rows as r inner join raw.files as f"
        " on r.file_id = f.file_id"
    ) == [("m.xlsx/2026-02", 2)]
    assert (load.n_read, load.n_loaded, load.n_rejected, load.n_skipped) == (7, 3, 1, 3)
    assert company.load_one("customers").n_new == 0
    company.books()


def test_a_sheet_goes_where_the_mapping_takes_it_no_longer(company):
    taken(company, "*")
    load, _ = taken(company, ["2026-01"])
    assert (load.n_new, load.n_loaded) == (1, 1)  # another mapping
    assert load.vanished == ("m.xlsx/2026-02", "m.xlsx/北区")


@pytest.mark.parametrize("sheet", ["2025-*", ["x"]])
def test_no_sheet_is_taken(company, sheet):
    load, _ = taken(company, sheet)
    ((path, reason),) = load.refused
    assert path == "m.xlsx"
    assert "has no sheet that 'sheet' takes" in reason


def test_a_workbook_that_is_none_and_one_in_an_archive(company, tmp_path):
    book = tmp_path / "m.xlsx"
    workbook(book, SHEETS)
    company.land("customers/x.zip", zipped([("m.xlsx", book.read_bytes())]))
    company.land("customers/none.xlsx", b"PK no workbook")
    with zipfile.ZipFile(company.root / "landing/customers/bomb.xlsx", "w") as bomb:
        bomb.writestr("xl/workbook.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    load, rows = taken(company, "2026-*")
    assert rows == [JANUARY, FEBRUARY]
    assert [path for path, _ in load.refused] == [
        "bomb.xlsx",
        "none.xlsx",
        "x.zip/m.xlsx",
    ]


def test_a_sheet_has_the_name_of_no_kind_of_file(company):
    sheets = {"a.gz": SHEETS["北区"], "b.csv": SHEETS["2026-01"]}
    workbook(company.root / "landing/customers/M.XLSX", sheets)
    _, rows = taken(company, "*", "M.XLSX")
    assert rows == [("M.XLSX/a.gz", "3", 1), ("M.XLSX/b.csv", "1", 1)]
