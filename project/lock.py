"""The lock of the warehouse: one run at a time; others wait until it has ended.

DuckDB would refuse a second process; this lock makes it wait instead, and says so.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def hold(path: Path, *, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of the file; wait as long as another process holds it.

    The operating system releases the lock when the process ends, so a killed run leaves
    nothing to clean up.

    Args:
        path: the file to lock; it is made where it is missing.
        on_wait: called once, before waiting, so that the user can be told.
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
