"""The releases of a project: list them, find one, point `current` at one.

Reads manifests only, so that it is quick and needs no database.
"""

import datetime
import os
import shutil
from pathlib import Path

from project.documents import nearest
from project.errors import ConfigurationError
from project.folder import Project
from releases.manifest import MANIFEST_FILE, Manifest, read_manifest

DATABASE_FILE = "fenji.duckdb"


def releases(project: Project) -> list[Manifest]:
    """All published releases, the latest published last."""
    folders = project.releases.glob(f"[!.]*/{MANIFEST_FILE}")
    manifests = [read_manifest(file.parent) for file in folders]
    return sorted(manifests, key=lambda one: (one.published_at, one.release_id))


def now(project: Project) -> datetime.datetime:
    """The time of day, and later than every release was published.

    A clock that was set back must not mix up what was known when.
    """
    moment = datetime.datetime.now(datetime.UTC)
    known = releases(project)
    return max(moment, just_after(known[-1])) if known else moment


def just_after(manifest: Manifest) -> datetime.datetime:
    """The first moment after a release was published."""
    return manifest.published_at + datetime.timedelta(microseconds=1)


def statements(
    project: Project, known_at: datetime.datetime | None = None
) -> list[Manifest]:
    """The releases that state what was known when they were published.

    Those of what had been known at an earlier time say nothing new, and are left out.
    The latest comes last; with `known_at`, of those that were published by then.
    """
    return [
        one
        for one in releases(project)
        if one.known_at is None and (known_at is None or one.published_at <= known_at)
    ]


def unpublished_since(project: Project) -> datetime.datetime | None:
    """From when on what was loaded is in no release; None: there is no release yet."""
    stated = statements(project)
    return just_after(stated[-1]) if stated else None


def current(project: Project) -> Manifest | None:
    """The release that readers are pointed at; None before the first."""
    if not (project.current / MANIFEST_FILE).is_file():
        return None
    return read_manifest(project.current)


def release(project: Project, release_id: str) -> Manifest:
    """The release of that id.

    Raises:
        ConfigurationError: there is none.
    """
    known = {one.release_id: one for one in releases(project)}
    if release_id not in known:
        hint = nearest(release_id, list(known))
        raise ConfigurationError(
            f"{project.releases}: there is no release '{release_id}'{hint};"
            " `fenji releases` lists them"
        )
    return known[release_id]


def with_key(project: Project, run_key: str) -> Manifest | None:
    """The release that a run of this key has published already."""
    found = [one for one in releases(project) if one.run_key == run_key]
    return found[-1] if found else None


def is_restated(project: Project, manifest: Manifest) -> bool:
    """Whether a later release states something else of the release's as-of date."""
    return manifest.known_at is None and any(
        one.as_of_date == manifest.as_of_date
        and one.published_at > manifest.published_at
        for one in statements(project)
    )


def database(project: Project, release_id: str) -> Path:
    """The DuckDB file of a release."""
    return project.releases / release_id / DATABASE_FILE


def point_current_at(project: Project, release_id: str) -> None:
    """Move `current` to a release, in one rename, so that no reader sees neither."""
    link = project.data / f".current-{release_id}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path("releases") / release_id, target_is_directory=True)
    link.replace(project.current)
    sync(project.data)


def roll_back(project: Project, release_id: str) -> Manifest:
    """Point `current` at a release and keep it there until a run publishes.

    Raises:
        ConfigurationError: there is no such release.
    """
    manifest = release(project, release_id)
    project.rolled_back.write_text(f"{release_id}\n", encoding="utf-8")
    point_current_at(project, release_id)
    return manifest


def stand_by(project: Project, release_id: str) -> None:
    """Point `current` at the release of a run that found nothing new.

    Nothing was published, so a rollback stays.
    """
    if not project.rolled_back.exists():
        point_current_at(project, release_id)


def retire(project: Project) -> None:
    """Remove the releases that are too many or too old, as the settings say.

    Never the current one, nor the last statement, which holds the history of tiers.
    Age is measured from the latest publication, so that an idle project keeps what it
    has.
    """
    settings = project.settings.publish
    kept = releases(project)
    if not kept:
        return
    last, pointed_at = kept[-1], current(project)
    spared = {one.release_id for one in (pointed_at, *statements(project)[-1:]) if one}
    too_many = len(kept) - (settings.keep_releases or len(kept))
    for number, manifest in enumerate(kept):
        age = last.published_at - manifest.published_at
        is_old = settings.keep_days is not None and age.days >= settings.keep_days
        if manifest.release_id not in spared and (number < too_many or is_old):
            shutil.rmtree(project.releases / manifest.release_id)


def sync(path: Path) -> None:
    """Have the operating system put a file or a folder's entries on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
