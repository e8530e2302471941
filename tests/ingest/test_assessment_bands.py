"""Assessments outside their band move from the loaded to the rejected rows."""

from decimal import Decimal

import pytest

from ingest import assessment_bands
from sql.bands import Band
from tests.ingest.conftest import END
from tests.staged import create_views

HEAD = "customer_id,characteristic,assessed_at,value,points\n"
# Strength of at most 15: strong from 10, medium from 5; and of growth any up to 7.5.
BANDS = (
    Band("strength", None, Decimal(0), Decimal(15), is_high_included=True),
    Band("strength", "strong", Decimal(10), Decimal(15), is_high_included=True),
    Band("strength", "medium", Decimal(5), Decimal(10), is_high_included=False),
    Band("strength", "强大", Decimal(10), Decimal(15), is_high_included=True),
    Band("strength", "一般", Decimal(5), Decimal(10), is_high_included=False),
    Band("growth", None, Decimal(0), Decimal("7.5"), is_high_included=True),
)


def land(company, *rows, file="a.csv"):
    lines = [
        f"C{number},{row}" if row.count(",") == 3 else row
        for number, row in enumerate(rows)
    ]
    company.land(f"assessments/{file}", HEAD + "\n".join(lines) + "\n")
    company.load("assessments")


def settle(company, bands=BANDS):
    create_views(company.con, company.project, END, bands)


def kept(company):
    return company.column("select customer_id from staging.assessments order by all")


@pytest.mark.parametrize(
    ("value", "points", "is_kept"),
    [
        ("strong", "9.9999", False),
        ("strong", "10", True),
        ("strong", "15", True),
        ("strong", "15.0001", False),
        ("medium", "4.9999", False),
        ("medium", "5", True),
        ("medium", "9.9999", True),
        ("medium", "10", False),
        (" Strong\u3000", "9", False),
        ("", "-0.0001", False),
        ("", "0", True),
        ("", "15", True),
        ("", "15.0001", False),
        ("a word of nobody's", "3", True),
        ("a word of nobody's", "16", False),
        ("strong", "", True),
        ("强大", "9.9999", False),
        ("强大", "10", True),
        ("\u3000一般 ", "10", False),
        ("一般", "9.9999", True),
        ("一般", "5", True),
        ("一般", "4.9999", False),
    ],
)
def test_points_lie_in_the_band_of_the_word(company, value, points, is_kept):
    land(company, f"strength,2026-01-01,{value},{points}")
    settle(company)
    assert kept(company) == (["C0"] if is_kept else [])
    assert company.rejected() == ([] if is_kept else [(1, "points", "outside_band")])
    assert company.books() == {"a.csv": ("loaded", 1, int(is_kept), 0, 1 - is_kept)}


def test_each_characteristic_has_its_own_bands(company):
    land(
        company,
        "growth,2026-01-01,strong,7.5",
        "growth,2026-01-01,strong,7.6",
        "taste,2026-01-01,strong,99",
    )
    settle(company)
    assert kept(company) == ["C0", "C2"]


def test_other_bands_take_back_what_the_former_rejected(company):
    land(company, "strength,2026-01-01,strong,9", "strength,2026-01-01,strong,12")
    settle(company)
    assert kept(company) == ["C1"]
    settle(company)
    assert company.rejected() == [(1, "points", "outside_band")]
    settle(company, [Band("strength", "strong", Decimal(8), Decimal(11), True)])
    assert kept(company) == ["C0"]
    assert company.rejected() == [(2, "points", "outside_band")]
    settle(company, [])
    assert kept(company) == ["C0", "C1"]
    assert company.rejected() == []
    assert company.books() == {"a.csv": ("loaded", 2, 2, 0, 0)}


def test_only_rows_that_count_are_judged(company):
    """A row that is replaced is loaded and kept, whatever it said."""
    land(company, "C,strength,2026-01-01,strong,99")
    land(company, "C,strength,2026-01-01,strong,12", file="b.csv")
    land(company, "C,strength,2026-01-01,strong,12", file="c.csv")
    settle(company)
    assert company.column("select points::integer from staging.assessments") == [12]
    assert company.books() == {
        "a.csv": ("loaded", 1, 1, 0, 0),
        "b.csv": ("loaded", 1, 1, 0, 0),
        "c.csv": ("loaded", 1, 0, 1, 0),
    }
    assert company.rejected() == []


def test_what_a_later_load_touches_is_judged_again(company):
    land(company, "C,strength,2026-01-01,strong,9")
    settle(company)
    land(company, "C,strength,2026-01-01,strong,12", file="b.csv")
    settle(company)
    assert company.column("select points::integer from staging.assessments") == [12]
    assert company.rejected() == []


def test_assessments_after_the_as_of_date_are_judged_too(company):
    land(company, "strength,2027-01-01,strong,9")
    settle(company)
    assert company.rejected() == [(1, "points", "outside_band")]


def test_whether_bands_are_those_that_were_judged_by(company):
    land(
        company,
        "C,strength,2026-01-01,strong,9",
        "strength,2026-01-01,strong,9",
        "strength,2026-01-01,strong,12",
    )
    land(company, "C,strength,2026-01-01,strong,11", file="b.csv")
    assert not assessment_bands.is_settled(company.con, BANDS)
    settle(company)
    assert assessment_bands.is_settled(company.con, BANDS)
    same = [*BANDS, Band("taste", None, Decimal(0), Decimal(1), True)]
    assert assessment_bands.is_settled(company.con, same)
    for low, high in ((8, 15), (10, 11)):
        other = [Band("strength", "strong", Decimal(low), Decimal(high), True)]
        assert not assessment_bands.is_settled(company.con, other)
    assert not assessment_bands.is_settled(company.con, [])
    settle(company, [])
    assert assessment_bands.is_settled(company.con, [])
