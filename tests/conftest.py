"""What tests of all rooms share: the order of files, and releases of tiers alone."""

import datetime
import gc
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from project.own import NOTHING, put_in_force
from releases.tier_history import OPEN, STATEMENTS, STRETCHES, VIEW, continued
from sql.selects import quoted, text

# Files with many runs or a long history to grade, about the longest first. A worker
# takes a whole file: a long one that is begun last keeps the other worker idle.
# Histories are told apart by their numbers: each worker takes some bases of them.
HISTORIES = "tests/properties/test_histories.py"
PARTS = 12  # divides the number of bases, so that a worker makes each base once
_NUMBER = re.compile(r"\[(\d+)\]$")
LONGEST = (
    HISTORIES,
    "tests/end_to_end/test_same_facts.py",
    "tests/end_to_end/test_history.py",
    "tests/end_to_end/test_known_at.py",
    "tests/pipelines/test_dates_of_a_backfill.py",
    "tests/end_to_end/test_plan.py",
    "tests/pipelines/test_backfill.py",
    "tests/end_to_end/test_small_company.py",
    "tests/end_to_end/test_ui.py",
    "tests/end_to_end/test_online_retail.py",
    "tests/pipelines/test_parts_of_the_graph.py",
    "tests/schemes/compiler/test_memory_forms.py",
    "tests/synthetic/test_generator.py",
    "tests/faults/test_kills.py",
    "tests/schemes/compiler/test_promise.py",
    "tests/ingest/test_known_files.py",
    "tests/schemes/compiler/test_memory_machine.py",
    "tests/ingest/test_duplicates.py",
    "tests/faults/test_canaries.py",
    "tests/end_to_end/test_demo.py",
    "tests/end_to_end/test_examples.py",
    "tests/pipelines/commands/test_retract.py",
    "tests/benchmarks/test_schemes.py",
    "tests/faults/test_rebuild.py",
    "tests/faults/test_disk.py",
)


@pytest.fixture(autouse=True)
def _nothing_added() -> Iterator[None]:
    """After each test nothing is in force that a project has added."""
    yield
    put_in_force(NOTHING)


Tiers = dict[tuple[str, str, str], str]  # customer, scheme, scope → tier
BEGAN = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def pytest_configure() -> None:
    """Look for cycles rarely: the command line does not look for them at all."""
    gc.set_threshold(50_000, 10, 10)


class _ByFile(LoadFileScheduling):
    """Gives a worker a whole file, but of a file of histories those of some bases."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        number = _NUMBER.search(nodeid) if file == HISTORIES else None
        return f"{file}[{int(number[1]) % PARTS}]" if number else file


@pytest.hookimpl(optionalhook=True)  # there is none where xdist is switched off
def pytest_xdist_auto_num_workers() -> int:
    """A worker more than cores for `-n auto`.

    On two cores two workers waited a third of the time: for the disk, for processes
    that they had begun, for a page of the browser.
    """
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)  # there is none where xdist is switched off
def pytest_xdist_make_scheduler(
    config: pytest.Config, log: Producer
) -> LoadFileScheduling:
    """What a worker takes at a time, whatever `--dist` says."""
    return _ByFile(config, log)


def pytest_collection_finish() -> None:
    """Let the collector leave alone what all tests have imported: it stays."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Begin with the files that take longest."""
    places = {config.rootpath / file: place for place, file in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


@dataclass(frozen=True)
class Stated:
    """What was said, when, of which date."""

    as_of: datetime.date
    published_at: datetime.datetime
    schemes: frozenset[str]
    tiers: Tiers


@dataclass
class Historian:
    """Publishes tiers, release upon release, and asks the last one what was when."""

    folder: Path
    stated: list[Stated] = field(default_factory=list)

    @property
    def last(self) -> Path | None:
        """The database of the release published last."""
        number = len(self.stated)
        return self.folder / f"{number}.duckdb" if number else None

    def publish(self, con: duckdb.DuckDBPyConnection, as_of: datetime.date) -> Stated:
        """Publish the tables scheme_results, schemes and customer_tiers of `main`."""
        base, number = self.last, len(self.stated) + 1
        published_at = BEGAN + datetime.timedelta(minutes=number)
        path = self.folder / f"{number}.duckdb"
        con.execute(f"attach {text(str(path))} as release (storage_version 'v1.0.0')")
        con.execute("create schema release.storage")
        con.execute(
            "create table release.storage.scheme_results as from scheme_results"
        )
        for table in ("schemes", "customer_tiers"):
            con.execute(f"create table release.main.{table} as from main.{table}")
        with continued(
            con,
            base,
            release_id=f"r{number}",
            as_of_date=as_of,
            published_at=published_at,
        ) as history:
            for table in (STATEMENTS, OPEN, STRETCHES):
                history.write(table)
            with con.cursor() as inside:
                inside.execute("use release")
                inside.execute(f"create view {quoted(VIEW)} as {history.select(VIEW)}")
        tiers = {
            (customer, scheme, scope): tier
            for customer, scheme, scope, tier in con.execute(
                "select customer_id, scheme, scope, tier"
                " from release.main.customer_tiers"
            ).fetchall()
        }
        con.execute("detach release")
        made = Stated(as_of, published_at, frozenset(history.schemes), tiers)
        self.stated.append(made)
        return made

    @contextmanager
    def opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the release published last."""
        with duckdb.connect(str(self.last), read_only=True) as con:
            con.execute("set TimeZone = 'UTC'")
            con.execute("set search_path = 'main,storage'")
            yield con

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query of the release published last."""
        with self.opened() as con:
            return con.execute(query).fetchall()

    def agrees(self) -> None:
        """Hold the history against every statement, at every time since it was made."""
        dates = sorted({stated.as_of for stated in self.stated})
        times = [stated.published_at for stated in self.stated]
        got: dict[tuple[datetime.date, datetime.datetime], Tiers] = {}
        with self.opened() as con:
            found = con.execute(
                "select as_of, known, customer_id, scheme, scope, tier"
                f" from {VIEW}, unnest($1::date[]) as dates (as_of),"
                " unnest($2::timestamptz[]) as times (known)"
                " where valid_from <= as_of and coalesce(valid_to > as_of, true)"
                " and known_from <= known and coalesce(known_to > known, true)",
                [dates, times],
            ).fetchall()
        for as_of, known, *key, tier in found:
            at = got.setdefault((as_of, known), {})
            assert tuple(key) not in at, "two tiers at once"
            at[tuple(key)] = tier
        for as_of in dates:
            for known in times:
                expected, judged = self._expected(as_of, known)
                held = got.get((as_of, known), {})
                said = {key: tier for key, tier in held.items() if key[1] in judged}
                assert said == expected, (as_of, known)

    def _expected(
        self, as_of: datetime.date, known: datetime.datetime
    ) -> tuple[Tiers, set[str]]:
        """What the latest statements of the date by then say, and of which schemes."""
        expected: Tiers = {}
        judged: set[str] = set()
        for stated in reversed(self.stated):
            if stated.as_of == as_of and stated.published_at <= known:
                new = stated.schemes - judged
                expected |= {
                    key: tier for key, tier in stated.tiers.items() if key[1] in new
                }
                judged |= new
        return expected, judged


@pytest.fixture
def historian(tmp_path: Path) -> Historian:
    """Publishes tiers in a folder of the test's own."""
    return Historian(tmp_path)


@pytest.fixture(scope="session")
def new_historian(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Historian]:
    """Makes one after the other, each in a folder of its own."""
    return lambda: Historian(tmp_path_factory.mktemp("history"))
