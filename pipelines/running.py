"""A run from outside Dagster: whether one is needed, opening it, carrying it out.

Nothing here imports Dagster at the top: whether anything changed is decided first.
"""

import contextlib
import datetime
import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from assets.key import run_key
from project.errors import ConfigurationError, RunError
from project.folder import Project
from project.lock import hold
from releases import store
from releases.building import abandon, keep_quality
from releases.manifest import Manifest

if TYPE_CHECKING:
    from assets.run import Progress, Run
    from data_quality.result import CheckResult

_NAMED = 5  # failed checks in the line of an error


@dataclass(frozen=True)
class Decision:
    """What a run for a date would be measured against, and whether it is needed."""

    key: str
    previous: Manifest | None
    published: Manifest | None  # the release of the same inputs, settings and code


def read_date(text: str, *, option: str = "--as-of") -> datetime.date:
    """A date that an option was given.

    Raises:
        ConfigurationError: the text is not a day of the calendar.
    """
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"{option}: '{text}' is not a date; write YYYY-MM-DD, such as 2026-05-31"
        ) from None


def today(project: Project) -> datetime.date:
    """Today in the business zone: the default as-of date."""
    zone = zoneinfo.ZoneInfo(project.settings.timezone)
    return datetime.datetime.now(zone).date()


def decide(project: Project, as_of_date: datetime.date) -> Decision:
    """Whether a run for the date would find anything to do; the lock is held."""
    previous = store.before(project, as_of_date)
    key = run_key(project, as_of_date, previous)
    return Decision(key, previous, store.with_key(project, key))


def hold_warehouse(
    project: Project, *, on_wait: Callable[[], None]
) -> contextlib.AbstractContextManager[None]:
    """The lock that every run holds from start to end."""
    return hold(project.lock, on_wait=on_wait)


@contextlib.contextmanager
def open_run(
    project: Project,
    as_of_date: datetime.date,
    *,
    decision: Decision | None = None,
    progress: "Progress | None" = None,
) -> Iterator["Run"]:
    """Open the warehouse for a run; the caller holds its lock."""
    from assets.run import Run, Silent  # noqa: PLC0415 - imports Dagster

    decided = decision or decide(project, as_of_date)
    con = duckdb.connect(str(project.warehouse))
    try:
        _configure(con, project)
        run = Run(
            project=project,
            as_of_date=as_of_date,
            key=decided.key,
            con=con,
            previous=decided.previous,
            progress=progress or Silent(),
        )
        try:
            yield run
        finally:
            if run.building is not None and run.released is None:
                if any(one.blocks for one in run.checks):
                    keep_quality(run.building, project.failed_quality)
                abandon(con, run.building)
            # Dagster keeps what it was given; a connection that outlives the
            # interpreter makes DuckDB's bindings complain on its way out.
            del run.con
    finally:
        con.close()


def execute(run: "Run") -> None:
    """Carry the run out: the same job as a scheduled one, in this process.

    Raises:
        FenjiError: what a user can mend, in one line.
        Exception: what went wrong in a step, as it was raised.
    """
    import dagster as dg  # noqa: PLC0415 - 1.3 s that a run with nothing new never pays

    from pipelines.definitions import assemble, partition_of  # noqa: PLC0415
    from pipelines.instance import instance_of  # noqa: PLC0415

    partition = partition_of(run.as_of_date)
    definitions = assemble(run.project, in_partitions=partition is not None)
    job = definitions.resolve_job_def("grade")
    with instance_of(run.project) as instance:
        result = job.execute_in_process(
            instance=instance,
            resources={"run": run},
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            partition_key=partition,
        )
    if run.failure is not None:
        raise run.failure
    blocking = [one for one in run.checks if one.blocks]
    if blocking:
        raise RunError(_why_blocked(run, blocking))
    if not result.success:
        failed = [
            event.step_key for event in result.all_events if event.is_step_failure
        ]
        raise dg.DagsterError(f"the steps {', '.join(map(str, failed))} failed")


def _why_blocked(run: "Run", blocking: "list[CheckResult]") -> str:
    """Table, check and count of the checks that failed, and where to read on."""
    named = [
        f"{one.table_name}: the check {one.check_name} failed: {one.observed}"
        for one in blocking[:_NAMED]
    ]
    if len(blocking) > _NAMED:
        named.append(f"and {len(blocking) - _NAMED} more")
    return (
        f"{'; '.join(named)}; nothing was published, see"
        f" {run.project.failed_quality / 'index.html'}"
    )


def _configure(con: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Set the session: the business zone decides what a day is."""
    resources = project.settings.resources
    con.execute("set timezone = $zone", {"zone": project.settings.timezone})
    if resources.threads is not None:
        con.execute("set threads = $threads", {"threads": resources.threads})
    if resources.memory_limit is not None:
        con.execute("set memory_limit = $limit", {"limit": resources.memory_limit})
    con.execute("set enable_progress_bar = false")
