"""The releases of a project: list them, find one, remove those that are too many.

A release is a folder below `data/releases/` with a manifest, a database and files. Only
manifests are read here, so that it is quick and needs no database. Which release
readers are pointed at is decided in `pointing`; how a release is written in `building`
and `publishing`.
"""

import datetime
import os
from pathlib import Path

from project import modes
from project.documents import nearest
from project.errors import ConfigurationError, RunError
from project.folder import Project
from project.places import Place
from releases import lease, marks
from releases.manifest import MANIFEST_FILE, Manifest, NoManifestError, read_manifest

DATABASE_FILE = "fenji.duckdb"
REMOVED = ".removed-"  # before the name of a release that is being removed
_MOMENT = datetime.timedelta(microseconds=1)


def releases(project: Project) -> list[Manifest]:
    """All published releases that were not retracted, the latest published last.

    Files and folders that are no releases are passed over.

    Raises:
        RunError: the manifest of one is damaged or missing: without it nobody can tell
            what that release said, and what is said next would pass over it.
    """
    standing = [folder for folder in folders(project) if not marks.is_marked(folder)]
    manifests = [manifest for manifest in map(_manifest, standing) if manifest]
    return sorted(
        manifests, key=lambda manifest: (manifest.published_at, manifest.release_id)
    )


def folders(project: Project) -> list[Path]:
    """The folders of releases, by name; of a damaged one the database alone is left."""
    return sorted(
        {
            file.parent
            for name in (MANIFEST_FILE, DATABASE_FILE)
            for file in project.releases.glob(f"[!.]*/{name}")
        }
    )


def _manifest(folder: Path) -> Manifest | None:
    """The manifest of a release; None where the release was removed just now."""
    try:
        return read_manifest(folder)
    except NoManifestError:
        if folder.exists():
            raise
        return None


def now(project: Project) -> datetime.datetime:
    """The time of day, and later than every release was published or retracted.

    A clock that was set back must not mix up what was known when.
    """
    moments = [just_after(manifest) for manifest in releases(project)[-1:]]
    moments += [mark.retracted_at + _MOMENT for mark in marks.marks(project)]
    return max([datetime.datetime.now(datetime.UTC), *moments])


def just_after(manifest: Manifest) -> datetime.datetime:
    """The first moment after a release was published."""
    return manifest.published_at + _MOMENT


def statements(
    project: Project, known_at: datetime.datetime | None = None
) -> list[Manifest]:
    """The releases that state what was known when they were published.

    Those of what had been known at an earlier time say nothing new, and are left out.
    The latest comes last; with `known_at`, of those that were published by then.
    """
    return [
        manifest
        for manifest in releases(project)
        if manifest.known_at is None
        and (known_at is None or manifest.published_at <= known_at)
    ]


def unpublished_since(project: Project) -> datetime.datetime | None:
    """From when on what was loaded is in no release; None: there is no release yet."""
    stated = statements(project)
    return just_after(stated[-1]) if stated else None


def stated_until(project: Project) -> datetime.date | None:
    """The latest as-of date that a release states something of; None: there is none."""
    return max((manifest.as_of_date for manifest in statements(project)), default=None)


def which_stands(project: Project) -> str:
    """The release that readers see, for the end of a run that published none."""
    shown = current(project)
    if shown is None:
        return "there is no release yet"
    return f"release {shown.release_id} (as of {shown.as_of_date}) stands"


def current(project: Project) -> Manifest | None:
    """The release that readers are pointed at; None before the first.

    Raises:
        RunError: the link is damaged, or the manifest of its release is.
    """
    link = project.current
    refuse_what_is_no_link(link)
    if not link.is_symlink():
        return None
    if not link.exists():
        raise RunError(
            f"{link}: points at {link.readlink()}, which is not there; `fenji releases`"
            " lists those that are, `fenji rollback RELEASE` points it at one"
        )
    return read_manifest(link)


def pointed_at(project: Project) -> str | None:
    """The id that `current` points at, whether there is such a release or not."""
    link = project.current
    return link.readlink().name if link.is_symlink() else None


def refuse_what_is_no_link(link: Path) -> None:
    """Refuse a file or a folder where Fenji keeps a link.

    Raises:
        RunError: there is one.
    """
    if link.exists() and not link.is_symlink():
        what = "a folder" if link.is_dir() else "a file"
        raise RunError(
            f"{link}: is {what}, where Fenji keeps a link to a release; move it"
            " elsewhere, then `fenji rollback RELEASE` points the link at one"
        )


def release(project: Project, release_id: str) -> Manifest:
    """The release of that id.

    Raises:
        ConfigurationError: there is none, or it was retracted.
    """
    known = {manifest.release_id: manifest for manifest in releases(project)}
    for mark in marks.marks(project):
        if mark.release_id == release_id:
            raise ConfigurationError(
                f"{release_id}: was retracted: {mark.reason}; `fenji releases` lists"
                " those that stand"
            )
    if release_id not in known:
        hint = nearest(release_id, list(known))
        raise ConfigurationError(
            f"there is no release '{release_id}'{hint}; `fenji releases` lists them",
            Place(project.releases),
        )
    return known[release_id]


def with_key(project: Project, run_key: str) -> Manifest | None:
    """The release that a run of this key has published already."""
    found = [manifest for manifest in releases(project) if manifest.run_key == run_key]
    return found[-1] if found else None


def is_restated(project: Project, manifest: Manifest) -> bool:
    """Whether a later release states something else of the release's as-of date."""
    return manifest.known_at is None and any(
        other.as_of_date == manifest.as_of_date
        and other.published_at > manifest.published_at
        for other in statements(project)
    )


def database(project: Project, release_id: str) -> Path:
    """The DuckDB file of a release."""
    return project.releases / release_id / DATABASE_FILE


def retire(project: Project) -> None:
    """Remove the releases that are too many or too old, as the settings say.

    Never the one that a link points at, nor the last statement, which holds the history
    of tiers. Age is measured from the latest publication, so that an idle project keeps
    what it has.
    """
    settings = project.settings.publish
    kept = releases(project)
    if not kept:
        return
    last = kept[-1]
    spared = {manifest.release_id for manifest in statements(project)[-1:]}
    spared |= {link.resolve().name for link in (project.current, project.latest)}
    too_many = len(kept) - (settings.keep_releases or len(kept))
    for number, manifest in enumerate(kept):
        age = last.published_at - manifest.published_at
        is_old = settings.keep_days is not None and age.days >= settings.keep_days
        if manifest.release_id not in spared and (number < too_many or is_old):
            remove(project, manifest.release_id)
            # Those retracted before it go with it; their marks stay.
            for mark in marks.marks(project):
                if mark.published_at < manifest.published_at:
                    _remove_but_mark(project, mark)


def _remove_but_mark(project: Project, mark: marks.Mark) -> None:
    """Remove what a retracted release held, unless somebody reads it."""
    with lease.unread(project.releases / mark.release_id) as is_unread:
        if is_unread:
            marks.keep_mark_only(project, mark)


def remove(project: Project, release_id: str) -> bool:
    """Remove a release, unless somebody reads it; whether it is gone.

    It is out of sight at once; what a killed run leaves of it is removed by the next.
    """
    folder = project.releases / release_id
    with lease.unread(folder) as is_unread:
        if not is_unread:
            return False
        hidden = folder.with_name(f"{REMOVED}{release_id}")
        folder.rename(hidden)
    modes.remove(hidden)
    return True


def sync(path: Path) -> None:
    """Have the operating system put a file or a folder's entries on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
