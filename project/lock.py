"""The lock of the warehouse: one run at a time, the next one waits its turn."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def hold(path: Path, *, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of the file, waiting for as long as another process holds it.

    The operating system drops the lock with the process, so that a killed run
    leaves nothing to clean up.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        on_wait()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
