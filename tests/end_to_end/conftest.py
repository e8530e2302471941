"""Real runs of the command `fenji` in throw-away project folders.

Nothing of the product is imported here: the tests see what a user sees, the command,
its exit status, its output, and the release that `data/current` points at. Each command
is a process of its own; `Company.command` is the installed program, for those that
start it themselves.
"""

import csv
import json
import os
import shutil
import signal
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests import forked

FENJI = Path(sysconfig.get_path("scripts")) / "fenji"
RUN_LIMIT_SECONDS = 300


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    def expect(self, status: int) -> "Outcome":
        assert self.status == status, f"exit {self.status}\n{self.out}\n{self.err}"
        return self

    def one_line(self) -> str:
        """The only line of an error message: no traceback, nothing around it."""
        (line,) = self._lines()
        return line

    def last_line(self) -> str:
        """The line that a run ends with, after what it told on its way."""
        return self._lines()[-1]

    def _lines(self) -> list[str]:
        assert "Traceback" not in self.out + self.err
        return [line for line in self.err.splitlines() if line.strip()]


@dataclass(frozen=True)
class Company:
    """A project folder and what a user can do with it."""

    root: Path

    def settings(self, text: str) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "fenji.yaml").write_text(text, encoding="utf-8")

    def land(self, path: str, content: str | bytes) -> Path:
        file = self.root / "landing" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content, encoding="utf-8")
        return file

    def land_rows(
        self, path: str, header: Sequence[str], rows: Iterable[Mapping[str, str]]
    ) -> None:
        file = self.root / "landing" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, header, restval="")
            writer.writeheader()
            writer.writerows(rows)

    def command(self, *arguments: str) -> list[str]:
        return [str(FENJI), *arguments, "--project", str(self.root)]

    def call(self, *arguments: str, columns: int = 1000) -> Outcome:
        done = forked.call(
            [*arguments, "--project", str(self.root)],
            seconds=RUN_LIMIT_SECONDS,
            env=os.environ | {"NO_COLOR": "1", "COLUMNS": str(columns)},
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def run(self, as_of: str) -> Outcome:
        return self.call("run", "--as-of", as_of, "--json")

    def kill_run(self, as_of: str, *, after: str) -> None:
        """Start a run, and kill it and all its processes once it tells of a step."""
        with tempfile.TemporaryDirectory() as folder:
            told = Path(folder, "told")
            arguments = ["run", "-v", "--as-of", as_of, "--project", str(self.root)]
            running = forked.start(arguments, err=told)
            while not _tells(told, after):
                assert running.exitcode is None, f"it ended before {after}"
                time.sleep(0.002)
            forked.kill(running)
        assert running.exitcode == -signal.SIGKILL, f"it ended at {after}"

    @property
    def current(self) -> Path:
        return (self.root / "data" / "current").resolve(strict=True)

    @property
    def manifest(self) -> dict[str, Any]:
        text = (self.current / "manifest.json").read_text(encoding="utf-8")
        found = json.loads(text)
        assert isinstance(found, dict)
        return found

    @property
    def digest(self) -> str:
        return str(self.manifest["content_digest"])

    @contextmanager
    def release(self) -> Iterator["Release"]:
        with duckdb.connect(str(self.current / "fenji.duckdb"), read_only=True) as con:
            yield Release(con)


def _tells(told: Path, step: str) -> bool:
    """Whether a run has told of a step that it has done."""
    if not told.exists():
        return False
    lines = told.read_text(encoding="utf-8", errors="replace").splitlines()
    return any(line.split()[:1] == [step] for line in lines)


@dataclass(frozen=True)
class Release:
    """The current release, open for reading."""

    con: duckdb.DuckDBPyConnection

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.con.execute(query, parameters).fetchall()

    def one(self, query: str, *parameters: object) -> tuple[Any, ...]:
        (row,) = self.rows(query, *parameters)
        return row

    def by_key(self, query: str, *parameters: object) -> dict[Any, Any]:
        """The rest of each row (bare where it is one column) by its first column."""
        found = self.rows(query, *parameters)
        made = {row[0]: row[1] if len(row) == 2 else row[1:] for row in found}
        assert len(made) == len(found), f"a key occurs twice: {query}"
        return made


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """An empty project folder."""
    root = tmp_path / "company"
    root.mkdir()
    return Company(root)


@pytest.fixture(scope="module")
def companies(tmp_path_factory: pytest.TempPathFactory) -> "Companies":
    """A place for project folders that the tests of a module share."""
    return Companies(tmp_path_factory)


@dataclass(frozen=True)
class Companies:
    """Makes empty project folders."""

    factory: pytest.TempPathFactory

    def new(self, name: str) -> Company:
        return Company(self.factory.mktemp(name))

    def copy(self, company: Company, name: str) -> Company:
        """A company with the files and releases of another, to be changed."""
        made = self.new(name)
        shutil.copytree(company.root, made.root, symlinks=True, dirs_exist_ok=True)
        return made


@pytest.fixture
def open_release() -> Iterator[Callable[[Path], Release]]:
    """Opens a release's database for reading until the test ends."""
    with ExitStack() as stack:
        yield lambda path: Release(
            stack.enter_context(duckdb.connect(str(path), read_only=True))
        )


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The public data sets, which are not part of the project."""
    folder = os.environ.get("FENJI_TEST_DATA")
    if not folder:
        pytest.skip("FENJI_TEST_DATA is not set: the public data sets are not here")
    return Path(folder)
