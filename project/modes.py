"""Who may read the files that a run makes: the warehouse its owner, releases all.

Releases are frozen: nobody may write them, and a client that opens one to write is
refused by the operating system. (It refuses nothing to root.)

DuckDB makes a log beside the warehouse, again after each checkpoint, and a folder for
what does not fit into memory. Only the process's mask decides who may read those.
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

# What the user's own mask takes away, while another one holds.
_taken: list[int] = []


@contextmanager
def private() -> Iterator[None]:
    """Make new files and folders readable for their owner alone, for a while."""
    former = os.umask(_OWNER_ALONE)
    _taken.append(former)
    try:
        yield
    finally:
        _taken.pop()
        os.umask(former)


def share(folder: Path) -> None:
    """Give a folder and all in it the modes that the user's own mask asks for."""
    taken = _taken[0] if _taken else _mask()
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod((_FOLDER if path.is_dir() else _FILE) & ~taken)


def freeze(folder: Path) -> None:
    """Let nobody write a folder and all in it, whoever may read it."""
    taken = _taken[0] if _taken else _mask()
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod((_FROZEN_FOLDER if path.is_dir() else _FROZEN_FILE) & ~taken)


def remove(folder: Path) -> None:
    """Remove a folder and all in it, also where it is frozen."""
    for path in (folder, *folder.rglob("*/")):
        if not path.is_symlink():
            # What is removed from a folder needs the right to write it.
            path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IRWXU)
    shutil.rmtree(folder)


def make_shared(folder: Path) -> None:
    """Make a folder that is missing, with the mode that the user's mask asks for."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(_FOLDER & ~(_taken[0] if _taken else _mask()))


def _mask() -> int:
    # It cannot be read without being set.
    mask = os.umask(_OWNER_ALONE)
    os.umask(mask)
    return mask
