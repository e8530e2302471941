"""A small company whose landing folder a test fills."""

import datetime
import json
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ingest import inputs, quarantine
from ingest.forget import find, forget
from ingest.landing import find_files
from ingest.load import FeedLoad, load_feed
from project.folder import Project, open_project
from sql.contracts import contract, feeds
from sql.selects import select_of
from tests.staged import create_views

END = datetime.date(2026, 5, 31)
BEGAN = datetime.datetime(2026, 6, 1, 5, tzinfo=datetime.UTC)


class Company:
    """A project folder, and a warehouse over it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.con = duckdb.connect()
        self.clock = BEGAN
        self.settings({})

    def settings(self, given: dict) -> None:
        # JSON is YAML.
        text = json.dumps({"name": "test", **given}, ensure_ascii=False)
        (self.root / "fenji.yaml").write_text(text, encoding="utf-8")
        zone = given.get("timezone", "UTC")
        self.con.execute("set timezone = $zone", {"zone": zone})

    @property
    def project(self) -> Project:
        return open_project(self.root)

    def land(self, path: str, content: str | bytes) -> Path:
        file = self.root / "landing" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        former = file.stat().st_mtime_ns if file.exists() else None
        file.write_bytes(data)
        if former is not None:
            # Clocks of file systems are coarse; a later change has a later time.
            os.utime(file, ns=(former + 1_000_000, former + 1_000_000))
        return file

    def load(self, *names: str) -> list[FeedLoad]:
        project = self.project
        done = [
            load_feed(self.con, project, feeds()[name], self.clock)
            for name in names or feeds()
        ]
        create_views(self.con, project, END)
        quarantine.write_late(self.con, project, feeds().values())
        return done

    def load_one(self, name: str) -> FeedLoad:
        return self.load(name)[0]

    def forget(self, *files: str, **only: bool) -> int:
        found = find(self.con, self.project, files, **only)
        forget(self.con, self.project, found, self.clock)
        return sum(file.n_rows for file in found)

    def rows(self, query: str, **params: object) -> list[tuple]:
        return self.con.execute(query, params).fetchall()

    def column(self, query: str, **params: object) -> list:
        return [row[0] for row in self.rows(query, **params)]

    def books(self) -> dict[str, tuple]:
        """File → status, read, loaded, duplicate, rejected; they always add up."""
        select = select_of(contract("marts", "feed_reconciliation"))
        rows = self.rows(
            f"select file, status, n_read, n_loaded, n_duplicate, n_rejected, reason,"
            f" n_skipped from ({select}) order by feed, file"
        )
        for _, status, read, loaded, duplicate, rejected, reason, skipped in rows:
            if status == "refused":
                assert (read, loaded, duplicate, rejected, skipped) == (None,) * 5
                assert reason
            else:
                assert read == loaded + duplicate + rejected + skipped
                assert reason is None
        return {row[0]: row[1:6] for row in rows}

    def rejected(self) -> list[tuple]:
        """(line, column, reason) of every rejected row, in order."""
        select = select_of(contract("marts", "rejected_rows"))
        return self.rows(
            f"select line_no, column_name, reason_code from ({select})"
            " order by feed, file, line_no"
        )

    def reason(self, file: str) -> str:
        (reason,) = self.column("select reason from raw.files where path = $f", f=file)
        return reason

    def input_digest(self) -> str:
        return inputs.input_digest(self.project, find_files(self.project))


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """An empty project with an empty warehouse."""
    made = Company(tmp_path)
    yield made
    made.con.close()


@pytest.fixture
def test_data() -> Path:
    """The folder of the public data sets."""
    folder = os.environ.get("FENJI_TEST_DATA")
    if not folder:
        pytest.skip("FENJI_TEST_DATA is not set: the public data sets are not here")
    return Path(folder)
