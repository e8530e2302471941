"""A tiny shop that faults are tried on, and its command line in this process.

The shop is graded once; each test harms a copy of its own.
"""

import datetime
import io
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ingest.load import load_feed
from ingest.warehouse import opened
from pipelines.commands.cli import run_command
from project.folder import Project, open_project
from sql.contracts import feeds
from tests.ingest.conftest import company  # noqa: F401 - a fixture

AS_OF = "2026-05-31"
LOADED_AT = datetime.datetime(2026, 6, 1, 5, tzinfo=datetime.UTC)
SETTINGS = """\
name: shop
timezone: Asia/Shanghai
currency: CNY
schemes: {only: [rfm_8]}
"""
N_CUSTOMERS, N_ORDERS = 20, 200


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The only line of an error: no traceback, no words of a library."""
        (line,) = self.err.splitlines()
        return self._plain(line)

    @property
    def last_line(self) -> str:
        """The line that a run ends with, after what it told on its way."""
        return self._plain(self.err.splitlines()[-1])

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def _plain(self, line: str) -> str:
        assert "Traceback" not in self.err
        for word in ("Error:", "Exception", "FENJI_DEBUG", "duckdb.org", "Errno"):
            assert word not in line
        return line


@dataclass(frozen=True)
class Shop:
    """A project folder and what a user can do with it."""

    root: Path

    @property
    def project(self) -> Project:
        return open_project(self.root)

    @property
    def data(self) -> Path:
        return self.root / "data"

    def land(self, path: str, content: str) -> Path:
        file = self.root / "landing" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        return file

    def load(self) -> None:
        """Load what is new, and compute nothing."""
        with opened(self.project) as con:
            for feed in feeds().values():
                load_feed(con, self.project, feed, LOADED_AT)

    def call(self, *arguments: str) -> Ended:
        """Run a command in this process."""
        out, err = io.StringIO(), io.StringIO()
        former = sys.argv
        sys.argv = ["fenji", *arguments, "--project", str(self.root)]
        try:
            with redirect_stdout(out), redirect_stderr(err):
                status = run_command()
        finally:
            sys.argv = former
        return Ended(status, out.getvalue(), err.getvalue())

    def run(self, as_of: str = AS_OF) -> Ended:
        return self.call("run", "--as-of", as_of, "--json")

    @property
    def digest(self) -> str:
        text = (self.data / "current/manifest.json").read_text("utf-8")
        return str(json.loads(text)["content_digest"])

    def copy(self, root: Path) -> "Shop":
        shutil.copytree(self.root, root, symlinks=True)
        return Shop(root)


def customers() -> str:
    """The shop's customers, one of them twice."""
    lines = [f"C{number},Industry {number % 3}" for number in range(N_CUSTOMERS)]
    return "\n".join(["customer_id,industry", *lines, lines[0], ""])


def transactions() -> str:
    """What they bought over half a year, and a line that cannot be read."""
    lines = [
        f"T{number},C{number % (N_CUSTOMERS - 1)},"
        f"2026-{1 + number % 5:02}-{1 + number % 28:02} 23:30:00,{10 + number}.50"
        for number in range(N_ORDERS)
    ]
    lines.append("T999,C1,not a date,5")
    return "\n".join(["transaction_id,customer_id,occurred_at,amount", *lines, ""])


def fill(root: Path) -> Shop:
    """Make the shop in a folder, with nothing loaded."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "fenji.yaml").write_text(SETTINGS, encoding="utf-8")
    shop = Shop(root)
    shop.land("customers/all.csv", customers())
    shop.land("transactions/2026/half_year.csv", transactions())
    return shop


@pytest.fixture(scope="session")
def make_shop() -> Callable[[Path], Shop]:
    """Calls commands in a project folder that a test fills itself."""
    return Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """The shop with nothing loaded."""
    return fill(tmp_path / "shop")


@pytest.fixture(scope="session")
def graded_once(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The shop with one release; to be copied, never to be changed."""
    made = fill(tmp_path_factory.mktemp("graded") / "shop")
    ended = made.run()
    assert ended.status == 0, ended.err
    return made


@pytest.fixture
def graded(graded_once: Shop, tmp_path: Path) -> Shop:
    """A copy of the shop with one release, to be harmed."""
    return graded_once.copy(tmp_path / "graded")
