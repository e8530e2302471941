"""File modes: only the owner reads the warehouse, everybody reads releases.

Releases are also read-only: the operating system refuses a client that opens one to
write. (It does not refuse root.)

The warehouse is protected by the umask of the process, and not file by file: DuckDB
makes further files beside it, a log after each checkpoint and a folder for what does
not fit into memory, and the umask is what decides about those.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OWNER_ALONE = 0o077
_FOLDER, _FILE = 0o777, 0o666
_FROZEN_FOLDER, _FROZEN_FILE = 0o555, 0o444

# The umasks that `private` has replaced; the first is the user's own.
_replaced: list[int] = []


@contextmanager
def private() -> Iterator[None]:
    """Within the context, new files and folders can be read by their owner only."""
    former = os.umask(_OWNER_ALONE)
    _replaced.append(former)
    try:
        yield
    finally:
        _replaced.pop()
        os.umask(former)


def share(folder: Path) -> None:
    """Give a folder and all in it the usual modes, by the umask of the user."""
    mask = _user_mask()
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod((_FOLDER if path.is_dir() else _FILE) & ~mask)


def freeze(folder: Path) -> None:
    """Make a folder and all in it read-only for everybody."""
    mask = _user_mask()
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod((_FROZEN_FOLDER if path.is_dir() else _FROZEN_FILE) & ~mask)


def is_frozen(file: Path) -> bool:
    """Whether a file has the mode that freezing would give it."""
    return stat.S_IMODE(file.stat().st_mode) == _FROZEN_FILE & ~_user_mask()


def remove(folder: Path) -> None:
    """Remove a folder and all in it, also where it is read-only."""
    for path in (folder, *folder.rglob("*/")):
        if not path.is_symlink():
            # What is removed from a folder needs the right to write it.
            path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IRWXU)
    shutil.rmtree(folder)


def make_shared(folder: Path) -> None:
    """Make a folder that is missing, with the usual mode, also within `private`."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(_FOLDER & ~_user_mask())


def _user_mask() -> int:
    """The umask that the user started the process with."""
    if _replaced:
        return _replaced[0]
    # The operating system tells the umask only to who sets another one.
    mask = os.umask(_OWNER_ALONE)
    os.umask(mask)
    return mask
