"""The report of a release: one page of its figures and pictures."""

import datetime
import re
from html.parser import HTMLParser

import duckdb
import pytest

from project.errors import ConfigurationError
from releases.report import REPORT_FILE, scheme_report, write_report
from releases.summary import Unusable


class Page(HTMLParser):
    """What a page is made of: tags in order, texts by the language they are in."""

    def __init__(self, text):
        super().__init__()
        self.text = text
        self.tags = []
        self.ids = []
        self.headings = []
        self.spans = []  # (language, text)
        self._lang = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append((tag, found))
        if "id" in found:
            self.ids.append(found["id"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "span" and "lang" in found:
            self._lang = found["lang"]
            self.spans.append((self._lang, ""))

    def handle_endtag(self, tag):
        if tag == "span":
            self._lang = None

    def handle_data(self, data):
        if self._lang:
            lang, text = self.spans[-1]
            self.spans[-1] = (lang, text + data)


@pytest.fixture
def written(con, building, project, manifest):
    """Writes the report; its text."""

    def write(unusable=(), **more):
        write_report(con, building.folder, manifest("may", **more), project, unusable)
        return (building.folder / REPORT_FILE).read_text(encoding="utf-8")

    return write


def rejected(number):
    return Unusable("rejected", "calls", f"reason_{number}", 1200, "calls/<a>.csv:7")


def card(page, name):
    """The text of a headline figure, in English."""
    (found,) = re.findall(
        rf'(?s)<li><span class="name"><span lang="en">{name}<.*?</li>', page
    )
    return re.sub(r'<span lang="zh">.*?</span>|<[^>]+>', " ", found)


@pytest.mark.usefixtures("graded")
def test_it_shows_the_figures_of_the_release(written):
    page = written()
    assert "3 customers · release" in page
    assert "400" in card(page, "Spend, 12 months")
    assert "▲ 100.0 % on a year ago" in card(page, "Spend, 12 months")
    assert "60" in card(page, "Margin, 12 months")
    assert "known of 75 % of spend" in card(page, "Margin, 12 months")
    assert "200" in card(page, "Spend per active customer")
    assert "1" in card(page, "New, 12 months")
    assert "▲ 50.0 % on a year ago" in card(page, "Customers")
    assert "Tier gold" in page
    assert "Gates that were accepted" not in page


@pytest.mark.usefixtures("graded")
def test_a_customer_without_a_first_day_leaves_a_year_ago_open(written, insert):
    insert("customers", {"customer_id": "D", "is_active": False})
    page = written()
    assert "year ago" not in card(page, "Customers")
    assert "–" in card(page, "New, 12 months")


@pytest.mark.usefixtures("graded")
def test_figures_are_held_against_the_release_before(written, stated):
    stated("2026-04-30-aaaa", "2026-04-30", 500)
    page = written(previous_release_id="2026-04-30-aaaa")
    assert "▼ 20.0 % since last release" in card(page, "Spend, 12 months")
    assert "▲ 200.0 % since last release" in card(page, "Customers")
    assert "Last release: 2026-04-30-aaaa, as of 2026-04-30" in page


@pytest.mark.usefixtures("graded")
def test_figures_are_held_against_the_release_of_a_year_ago(written, stated):
    stated("2025-05-31-bbbb", "2025-05-31", 1600)
    page = written()
    assert "▼ 75.0 % on a year ago" in card(page, "Spend, 12 months")
    assert "2025-05-31-bbbb" in page
    assert "is kept" not in page


@pytest.mark.parametrize("harm", ["gone", "damaged", "old"])
@pytest.mark.usefixtures("graded")
def test_a_release_that_cannot_be_read_is_no_reason_to_fail(
    written, stated, project, harm
):
    stated("2026-04-30-aaaa", "2026-04-30", 500)
    database = project.releases / "2026-04-30-aaaa/fenji.duckdb"
    if harm == "gone":
        database.unlink()
    elif harm == "damaged":
        database.write_bytes(b"no database")
    else:
        with duckdb.connect(database) as con:
            con.execute("drop table customer_metrics")
    page = written(previous_release_id="2026-04-30-aaaa")
    assert "There is no earlier release to compare with." in page


@pytest.mark.usefixtures("graded")
def test_schemes_that_tell_nothing_come_last_and_folded(written):
    page = written()
    (schemes,) = re.findall(r'(?s)<section id="schemes".*?</section>', page)
    assert schemes.index("Scheme card") < schemes.index("Schemes that tell nothing")
    rest = schemes[schemes.index("Schemes that tell nothing") :]
    assert "Scheme one" in rest
    assert "all are Tier gold" in rest
    assert "needs calls" in rest
    assert "Scheme card" not in rest


@pytest.mark.usefixtures("graded")
def test_tiers_are_shown_over_the_dates_that_were_graded(written):
    (trend,) = re.findall(r'(?s)<section id="trend".*?</section>', written())
    assert trend.index("2026-04-30") < trend.index("2026-05-31")
    assert "+1" in trend


@pytest.mark.usefixtures("graded")
def test_a_single_date_is_no_trend(written, con):
    con.execute("delete from release.main.tier_trend where as_of_date < '2026-05-01'")
    assert 'id="trend"' not in written()


def test_without_rows_there_is_a_page_all_the_same(written):
    page = written()
    assert "No scheme could run on the feeds that are present." in page
    assert "0 customers · release" in page


@pytest.mark.usefixtures("graded")
def test_the_same_release_gives_the_same_page(written):
    page = written([rejected(1)])
    assert page == written([rejected(1)], minute=7)
    assert str(datetime.datetime.now(datetime.UTC).date()) not in page


def test_what_could_not_be_used_is_shown_up_to_a_number_of_kinds(written):
    page = written([rejected(number) for number in range(10)])
    shown = [number for number in range(10) if f"reason_{number}" in page]
    assert shown == list(range(8))
    assert "And 2 more in rejected_rows" in page
    assert "1,200" in page


def test_an_accepted_gate_is_on_the_first_screen(written):
    page = written([Unusable("accepted", "calls: rejected", "9 %, gate 5 %", None, "")])
    (attention,) = re.findall(r'(?s)<section id="attention".*?</section>', page)
    assert "9 %, gate 5 %" in attention


def test_names_of_files_are_no_markup(written):
    page = written([rejected(1)])
    assert "<a>.csv" not in page
    assert "calls/&lt;a&gt;.csv:7" in page


@pytest.mark.usefixtures("graded")
def test_every_text_is_in_both_languages(written):
    page = Page(written([rejected(1)]))
    assert len(page.spans) > 200
    pairs = list(zip(page.spans[::2], page.spans[1::2], strict=True))
    assert [pair for pair in pairs if (pair[0][0], pair[1][0]) != ("en", "zh")] == []
    assert [pair for pair in pairs if not pair[0][1].strip()] == []
    assert [zh for _, (_, zh) in pairs if not re.search("[\u4e00-\u9fff]", zh)] == []


@pytest.mark.usefixtures("graded")
def test_the_page_can_be_found_through_without_seeing_it(written):
    page = Page(written([rejected(1)]))
    names = [tag for tag, _ in page.tags]
    for landmark in ("main", "nav", "header", "footer"):
        assert names.count(landmark) == 1
    assert page.headings[0] == 1
    assert page.headings.count(1) == 1
    assert all(
        b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False)
    )
    assert len(page.ids) == len(set(page.ids))
    linked = {found["href"] for tag, found in page.tags if tag == "a"}
    assert linked - {f"#{name}" for name in page.ids} == {"quality/index.html"}
    assert names.count("table") == names.count("caption") > 5


@pytest.mark.usefixtures("graded")
def test_it_needs_no_script_and_nothing_from_elsewhere(written):
    page = Page(written())
    assert {tag for tag, _ in page.tags} & {"script", "img", "link", "iframe"} == set()
    assert [a for _, found in page.tags for a in found if a.startswith("on")] == []
    assert re.findall(r"https?:|url\(|@import", page.text) == []


@pytest.mark.usefixtures("graded")
def test_a_page_about_some_schemes_has_them_in_the_order_given(con, project, manifest):
    def page(*schemes):
        return scheme_report(con, "release", manifest("may"), project, schemes, "zh")

    found = Page(page("off", "card"))
    anchors = [name for name in found.ids if name.startswith("scheme-")]
    assert anchors == [
        "scheme-off", "scheme-off-title", "scheme-card", "scheme-card-title",
    ]  # fmt: skip
    assert found.tags[0] == ("html", {"lang": "zh"})
    with pytest.raises(
        ConfigurationError, match="no scheme 'cart'; did you mean 'card'"
    ):
        page("cart")
