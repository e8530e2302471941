"""The site of docs/, as `make check` has built it, is accessible: axe finds nothing."""

import functools
import http.server
import importlib.resources
import json
import re
import shutil
import threading
from pathlib import Path

import pytest

from tests import pages

SITE = Path(__file__).parents[2] / "site"
# A start page, code and wide tables, and a page in Chinese.
SHOWN = ("index.html", "bi.html", "troubleshooting.zh-CN.html")
WIDTHS = (390, 1280)
# One frame after the other: the theme measures each as it comes into sight.
HARNESS = """<!doctype html><title>Site</title><pre id="told"></pre><script>
const views = VIEWS, all = [];
function next() {
  document.querySelectorAll("iframe").forEach((frame) => frame.remove());
  if (!views.length) {
    document.getElementById("told").textContent =
      JSON.stringify(all).replaceAll("<", "\\\\u003c").replaceAll("&", "\\\\u0026");
    return;
  }
  const [page, width] = views.shift(), frame = document.createElement("iframe");
  Object.assign(frame, {width, height: 900, src: page});
  frame.onload = async () => {
    await new Promise((ready) => setTimeout(ready, 300));
    const inside = frame.contentWindow;
    const script = inside.document.createElement("script");
    script.src = "axe.js";
    script.onload = async () => {
      const checked = await inside.axe.run(inside.document,
        {resultTypes: ["violations"]});
      all.push([page, width, checked.violations.map(
        (found) => [found.id, found.nodes[0].html.slice(0, 200)])]);
      next();
    };
    inside.document.head.append(script);
  };
  document.body.append(frame);
}
addEventListener("load", next);
</script><body></body>
"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def address(tmp_path):
    """The address of a copy of the site, with the harness and axe, on loopback."""
    if not (SITE / SHOWN[-1]).is_file():
        pytest.skip("needs the site: make site")
    folder = tmp_path / "site"
    shutil.copytree(SITE, folder)
    axe = importlib.resources.files("axe_core_python") / "axe.min.js"
    (folder / "axe.js").write_text(axe.read_text(encoding="utf-8"), encoding="utf-8")
    views = json.dumps([[page, width] for page in SHOWN for width in WIDTHS])
    (folder / "harness.html").write_text(HARNESS.replace("VIEWS", views), "utf-8")
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/harness.html"
        server.shutdown()


@pages.needs_browser
def test_axe_finds_nothing_in_the_site(address, tmp_path):
    dom = pages.dom_of(address, tmp_path)
    (told,) = re.findall(r'(?s)<pre id="told">(.*?)</pre>', dom)
    looked_at = json.loads(told)
    assert len(looked_at) == len(SHOWN) * len(WIDTHS)
    assert [view for view in looked_at if view[-1]] == []
