"""Bringing object storage up to date: readers there see the release of `data/current`.

What is there already is not sent again, so that any run, or `fenji publish`, mends what
an earlier one could not finish. `current.json` is written when all of the release is
there, and nothing that it names is removed: readers never see half a release.
"""

import json
import re
from dataclasses import dataclass
from itertools import groupby

from project import lock
from project.errors import RunError
from project.folder import Project
from project.quantities import number_of
from project.settings import ObjectStorageSettings
from releases import lease, marks, store
from releases.manifest import MANIFEST_FILE, Manifest
from releases.object_storage.bucket import SETTING, Bucket, Found
from releases.table_files import sha256_of
from releases.verification import file_digests

POINTER = "current.json"
_RELEASES = "releases"
_LOCK = "object_storage.lock"
# Folders that are not called like a release are somebody else's.
_RELEASE_ID = re.compile(r"\d{4}-\d{2}-\d{2}-.+")


@dataclass(frozen=True)
class Pushed:
    """What readers of object storage see now, and what was done for it.

    Attributes:
        release_id: the release that they see.
        url: where it is.
        n_files: how many files were sent; 0 where all were there.
        n_bytes: how large they are.
        is_new: whether readers saw something else before.
        dropped: the older releases that were removed.
    """

    release_id: str
    url: str
    n_files: int
    n_bytes: int
    is_new: bool
    dropped: tuple[str, ...]

    @property
    def line(self) -> str:
        """What readers see, in one line."""
        told = f"Object storage shows {self.release_id} at {self.url}"
        if self.n_files:
            told += f": {number_of(self.n_files, 'file')} sent"
        return f"{told}."

    @property
    def notes(self) -> list[str]:
        """What somebody has to see to: nothing."""
        return []


def push(project: Project, settings: ObjectStorageSettings) -> Pushed | None:
    """Let readers of object storage see the current release; None: there is none.

    Raises:
        RunError: it could not be done; what readers see stays as it was.
    """
    # One after the other: a slow one must not point readers back at its release.
    with lock.hold(project.data / _LOCK, on_wait=lambda: None):
        bucket = Bucket(settings)
        if store.current(project) is None:
            _withdraw(project, bucket)
            return None
        with lease.held(project, lambda: _current(project)) as manifest:
            return _carry_out(project, settings, bucket, manifest)


def _current(project: Project) -> Manifest:
    shown = store.current(project)
    if shown is None:
        raise RunError(f"{SETTING}: the release was retracted meanwhile")
    return shown


def _carry_out(
    project: Project,
    settings: ObjectStorageSettings,
    bucket: Bucket,
    manifest: Manifest,
) -> Pushed:
    release_id = manifest.release_id
    there = bucket.found(_RELEASES)
    n_files, n_bytes = _send(project, bucket, manifest, there)
    pointer = _pointer(manifest)
    is_new = bucket.read(POINTER) != pointer
    if is_new:
        bucket.write(POINTER, pointer)
    return Pushed(
        release_id=release_id,
        url=f"{settings.url}/{_RELEASES}/{release_id}",
        n_files=n_files,
        n_bytes=n_bytes,
        is_new=is_new,
        dropped=_drop_old(project, bucket, there, release_id, settings.keep),
    )


def _send(
    project: Project, bucket: Bucket, manifest: Manifest, there: list[Found]
) -> tuple[int, int]:
    """Send the files that are lacking, the manifest last; their number and bytes."""
    folder = project.releases / manifest.release_id
    # Releases of earlier versions name no files.
    digests = dict(manifest.files or file_digests(folder))
    digests[MANIFEST_FILE] = sha256_of(folder / MANIFEST_FILE)
    place = f"{_RELEASES}/{manifest.release_id}"
    sizes = {found.path: found.size for found in there}
    manifest_path = f"{place}/{MANIFEST_FILE}"
    # Where this manifest is there, so is what it says: it spares a request a file.
    is_whole = (
        manifest_path in sizes
        and bucket.digest(manifest_path) == digests[MANIFEST_FILE]
    )
    n_files = n_bytes = 0
    for name, digest in digests.items():
        file = folder / name
        path = f"{place}/{name}"
        try:
            size = file.stat().st_size
        except OSError as err:
            raise RunError(f"{file}: cannot be read: {err.strerror}") from None
        if sizes.get(path) == size and (is_whole or bucket.digest(path) == digest):
            continue
        bucket.send(file, path, digest)
        n_files += 1
        n_bytes += size
    return n_files, n_bytes


def _pointer(manifest: Manifest) -> bytes:
    said = {
        "release_id": manifest.release_id,
        "as_of_date": str(manifest.as_of_date),
        "content_digest": manifest.content_digest,
        "path": f"{_RELEASES}/{manifest.release_id}",  # beside this object
    }
    return (json.dumps(said, indent=2) + "\n").encode()


def _withdraw(project: Project, bucket: Bucket) -> None:
    """Where the release that readers see was retracted, and no other is left."""
    retracted = {mark.release_id for mark in marks.marks(project)}
    pointer = bucket.read(POINTER) if retracted else None
    if pointer is None:
        return
    if json.loads(pointer).get("release_id") in retracted:
        bucket.delete([POINTER])
        for release_id, objects in _by_release(bucket.found(_RELEASES)).items():
            if release_id in retracted:
                _drop(bucket, objects)


def _drop_old(
    project: Project, bucket: Bucket, there: list[Found], current: str, keep: int
) -> tuple[str, ...]:
    """Remove the releases that are too many, were retracted or are not whole.

    Args:
        project: the project.
        bucket: where they are.
        there: what was in it before this release was sent.
        current: the release that readers see.
        keep: how many stay, with that one.
    """
    retracted = {mark.release_id for mark in marks.marks(project)}
    older = _by_release(there)
    older.pop(current, None)
    # The manifest is sent last: without it a release never was whole.
    whole = {
        release_id: sent_at
        for release_id, objects in older.items()
        if release_id not in retracted and (sent_at := _sent_at(objects))
    }
    by_time = sorted(whole, key=lambda name: (whole[name], name), reverse=True)
    staying = by_time[: keep - 1]
    dropped = [name for name in sorted(older) if name not in staying]
    for release_id in dropped:
        _drop(bucket, older[release_id])
    return tuple(dropped)


def _by_release(there: list[Found]) -> dict[str, list[Found]]:
    def release_of(found: Found) -> str:
        return found.path.split("/")[1]

    in_folders = [found for found in there if found.path.count("/") > 1]
    by_path = sorted(in_folders, key=lambda found: found.path.split("/"))
    return {
        release_id: list(objects)
        for release_id, objects in groupby(by_path, release_of)
        if _RELEASE_ID.fullmatch(release_id)
    }


def _is_manifest(found: Found) -> bool:
    return found.path.split("/")[2:] == [MANIFEST_FILE]


def _sent_at(objects: list[Found]) -> str | None:
    times = [found.sent_at.isoformat() for found in objects if _is_manifest(found)]
    return times[0] if times else None


def _drop(bucket: Bucket, objects: list[Found]) -> None:
    """Remove a release, its manifest first: if stopped, the next push goes on."""
    first = sorted(objects, key=lambda found: not _is_manifest(found))
    bucket.delete([first[0].path])
    if first[1:]:
        bucket.delete([found.path for found in first[1:]])
