"""A run in progress: the project, the as-of date, the one connection, what was found.

The command line and the scheduler open a run the same way and hand it to the assets as
the resource `run`. It lives as long as the warehouse's lock is held.
"""

import dataclasses
import datetime
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Protocol

import duckdb

from data_quality.result import CheckResult
from ingest.arrivals import Arrivals
from ingest.books import Books
from ingest.load import FeedLoad
from ingest.raw_tables import usable_columns
from ingest.staging import Settled, settle
from project.folder import Project
from releases.building import Building
from releases.manifest import Manifest
from releases.previous import Previous
from runs import warehouse_state
from runs.difference import Way
from runs.kept_plan import KeptPlan, keep, plan_for
from runs.key import facts_key, release_id
from runs.warehouse_state import Made
from schemes.language.names import SPEND, unknown_amounts
from schemes.plan import Execution, make_plan
from sql.contracts import Contract
from sql.faults import without_values
from sql.selects import Params


class Progress(Protocol):
    """Who is told about the steps of a run."""

    def started(self, step: str) -> None:
        """A step begins."""

    def finished(self, step: str, rows: int | None, seconds: float) -> None:
        """A step is done, with the rows that it wrote where it wrote a table."""

    def close(self) -> None:
        """The run has ended."""


class Silent:
    """Progress that nobody watches: the scheduler has Dagster's own log."""

    def started(self, step: str) -> None:
        """Say nothing."""

    def finished(self, step: str, rows: int | None, seconds: float) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Say nothing."""


class StepError(Exception):
    """A step that DuckDB could not carry out; the message quotes no value."""


@dataclass
class Step:
    """What a step reports when it ends: the rows of the table that it made."""

    rows: int | None = None  # None: it made no table


@dataclass
class Run:
    """One run of the pipeline for one as-of date."""

    project: Project
    as_of_date: datetime.date
    key: str  # equal keys publish equal content
    inputs_key: str  # of the landing files, which all dates share
    began_at: datetime.datetime  # since when what it loads is known
    con: duckdb.DuckDBPyConnection
    previous: Previous | None = None  # the release that movement is measured against
    # The as-of dates that are graded together with this one share some tables.
    graded_together: tuple[datetime.date, ...] = ()
    # Only what was known at this time counts; None: all that there is is loaded.
    known_at: datetime.datetime | None = None
    # Since when what is loaded is in no release yet; None: all of it is.
    unpublished_since: datetime.datetime | None = None
    # The latest as-of date of the releases before; None: there is no release yet.
    stated_until: datetime.date | None = None
    full: bool = False  # everything is computed, whatever is kept
    accept: bool = False  # what a gate would stop is published all the same
    progress: Progress = field(default_factory=Silent)
    loads: dict[str, FeedLoad] = field(default_factory=dict)
    arrivals: tuple[Arrivals, ...] = ()  # what is in no release yet, by feed
    books: Books | None = None  # what became of files and rows, once that is settled
    building: Building | None = None
    checks: list[CheckResult] = field(default_factory=list)
    checked: Building | None = None  # what the checks looked at
    # The rows of the release's tables and views that the checks counted on their way.
    counted: dict[str, int] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)  # by this run, as layer.table
    released: Manifest | None = None
    # What the run took so far: by phase (startup, ingest, compute, checks, publish)
    # and by step.
    seconds: dict[str, float] = field(default_factory=dict)
    step_seconds: dict[str, float] = field(default_factory=dict)
    failure: Exception | None = None
    ways: list[Way] = field(default_factory=list)  # short or whole, by group of tables
    # The key of the facts from which those of this run were brought up to date; what
    # changed since is in temporary tables.
    changed_since: str | None = None
    # Whether tables that dates share hold in this run, until other rows count.
    _shared: dict[tuple[object, ...], bool] = field(default_factory=dict)
    _is_changing: bool = False  # whether tables of the warehouse are being made

    @cached_property
    def plan(self) -> KeptPlan:
        """The plan of the schemes that can run on the feeds that are loaded."""
        columns = usable_columns(self.con)
        compile_plan = partial(make_plan, self.project, columns)
        return plan_for(self.con, self.project, columns, compile_plan)

    @cached_property
    def settled(self) -> Settled:
        """What was found out of the loaded rows, whatever date is graded."""
        return settle(self.con, self.project, self.plan.bands)

    @cached_property
    def noted(self) -> dict[str, Made]:
        """What the tables of the warehouse were made for, whichever run made them."""
        return warehouse_state.made(self.con)

    def is_served_by(self, made: Made) -> bool:
        """Whether a table that was made for something holds in this run."""
        if made.first_date is None:
            return made.key == self.inputs_key
        if made.key == self.key:
            return made.first_date == self.as_of_date
        which = (made.key, made.first_date, made.last_date)
        if which not in self._shared:
            shared = warehouse_state.shared_for(self.con)
            self._shared[which] = (
                shared is not None
                and which == (shared.facts_key, shared.first_date, shared.last_date)
                and shared.serves(facts_key(self.con, self.project), self.as_of_date)
            )
        return self._shared[which]

    def take_back(self, tables: Sequence[str]) -> None:
        """Say of tables that they are not complete, before they change.

        While any change, the warehouse says it of all: a run that is killed may have
        left any of them half done.
        """
        if not self._is_changing:
            self._is_changing = True
            self.noted  # noqa: B018 - is read before it is removed
            warehouse_state.set_made(self.con, {})
        for name in tables:
            self.noted.pop(name, None)
            self.made.discard(name)
        if any(name.startswith(("raw.", "staging.")) for name in tables):
            self._shared.clear()

    def note(self, tables: Sequence[str], made: Made, reads: Sequence[str]) -> None:
        """Say of tables what they were made for, and from what, once they are made."""
        noted = dataclasses.replace(made, reads=tuple(reads))
        self.noted.update(dict.fromkeys(tables, noted))
        self.made.update(tables)

    def keep_notes(self) -> None:
        """Write into the warehouse what later runs need not find out again.

        That is the plan, and which of its tables are complete. Where it is missing, a
        later run compiles, or refuses; nothing else comes of it.
        """
        if not self._is_changing:
            return
        with suppress(duckdb.Error):  # where the run ended because of the database
            if "plan" in vars(self):
                keep(self.con, self.plan)
            kept = {
                name: made
                for name, made in self.noted.items()
                if not name.startswith("release.")  # given up with the run
            }
            warehouse_state.set_made(self.con, kept)

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

    @cached_property
    def has_amounts(self) -> bool:
        """Whether it is known what was spent; a mapping may say that nobody knows."""
        return SPEND not in unknown_amounts(
            usable_columns(self.con), self.project.settings
        )

    @property
    def common_params(self) -> Params:
        """The parameters that all tables may name, whatever is made."""
        return {
            "as_of_date": self.as_of_date,
            "first_date": self.first_date,
            "last_date": self.last_date,
            "from_as_of_date": self.previous.as_of_date if self.previous else None,
            "spend_source": self.project.settings.spend_source,
            "has_amounts": self.has_amounts,
        }

    def params(self, table: Contract) -> Params:
        """The parameters that the SQL of a table may name.

        Its own are set in fenji.yaml in the same form as those of schemes, such as
        `service_need.complaint_days: 60`.
        """
        given = self.project.settings.schemes.parameters
        own = {
            name: parameter.read(given.get(f"{owner}.{name}", parameter.default))
            for name, (owner, parameter) in table.named_parameters.items()
        }
        return {**own, **self.common_params}

    def execution(self) -> Execution:
        """What makes the tables of the plan, each as a step of this run.

        It is not kept: the connection must not outlive the run.
        """
        step = partial(self.step, phase="compute")
        with self.noticing():
            plan = self.plan
        return Execution(plan, self.con, self.common_params, step)

    @contextmanager
    def noticing(self) -> Iterator[None]:
        """Remember what went wrong as `failure`, and raise it all the same.

        Dagster wraps what an asset raises, and the user wants the cause.
        """
        try:
            yield
        except Exception as err:
            self.failure = err
            raise

    @contextmanager
    def step(self, name: str, *, phase: str) -> Iterator[Step]:
        """Time a step, tell whoever watches, and remember what went wrong.

        Args:
            name: such as `core.orders`.
            phase: of the run, whose seconds the step adds to.

        Raises:
            StepError: DuckDB could not carry it out.
        """
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
