"""The key of a run: equal keys publish equal content.

Imports neither Dagster nor anything heavy: it is asked before a run.
"""

import datetime
import functools
import hashlib
import json
import zoneinfo
from pathlib import Path

import duckdb

from ingest import known_files
from ingest.inputs import input_digest, loaded_digest
from ingest.landing import find_files
from project.folder import Project
from releases.previous import Previous
from schemes.language.files import schemes_digest
from schemes.language.tags import tags_digest
from sql.selects import packaged_files

_ROOMS = ("assets", "data_quality", "ingest", "releases", "runs", "schemes", "sql")


def settings_digest(project: Project) -> str:
    """The digest of the resolved settings, schemes and tags.

    What DuckDB may use of the machine, how many releases are kept, and what stops a
    release change no figure: where a gate is relaxed that stopped one, no release of
    the key exists, so that the next run publishes it.
    """
    settings = project.settings.model_dump(
        mode="json", exclude={"resources", "publish", "gates"}
    )
    parts = (
        json.dumps(settings, sort_keys=True),
        schemes_digest(project),
        tags_digest(project),
    )
    return hashlib.sha256("".join(parts).encode()).hexdigest()


@functools.cache
def code_digest() -> str:
    """The digest of all code and definitions that a run executes."""
    root = Path(__file__).parent.parent
    whole = hashlib.sha256()
    for file in packaged_files(*(root / room for room in _ROOMS)):
        whole.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()


def facts_key(con: duckdb.DuckDBPyConnection, project: Project) -> str:
    """The key of what is loaded: with equal keys the same rows count, and as much."""
    parts = (loaded_digest(con), settings_digest(project), code_digest())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def inputs_key(
    project: Project,
    known_at: datetime.datetime | None = None,
    warehouse: duckdb.DuckDBPyConnection | None = None,
) -> str:
    """The key of the landing files as they are now, or as they were known.

    Raises:
        RunError: another process is writing the warehouse, or nothing was known.
    """
    if known_at is None:
        return input_digest(project, find_files(project), warehouse)
    return f"{known_at.isoformat()} {known_files.digest(project, known_at)}"


def run_key(
    project: Project, as_of_date: datetime.date, previous: Previous | None, inputs: str
) -> str:
    """The key of a run on the landing files of a key."""
    parts = (
        as_of_date.isoformat(),
        inputs,
        settings_digest(project),
        code_digest(),
        previous.release_id if previous else "",
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def release_id(
    project: Project,
    as_of_date: datetime.date,
    run_key: str,
    known_at: datetime.datetime | None = None,
) -> str:
    """The release that a run of this key publishes; its name begins with its date."""
    parts = [as_of_date.isoformat(), run_key[:8]]
    if known_at is not None:
        zone = zoneinfo.ZoneInfo(project.settings.timezone)
        parts.insert(1, f"known-{known_at.astimezone(zone):%Y%m%dT%H%M%S}")
    return "-".join(parts)
