"""The Data Docs show every result and need nothing from the network."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from data_quality.docs import write_data_docs
from data_quality.result import CheckResult
from tests import pages

PASSED = CheckResult(
    "customers", "columns", "ERROR", True, 0, "3 columns", "Has its columns"
)
FAILED = CheckResult(
    "customers", "rows", "ERROR", False, 1234, "0 rows", "The number of rows is <many>"
)
WARNED = CheckResult("tags", "in_set(tag)", "WARN", False, None, "tag is missing", "…")


class _Resources(HTMLParser):
    """What a browser would fetch to show a page, and what it links to."""

    def __init__(self):
        super().__init__()
        self.fetched = []
        self.links = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        places = [given[name] for name in ("src", "srcset", "data") if name in given]
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif "href" in given:
            places.append(given["href"])
        self.fetched += places


@pytest.fixture
def page(tmp_path, table):
    things = table([{"name": "customer_id", "type": "text"}], name="customers")
    path = write_data_docs([PASSED, FAILED, WARNED], tmp_path / "quality", [things])
    return path.read_text(encoding="utf-8")


def test_the_page_asks_for_nothing_outside_itself(page):
    resources = _Resources()
    resources.feed(page)

    assert resources.fetched == []
    assert "<script" not in page
    assert not re.search(r"@import|url\(|https?:", page)
    assert all(link.startswith(("#", "../report.html")) for link in resources.links)


def test_the_page_shows_what_failed_first_and_every_check(page):
    text = re.sub(r"<[^>]+>", " ", page)

    assert "2 of 3 checks failed; 1 of them block the release" in text
    assert text.index("What failed") < text.index("Tables ·")
    for result in (PASSED, FAILED, WARNED):
        assert result.check_name in text
        assert result.observed in text
    assert "1,234" in text
    assert "The number of rows is &lt;many&gt;" in page
    assert "One row is a thing." in text


def test_all_passed_is_said_in_one_line(tmp_path):
    page = write_data_docs([PASSED], tmp_path).read_text(encoding="utf-8")

    assert "All 1 checks of 1 tables passed" in page
    assert "What failed" not in page


def test_no_results_make_a_page_too(tmp_path):
    page = write_data_docs([], tmp_path).read_text(encoding="utf-8")

    assert "All 0 checks of 0 tables passed" in page


def test_equal_results_give_an_equal_page(tmp_path):
    pages = {
        write_data_docs([PASSED, FAILED], tmp_path / name).read_bytes()
        for name in ("one", "two")
    }

    assert len(pages) == 1
    assert str(tmp_path).encode() not in pages.pop()


def test_many_checks_make_a_small_page(tmp_path):
    results = [
        CheckResult(
            f"table_{i % 60}", f"not_null({i})", "ERROR", True, 0, "0 of 9", "…"
        )
        for i in range(1500)
    ]
    by_table = sorted(results, key=lambda result: result.table_name)

    assert write_data_docs(by_table, tmp_path).stat().st_size < 1_000_000


needs_browser = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="needs Debian's chromium to look at a page"
)


def drawn(path, tmp_path):
    """The page as a browser without a network has drawn it."""
    return subprocess.run(
        [
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--dump-dom",
            path.as_uri(),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout


@needs_browser
def test_a_browser_without_a_network_shows_it(tmp_path):
    path = write_data_docs([PASSED, FAILED, WARNED], tmp_path / "quality")

    shown = drawn(path, tmp_path)

    assert shown.count("<tr>") == 1 + 2 + 1 + 2 + 1 + 2 + 1 + 1
    assert "ERR_" not in shown


HOSTILE = (
    "<script>document.title = 'owned'</script>"
    "<img src=x onerror=\"document.title='owned'\">\"'\u202e\x1b\x9b"
)


def hostile_page(folder):
    failed = CheckResult(
        HOSTILE, HOSTILE, "ERROR", False, n_failed=1, observed=HOSTILE, expected=HOSTILE
    )
    return write_data_docs([failed], folder)


def test_what_a_check_observed_is_text_and_nothing_else(tmp_path):
    page = hostile_page(tmp_path).read_text(encoding="utf-8")

    assert "<script" not in page
    assert "<img" not in page
    assert "\\u202e\\x1b\\x9b" in page
    assert not re.search("[\u202e\x1b\x9b]", page)


@needs_browser
def test_what_a_check_observed_does_nothing_in_a_browser(tmp_path):
    shown = drawn(hostile_page(tmp_path / "quality"), tmp_path)

    assert "<title>owned</title>" not in shown
    assert "&lt;script&gt;" in shown


@pages.needs_browser
def test_the_page_is_accessible_on_telephones_and_in_the_dark(page, tmp_path):
    views = [
        pages.View(width, "en", is_dark)
        for width in (390, 1280)
        for is_dark in (False, True)
    ]
    for found in pages.looked_at(page, tmp_path, *views):
        assert found["violations"] == []
        assert found["wide"] == []
        assert found["scroll_width"] <= found["inner_width"]
