"""A refused file is read as soon as what refused it is mended; nobody need touch it."""

import copy

import pytest

from tests.ingest.conftest import Company
from tests.ingest.test_formats import workbook

FINE = "transaction_id,occurred_at,amount\nt0,2026-05-01,1\n"
PLAIN = "Order,Day,Total\nt1,2026-05-01,10\nt2,2026-05-02,20\n"
COLUMNS = {"transaction_id": "Order", "occurred_at": "Day", "amount": "Total"}
MAPPED = {"columns": COLUMNS}
FILE = "new/a.csv"
# Files as the wrong settings want them: what no file of a mapping has is an error.
BOTH = "Order,Day,Total,Sum\nt8,2026-05-01,1,2\n"
BELOW = "Report\nOrder,Day,Total\nt8,2026-05-01,1\n"
PARTED = "Order;Day;Total\nt8;2026-05-01;1\n"


def _land(company, content=PLAIN, name=FILE):
    company.land(f"transactions/{name}", content)


def _others(more):
    """A mapping of the file, and one for all others."""
    return {"transactions": [{"files": "new/*", **more}, {"files": "*"}]}


# What is wrong with the settings, the same mended, and another file.
SETTINGS = {
    "columns that are mapped": ({}, _others(MAPPED), BOTH),
    "a column by another name": (
        _others({"columns": {**COLUMNS, "amount": "Sum"}}),
        _others(MAPPED),
        BOTH,
    ),
    "a pattern that takes it": (
        {"transactions": [{"files": "zzz/*", **MAPPED}, {"files": "fine.csv"}]},
        {"transactions": [{"files": "new/*", **MAPPED}, {"files": "fine.csv"}]},
        BOTH,
    ),
    "the row of its header": (
        _others({**MAPPED, "header_row": 2}),
        _others({**MAPPED, "header_row": 1}),
        BELOW,
    ),
    "its delimiter": (
        _others({**MAPPED, "delimiter": ";"}),
        _others({**MAPPED, "delimiter": ","}),
        PARTED,
    ),
    "a condition on its columns": (
        _others({**MAPPED, "where": "Colour = 'red'"}),
        _others({**MAPPED, "where": "Total <> '0'"}),
        BOTH,
    ),
    "an expression of its columns": (
        _others({"columns": {**COLUMNS, "amount": {"expr": "Sum"}}}),
        _others({"columns": {**COLUMNS, "amount": {"expr": "Total"}}}),
        BOTH,
    ),
}


def _is_refused(company, name=FILE):
    return company.books()[name][0] == "refused"


def _same_as_afresh(company, settings, tmp_path_factory):
    """The books and rows are those of a project that never was otherwise."""
    fresh = Company(tmp_path_factory.mktemp("fresh"))
    fresh.settings(settings)
    for file in (company.root / "landing").rglob("*.*"):
        fresh.land(str(file.relative_to(company.root / "landing")), file.read_bytes())
    fresh.load("transactions")
    rows = "select transaction_id, amount from staging.transactions order by all"
    assert company.books() == fresh.books()
    assert company.rows(rows) == fresh.rows(rows)
    assert company.input_digest() == fresh.input_digest()
    fresh.con.close()


@pytest.mark.parametrize("mended", SETTINGS)
def test_settings_that_are_mended(company, tmp_path_factory, mended):
    wrong, right, other = copy.deepcopy(SETTINGS[mended])
    company.land("transactions/fine.csv", FINE)
    company.settings({"feeds": wrong})
    _land(company)
    _land(company, other, "new/b.csv")
    company.load("transactions")
    assert _is_refused(company)
    company.settings({"feeds": right})
    company.load("transactions")
    assert company.books()[FILE] == ("loaded", 2, 2, 0, 0)
    _same_as_afresh(company, {"feeds": right}, tmp_path_factory)


def test_a_joined_file_that_is_mended(company, tmp_path_factory):
    settings = {
        "feeds": {
            "transactions": {
                "files": "new/*",
                "columns": {**COLUMNS, "occurred_at": "days.Day"},
                "join": {"days": {"files": "days.csv", "on": ["Order"]}},
            }
        }
    }
    company.settings(settings)
    _land(company, "Order,Total\nt1,10\nt2,20\n")
    company.load("transactions")
    assert _is_refused(company)
    for days in ("Order,When\nt1,2026-05-01\n", "Order,Day\nt1,2026-05-01\n"):
        _land(company, days, "days.csv")
        company.load("transactions")
    assert company.books()[FILE] == ("loaded", 2, 1, 0, 1)
    _same_as_afresh(company, settings, tmp_path_factory)


def test_a_limit_that_is_raised(company, tmp_path_factory):
    company.settings({"limits": {"columns": 2}, "feeds": {"transactions": MAPPED}})
    _land(company)
    company.load("transactions")
    assert _is_refused(company)
    settings = {"limits": {"columns": 3}, "feeds": {"transactions": MAPPED}}
    company.settings(settings)
    company.load("transactions")
    assert company.books()[FILE] == ("loaded", 2, 2, 0, 0)
    _same_as_afresh(company, settings, tmp_path_factory)


def test_a_sheet_that_is_named(company):
    workbook(
        company.root / "landing/transactions/a.xlsx",
        {"Cover": [["Nothing"]], "May": [line.split(",") for line in PLAIN.split()]},
    )
    company.settings({"feeds": {"transactions": {**MAPPED, "sheet": "Mai"}}})
    company.load("transactions")
    assert _is_refused(company, "a.xlsx")
    company.settings({"feeds": {"transactions": {**MAPPED, "sheet": "May"}}})
    company.load("transactions")
    assert company.books() == {"a.xlsx": ("loaded", 2, 2, 0, 0)}
