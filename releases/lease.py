"""Who reads a release holds it: retention leaves it alone until they have read it.

A lease is a shared lock of the operating system on the release's manifest, which needs
no right to write and goes with the process that holds it. Runs need none: whatever
removes releases holds the warehouse's lock, as they do.
"""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from project.errors import RunError
from project.folder import Project
from releases.manifest import MANIFEST_FILE, Manifest

_TRIES = 3
# Of file systems that know no locks; there, readers are told in words.
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.EINVAL)


@contextmanager
def held(project: Project, choose: Callable[[], Manifest]) -> Iterator[Manifest]:
    """A release that stays as long as it is read.

    Args:
        project: the project.
        choose: finds the release; is asked again where that one was removed just then.

    Raises:
        RunError: those that it found were removed, one after the other.
    """
    for _ in range(_TRIES):
        manifest = choose()
        handle = _shared(project.releases / manifest.release_id)
        if handle is not None:
            try:
                yield manifest
            finally:
                os.close(handle)
            return
    raise RunError(
        f"{project.releases / manifest.release_id}: was removed meanwhile, as"
        " publish.keep_releases or keep_days asks; `fenji releases` lists what is there"
    )


@contextmanager
def unread(folder: Path) -> Iterator[bool]:
    """Whether nobody reads a release; nobody begins to while it is being removed."""
    try:
        handle = os.open(folder / MANIFEST_FILE, os.O_RDONLY)
    except FileNotFoundError:
        yield True  # nothing that could be read
        return
    try:
        yield _locked(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(handle)


def _shared(folder: Path) -> int | None:
    """An open file that holds the release; None: the release is gone."""
    path = folder / MANIFEST_FILE
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        # Waits for whoever is removing it.
        _locked(handle, fcntl.LOCK_SH)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return None


def _locked(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how)
    except BlockingIOError:
        return False
    except OSError as err:
        if err.errno not in _NO_LOCKS:
            raise
    return True
