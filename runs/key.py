"""The key of a run: equal keys publish equal content.

It is a digest of the as-of date, the landing files, the settings with the schemes and
tags, the code that a run executes, and the release that movement is measured against.
Where a release of the key exists, nothing is computed.

Imports neither Dagster nor anything heavy: the key is asked for before a run.
"""

import datetime
import functools
import hashlib
import json
import zoneinfo
from importlib.metadata import version
from pathlib import Path

import duckdb

from ingest import identity, known_files
from ingest.identity_model import trained
from ingest.inputs import input_digest, loaded_digest
from ingest.landing import find_files
from project.contacts import contact_key
from project.folder import Project
from releases.previous import Previous
from schemes.language.digests import lists_digest, schemes_digest, tags_digest
from sql.selects import packaged_files

ROOT = Path(__file__).parent.parent

# What a run executes, without `pipelines`, which starts it and changes no figure.
_ROOMS = (
    "assets",
    "data_quality",
    "ingest",
    "project",
    "releases",
    "runs",
    "schemes",
    "sql",
)
# What only shows or explains, as a file or a folder. No table of a release depends on
# it. Two of these write a page into a release: the report and the Data Docs. Those of
# a release that is there stay as they were written.
SHOWN_ONLY = (
    "data_quality/docs.py",
    "data_quality/templates",
    "ingest/closed_lists.py",
    "ingest/databases",
    "ingest/inspection.py",
    "ingest/matching.py",
    "ingest/preview.py",
    "ingest/table_names.yaml",
    "project/pages.py",
    "releases/comparison.py",
    "releases/exporting.py",
    "releases/lookup.py",
    "releases/object_storage",
    "releases/pictures.py",
    "releases/postgres",
    "releases/report.py",
    "releases/sections",
    "releases/sql/export",
    "releases/sql/lookup",
    "releases/sql/pictures",
    "releases/sql/report",
    "releases/templates",
    "schemes/language/json_schema.py",
    "schemes/tools",
)
# The settings that change no figure.
_NO_FIGURES = (
    "buckets",
    "databases",
    "gates",
    "lookup",
    "notify",
    "publish",
    "resources",
    "schedule",
    "services",
)
# Packages whose data are in the figures.
DATA_PACKAGES = ("holidays",)
PHONES = "phonenumberslite"


def settings_digest(project: Project) -> str:
    """The digest of the resolved settings, own feeds, schemes, tags and work lists.

    What changes no figure is left out, such as `gates`: a release that a gate stopped
    was never published, so that a relaxed gate lets the next run publish it.
    """
    settings = project.settings.model_dump(mode="json", exclude=set(_NO_FIGURES))
    parts = (
        json.dumps(settings, sort_keys=True),
        project.own.digest,
        schemes_digest(project),
        tags_digest(project),
        lists_digest(project),
        version(PHONES) if project.settings.identity is not None else "",
        trained.digest(project),
    )
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def hashed_files(root: Path = ROOT) -> list[Path]:
    """The files that the digest of the code is made of, in a fixed order.

    Python, SQL and YAML of the rooms that a run executes, but what only shows. A new
    file is among them unless it is named there: computing a release once too often is
    better than once too seldom.
    """
    shown_only = tuple(f"{root / path}/" for path in SHOWN_ONLY)
    return [
        file
        for file in packaged_files(*(root / room for room in _ROOMS))
        if not f"{file}/".startswith(shown_only)
    ]


@functools.cache
def code_digest(root: Path = ROOT) -> str:
    """The digest of all code and definitions that a run executes.

    Args:
        root: the folder that holds the rooms.
    """
    whole = hashlib.sha256()
    for file in hashed_files(root):
        name = file.relative_to(root).as_posix()
        whole.update(name.encode() + b"\0" + file.read_bytes())
    for package in DATA_PACKAGES:
        whole.update(f"{package} {version(package)}".encode())
    return whole.hexdigest()


def facts_key(con: duckdb.DuckDBPyConnection, project: Project) -> str:
    """The key of what is loaded: equal keys have the same rows, typed the same way.

    Where several ids may be one customer, they name the same customers as well.
    """
    parts = [loaded_digest(con), rules_key(project)]
    if project.settings.identity is not None:
        parts.append(identity.digest(con))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def rules_key(project: Project) -> str:
    """The key of what makes facts of rows: the settings, schemes, tags and code."""
    parts = (settings_digest(project), code_digest())
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
        contacts_key(project),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def contacts_key(project: Project) -> str:
    """The key of what hashes of contacts follow from; empty where there are none.

    It holds no secret: of that only an HMAC, of which the run's key is a hash again.
    """
    settings = project.settings.lookup
    secret = contact_key(settings.key_variable)
    if secret is None:
        return ""
    return f"{secret.mark} {settings.country} {version(PHONES)}"


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
