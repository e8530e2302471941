"""A run in progress: the project, the as-of date, the one connection, what was found.

The command line and the scheduler open a run the same way and hand it to the assets as
the resource `run`. It lives as long as the warehouse's lock is held.
"""

import datetime
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import duckdb

from assets.key import release_id
from data_quality.result import CheckResult
from ingest.books import Books
from ingest.load import FeedLoad, feed_columns
from project.folder import Project
from releases.building import Building
from releases.manifest import Manifest
from releases.previous import Previous
from schemes.plan import SchemePlan, make_plan
from sql.contracts import Contract
from sql.faults import without_values
from sql.statements import Params


class Progress(Protocol):
    """Who is told about the steps of a run."""

    def started(self, step: str) -> None:
        """A step begins."""

    def finished(self, step: str, rows: int | None, seconds: float) -> None:
        """A step is done, with the rows that it wrote where it wrote a table."""


class Silent:
    """Tells nobody: the scheduler has Dagster's own log."""

    def started(self, step: str) -> None:
        """Say nothing."""

    def finished(self, step: str, rows: int | None, seconds: float) -> None:
        """Say nothing."""


class StepError(Exception):
    """A step that DuckDB could not carry out; the message quotes no value."""


@dataclass
class Step:
    """What a step reports when it ends."""

    rows: int | None = None


@dataclass
class Run:
    """One run of the pipeline for one as-of date."""

    project: Project
    as_of_date: datetime.date
    key: str  # equal keys publish equal content
    began_at: datetime.datetime  # since when what it loads is known
    con: duckdb.DuckDBPyConnection
    previous: Previous | None = None  # the release that movement is measured against
    # The as-of dates that are graded together with this one share some tables.
    graded_together: tuple[datetime.date, ...] = ()
    # Only what was known at this time counts; None: all that there is is loaded.
    known_at: datetime.datetime | None = None
    # Since when what is loaded is in no release yet; None: all of it is.
    unpublished_since: datetime.datetime | None = None
    accept: bool = False  # what a gate would stop is published all the same
    progress: Progress = field(default_factory=Silent)
    loads: dict[str, FeedLoad] = field(default_factory=dict)
    books: Books | None = None  # what became of files and rows, once that is settled
    building: Building | None = None
    checks: list[CheckResult] = field(default_factory=list)
    released: Manifest | None = None
    seconds: dict[str, float] = field(default_factory=dict)  # by phase
    step_seconds: dict[str, float] = field(default_factory=dict)
    failure: Exception | None = None

    @cached_property
    def plan(self) -> SchemePlan:
        """The schemes that can run on the feeds that are loaded, compiled."""
        return make_plan(self.project, feed_columns(self.con))

    @property
    def release_id(self) -> str:
        """The release that the run publishes."""
        return release_id(self.project, self.as_of_date, self.key, self.known_at)

    @property
    def first_date(self) -> datetime.date:
        """The first of the dates that are graded together."""
        return min((self.as_of_date, *self.graded_together))

    @property
    def last_date(self) -> datetime.date:
        """The last of the dates that are graded together."""
        return max((self.as_of_date, *self.graded_together))

    def params(self, table: Contract) -> Params:
        """The parameters that the SQL of a table may name.

        Its own are set in fenji.yaml in the same form as those of schemes, such as
        `service_need.complaint_days: 60`.
        """
        given = self.project.settings.schemes.parameters
        own = {
            name: parameter.read(given.get(f"{table.table}.{name}", parameter.default))
            for name, parameter in table.parameters.items()
        }
        return {
            **own,
            "as_of_date": self.as_of_date,
            "first_date": self.first_date,
            "last_date": self.last_date,
            "from_as_of_date": self.previous.as_of_date if self.previous else None,
            "spend_source": self.project.settings.spend_source,
        }

    @contextmanager
    def step(self, name: str, *, phase: str) -> Iterator[Step]:
        """Time a step, tell whoever watches, and remember what went wrong."""
        self.progress.started(name)
        began = time.perf_counter()
        step = Step()
        try:
            yield step
        except duckdb.Error as err:
            # DuckDB quotes values, and Dagster's log keeps what is raised with its
            # causes. Only who debugs here sees them.
            told = f"{name}: {without_values(err)}"
            self.failure = StepError(told)
            self.failure.__cause__ = err
            raise StepError(told) from None
        except Exception as err:
            # Dagster wraps what an asset raises; the user wants the cause.
            self.failure = err
            raise
        finally:
            took = time.perf_counter() - began
            self.seconds[phase] = self.seconds.get(phase, 0.0) + took
            self.step_seconds[name] = took
        self.progress.finished(name, step.rows, took)
