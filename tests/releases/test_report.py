"""The report of a release: one page of its figures."""

import pytest

from releases.report import REPORT_FILE, Unusable, write_report


@pytest.fixture
def written(con, building, project, manifest):
    """Writes the report; its text."""

    def write(unusable=()):
        write_report(con, building.folder, manifest("may"), project.settings, unusable)
        return (building.folder / REPORT_FILE).read_text(encoding="utf-8")

    return write


def rejected(number):
    return Unusable("rejected", "calls", f"reason_{number}", 1200, "calls/<a>.csv:7")


def test_it_shows_the_figures_of_the_release(written, insert):
    insert("customers", {"customer_id": "A"}, {"customer_id": "B"})
    insert("schemes", {"scheme": "card", "name_en": "Card", "name_zh": "卡"})
    insert(
        "customer_tiers",
        {"customer_id": "A", "scheme": "card", "scope": "", "tier": "gold"},
    )
    page = written()
    assert "2 customers 位客户 · release may" in page
    assert "gold" in page
    assert "Not used, or gone" not in page


def test_the_same_release_gives_the_same_page(written):
    assert written([rejected(1)]) == written([rejected(1)])


def test_what_could_not_be_used_is_shown_up_to_a_number_of_kinds(written):
    page = written([rejected(number) for number in range(10)])
    shown = [number for number in range(10) if f"reason_{number}" in page]
    assert shown == list(range(8))
    assert "And 2 more in rejected_rows" in page
    assert "1,200" in page


def test_names_of_files_are_no_markup(written):
    page = written([rejected(1)])
    assert "<a>.csv" not in page
    assert "calls/&lt;a&gt;.csv:7" in page
