"""Work beside the work: one more thread, which does what it is given in order.

A table of a release is made on one thread while the file of the one before is written
on another: DuckDB fills a table on little more than one core. Where the project allows
DuckDB one thread only, there is no second one here either.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb

_AGAIN = 0.1  # seconds; a query that was about to start has not heard the first time

Job = Callable[[duckdb.DuckDBPyConnection], None]


@dataclass
class SecondThread:
    """What is done on a connection of its own, one job after the other."""

    con: duckdb.DuckDBPyConnection
    pool: ThreadPoolExecutor | None  # None: jobs are done at once
    _given: list[Future[Any]] = field(default_factory=list)

    def do(self, job: Job) -> None:
        """Have a job done.

        Raises:
            Exception: what an earlier job raised.
        """
        if self.pool is None:
            job(self.con)
            return
        self._raise_failed()
        self._given.append(self.pool.submit(job, self.con))

    def wait(self) -> None:
        """Wait until all jobs are done.

        Raises:
            Exception: what the first that failed raised.
        """
        for future in self._given:
            future.result()
        self._given.clear()

    def interrupt(self) -> None:
        """Interrupt what is under way, until it has ended."""
        # Those that were called off are done, which `wait` does not say of them.
        while under_way := [future for future in self._given if not future.done()]:
            self.con.interrupt()
            wait(under_way, timeout=_AGAIN)

    def _raise_failed(self) -> None:
        while self._given and self._given[0].done():
            self._given.pop(0).result()


@contextmanager
def second_thread(con: duckdb.DuckDBPyConnection) -> Iterator[SecondThread]:
    """A second thread for as long as the context lasts.

    Where the context is left by an error, what is under way is interrupted, and what
    waits is not begun.

    Args:
        con: a cursor that nobody else uses meanwhile.
    """
    ((threads,),) = con.execute("select current_setting('threads')").fetchall()
    if int(threads) == 1:
        yield SecondThread(con, None)
        return
    pool = ThreadPoolExecutor(1, thread_name_prefix="release-files")
    second = SecondThread(con, pool)
    try:
        yield second
        second.wait()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        second.interrupt()
        raise
    finally:
        pool.shutdown()
