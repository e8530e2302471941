"""A run before Dagster: whether one is needed, and opening it.

Nothing here imports Dagster at the top: whether anything changed is decided first.
"""

import contextlib
import datetime
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import duckdb

from ingest import known_files
from ingest.warehouse import opened as opened_warehouse
from ingest.warehouse import remove_unfinished
from project.folder import Project
from project.lock import hold
from releases import marks, reading, store
from releases.building import abandon, keep_quality
from releases.cleared_history import holds_retracted
from releases.manifest import Manifest
from releases.previous import Previous, previous_to
from runs import interrupts, warehouse_state
from runs.dates import refuse_to_come
from runs.key import inputs_key, release_id, run_key, settings_digest

if TYPE_CHECKING:
    from runs.run import Progress, Run

# What a run has written before DuckDB moves it from the log into the database, or in
# memory into the release: a small company's tables are so written once, at the end.
_CHECKPOINT_SIZE = "256MB"


@dataclass(frozen=True)
class Decision:
    """What a run for a date would be measured against, and whether it is needed."""

    key: str
    inputs_key: str
    previous: Previous | None
    published: Manifest | None  # the release of the same inputs, settings and code


def decide(
    project: Project,
    as_of_date: datetime.date,
    known_at: datetime.datetime | None = None,
    *,
    warehouse: duckdb.DuckDBPyConnection | None = None,
    is_judged: bool = False,
) -> Decision:
    """Whether a run for the date would find anything to do; the lock is held.

    The warehouse is read through the connection, where one is open. Where something
    is to be done, the project is judged first, unless it has been.

    Raises:
        ConfigurationError: something is wrong with settings, mappings, schemes or tags,
            a version of a scheme would be published with other contents, or the date
            is to come.
        RunError: nothing was known at that time, or a release or the warehouse is
            damaged.
    """
    refuse_to_come(project, as_of_date)
    # Publishing could not move it: better said before anything is computed.
    store.refuse_what_is_no_link(project.current)
    previous = previous_to(project, as_of_date, known_at)
    inputs = inputs_key(project, known_at, warehouse)
    key = run_key(project, as_of_date, previous, inputs)
    published = store.with_key(project, key)
    retracted = {mark.release_id for mark in marks.marks(project)}
    while release_id(project, as_of_date, key, known_at) in retracted or (
        published is not None and _must_be_republished(project, published)
    ):
        # By a release of its own, or the history would hold what was taken back.
        key = hashlib.sha256(key.encode()).hexdigest()
        published = store.with_key(project, key)
    if published is None:
        # What reads and compiles schemes is imported only where it is needed.
        from runs.scheme_versions import refuse_changed_versions  # noqa: PLC0415

        if not is_judged:
            from runs.preflight import judge  # noqa: PLC0415

            judge(project, is_compiled=_is_compiled(project))
        refuse_changed_versions(project)
    return Decision(key, inputs, previous, published)


def _is_compiled(project: Project) -> bool:
    """Whether this version has made a release by the same schemes and settings."""
    same = (settings_digest(project), version("fenji"))
    return any(
        (manifest.settings_digest, manifest.fenji_version) == same
        for manifest in store.releases(project)
    )


def _must_be_republished(project: Project, published: Manifest) -> bool:
    """Whether another release has to state the same again.

    That is so where a newer release said something else of its date, or where its own
    history still holds what a retracted release said.
    """
    return store.is_restated(project, published) or holds_retracted(
        project, published.release_id
    )


@contextlib.contextmanager
def hold_warehouse(project: Project, *, on_wait: Callable[[], None]) -> Iterator[None]:
    """The lock that every run holds from start to end.

    What a killed run has left beside the warehouse is removed.
    """
    with hold(project.lock, on_wait=on_wait):
        remove_unfinished(project)
        yield


@contextlib.contextmanager
def open_run(
    project: Project,
    as_of_date: datetime.date,
    *,
    on_upgrade: Callable[[str], None],
    known_at: datetime.datetime | None = None,
    accept: bool = False,
    full: bool = False,
    graded_together: Sequence[datetime.date] = (),
    decision: Decision | None = None,
    progress: "Progress | None" = None,
) -> Iterator["Run"]:
    """Open the warehouse for a run; the caller holds its lock.

    `on_upgrade` is told where an earlier version made the warehouse.
    With `graded_together`, the dates that share some tables with this one.
    With `known_at`, what the warehouse had by then, in a database of its own.
    With `accept`, what a gate would stop is published all the same.
    With `full`, everything is computed, whatever is kept.
    """
    from runs.run import Run, Silent  # noqa: PLC0415 - imports Dagster

    decided = decision or decide(project, as_of_date, known_at)
    warehouse = (
        _warehouse(project, on_upgrade)
        if known_at is None
        else known_files.opened(project, known_at)
    )
    told_by = decided.previous.told_by if decided.previous else None
    read = [store.database(project, told_by)] if told_by else []
    with reading.in_words(read), warehouse as con:
        configure(con, project)
        run = Run(
            project=project,
            as_of_date=as_of_date,
            key=decided.key,
            inputs_key=decided.inputs_key,
            began_at=store.now(project),
            con=con,
            previous=decided.previous,
            graded_together=tuple(graded_together),
            known_at=known_at,
            unpublished_since=store.unpublished_since(project),
            stated_until=store.stated_until(project),
            full=full,
            accept=accept,
            progress=progress or Silent(),
        )
        try:
            with interrupts.ending(con):
                yield run
        finally:
            if run.building is not None and run.released is None:
                if any(check.blocks for check in run.checks):
                    keep_quality(run.building, project.failed_quality)
                abandon(con, run.building)
            run.keep_notes()
            # Dagster keeps what it was given; a connection that outlives the
            # interpreter makes DuckDB's bindings complain on its way out.
            del run.con


@contextlib.contextmanager
def _warehouse(
    project: Project, on_upgrade: Callable[[str], None]
) -> Iterator[duckdb.DuckDBPyConnection]:
    known_files.remove_unfinished(project)
    with opened_warehouse(project, tell=on_upgrade) as con:
        warehouse_state.note_run_key(con, None)
        yield con


def configure(con: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Set the session: the business zone decides what a day is."""
    resources = project.settings.resources
    con.execute("set timezone = $zone", {"zone": project.settings.timezone})
    if resources.threads is not None:
        con.execute("set threads = $threads", {"threads": resources.threads})
    if resources.memory_limit is not None:
        con.execute("set memory_limit = $limit", {"limit": resources.memory_limit})
    con.execute("set checkpoint_threshold = $size", {"size": _CHECKPOINT_SIZE})
    con.execute("set enable_progress_bar = false")
