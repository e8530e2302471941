"""Pages as a browser without a network shows them: widths, languages, accessibility.

Each view is a frame of one harness page, so that Chromium is started once: its windows
are at least 500 pixels wide, frames are as narrow as a telephone. axe-core comes with
the package axe-core-python.
"""

import html
import importlib.resources
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Debian's chromium to look at a page"
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
_LIMIT_SECONDS = 120
# axe takes half a minute for all rows of a page: two of each table tell the same.
_ALIKE = (
    "tbody tr:nth-child(n+3), details ~ details ~ details, .points dt ~ dt, dd ~ dd"
)
_PROBE = """
addEventListener("load", async () => {
  const wide = [...document.querySelectorAll("body *")].filter((element) =>
    !element.closest(".scroll, .hidden, .skip") &&
    element.getBoundingClientRect().right > innerWidth + 0.5);
  const texts = {};
  for (const lang of ["en", "zh"])
    texts[lang] = [...document.querySelectorAll(`span[lang=${lang}]`)].filter(
      (element) => element.getClientRects().length > 0).length;
  const size = [innerWidth, document.documentElement.scrollWidth];
  for (const element of document.querySelectorAll(MOST_OF_WHAT_IS_ALIKE))
    element.remove();
  for (const element of document.querySelectorAll("span[lang]"))
    if (getComputedStyle(element).display === "none") element.remove();
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  const checked = await axe.run(document, {resultTypes: ["violations"]});
  parent.told({
    view: VIEW,
    inner_width: size[0],
    scroll_width: size[1],
    wide: wide.map((element) => element.outerHTML.slice(0, 200)),
    texts,
    violations: checked.violations.map((found) => [
      found.id, found.nodes.length, found.nodes[0].html.slice(0, 200),
      found.nodes[0].failureSummary]),
  });
});
"""
_HARNESS = """<!doctype html><title>Views</title><pre id="told"></pre><script>
const all = [];
function told(found) {
  all.push(found);
  if (all.length === COUNT) document.getElementById("told").textContent =
    JSON.stringify(all).replaceAll("<", "\\\\u003c").replaceAll("&", "\\\\u0026");
}
</script>
"""


@dataclass(frozen=True)
class View:
    """How a page is looked at."""

    width: int
    lang: str
    is_dark: bool = False


def in_language(page: str, lang: str) -> str:
    """The page as it is once the language is chosen."""
    unchecked = page.replace(" checked>", ">")
    return unchecked.replace(f'id="lang-{lang}">', f'id="lang-{lang}" checked>')


def looked_at(page: str, folder: Path, *views: View) -> list[dict]:
    """What a browser finds in each view of a page, in the order of the views.

    That is: the widths of window and page, what stands out of the window at the right,
    how many texts of each language are seen, and what axe finds wrong.
    """
    axe = importlib.resources.files("axe_core_python") / "axe.min.js"
    source = axe.read_text(encoding="utf-8")
    parts = [_HARNESS.replace("COUNT", str(len(views)))]
    for number, view in enumerate(views):
        shown = in_language(page, view.lang)
        if view.is_dark:
            shown = shown.replace("(prefers-color-scheme: dark)", "(min-width: 1px)")
        probe = _PROBE.replace("VIEW", str(number))
        probe = probe.replace("MOST_OF_WHAT_IS_ALIKE", json.dumps(_ALIKE))
        script = f"<script>{source}</script><script>{probe}</script></body>"
        inside = html.escape(shown.replace("</body>", script))
        parts.append(
            f'<iframe width="{view.width}" height="900" srcdoc="{inside}"></iframe>'
        )
    harness = folder / "harness.html"
    harness.write_text("".join(parts), encoding="utf-8")
    dom = _browse(folder, harness, "--virtual-time-budget=100000", "--dump-dom")
    (told,) = re.findall(r'(?s)<pre id="told">(.*?)</pre>', dom)
    return sorted(json.loads(told), key=lambda found: found["view"])


def n_printed_pages(page: Path, folder: Path) -> int:
    """On how many sheets of A4 the page is printed."""
    pdf = folder / "page.pdf"
    _browse(folder, page, "--no-pdf-header-footer", f"--print-to-pdf={pdf}")
    return len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes()))


def dom_of(address: str, folder: Path) -> str:
    """What a page on this machine has become once its scripts have run."""
    options = ("--virtual-time-budget=100000", "--dump-dom")
    # The rule that keeps the browser off the network also covers this machine.
    rule = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    return _browse(folder, address, *options, rule)


def _browse(folder: Path, page: Path | str, *options: str) -> str:
    assert CHROMIUM is not None
    return subprocess.run(
        [
            CHROMIUM,
            *FLAGS,
            f"--user-data-dir={folder / 'profile'}",
            *options,
            page if isinstance(page, str) else page.as_uri(),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=_LIMIT_SECONDS,
    ).stdout


class _Tables(HTMLParser):
    """The tables of a page as text in one language."""

    def __init__(self, lang: str):
        super().__init__()
        self.tables = []
        self._other = "zh" if lang == "en" else "en"
        self._into = None  # the list whose last text is being read
        self._is_hidden = False

    def handle_starttag(self, tag, attrs):
        if tag == "caption":
            self.tables.append(([""], []))
            self._into = self.tables[-1][0]
        elif tag == "tr":
            self.tables[-1][1].append([])
        elif tag in {"th", "td"}:
            self._into = self.tables[-1][1][-1]
            self._into.append("")
        elif tag == "span":
            self._is_hidden = dict(attrs).get("lang") == self._other

    def handle_endtag(self, tag):
        if tag == "span":
            self._is_hidden = False
        elif tag in {"caption", "th", "td"}:
            self._into = None

    def handle_data(self, data):
        if self._into is not None and not self._is_hidden:
            self._into[-1] += data


def tables(page: str, lang: str = "en") -> list[tuple[str, list[list[str]]]]:
    """Caption and rows of each table of a page, the row of its heads first."""
    read = _Tables(lang)
    read.feed(page)
    return [
        (caption.strip(), [[" ".join(cell.split()) for cell in row] for row in rows])
        for (caption,), rows in read.tables
    ]
