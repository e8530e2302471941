"""Signals that end a command: Ctrl-C (SIGINT) and SIGTERM.

While a step runs, Dagster exchanges the handlers of both, so that which one came is
lost; and DuckDB ends no query for a handler of Python, which runs only when the query
is over. Signals are therefore read from a pipe as well, into which Python writes them
before any handler runs: a thread remembers which came, and interrupts the queries
under way. What the interruption becomes on its way out is told by `in_one_line`.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from project.errors import FenjiError
from project.folder import Project

if TYPE_CHECKING:
    import duckdb

_NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}
_AGAIN = 0.5  # seconds; a query that was about to start has not heard the first time
_END = 0  # no signal has this number
_CAUGHT_UP = 255  # nor this one
_EXIT_BASE = 128  # as shells give the status of what a signal ended


class Interrupted(FenjiError):  # noqa: N818 - the machine made no error
    """A command was ended by a signal; the exit status is 130 or 143."""

    def __init__(self, message: str, number: signal.Signals) -> None:
        """Keep which signal it was."""
        super().__init__(message)
        self.signal = number
        self.exit_status = _EXIT_BASE + number


@dataclass
class _Watch:
    """What came so far, and what is interrupted then."""

    writer: int | None = None
    received: signal.Signals | None = None
    caught_up: threading.Event = field(default_factory=threading.Event)
    connections: "list[duckdb.DuckDBPyConnection]" = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, pipe: int) -> None:
        """Wait for signals until the pipe says that it is over."""
        while (number := os.read(pipe, 1)[0]) != _END:
            if number in _NAMES:
                self.received = self.received or signal.Signals(number)
                threading.Thread(target=self._interrupt, daemon=True).start()
            elif number == _CAUGHT_UP:
                self.caught_up.set()

    def catch_up(self) -> None:
        """Wait until all signals that came so far are remembered.

        What a signal made of the main thread's call may be here before the thread that
        reads the pipe had its turn.
        """
        if self.writer is not None:
            self.caught_up.clear()
            os.write(self.writer, bytes([_CAUGHT_UP]))
            self.caught_up.wait()

    def _interrupt(self) -> None:
        import duckdb  # noqa: PLC0415 - start-up is part of every command

        pause = threading.Event()
        while True:
            with self.lock:
                if not self.connections:
                    return
                for con in self.connections:
                    # One that is closed has nothing to be interrupted.
                    with contextlib.suppress(duckdb.Error):
                        con.interrupt()
            pause.wait(_AGAIN)


_watch = _Watch()


def _forked() -> None:
    """Keep what ends a child process out of the pipe, which it shares."""
    _watch.writer = None  # who read it stayed in the parent
    if threading.current_thread() is threading.main_thread():
        signal.set_wakeup_fd(-1)


os.register_at_fork(after_in_child=_forked)


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Watch for signals until the command has ended.

    Nothing is watched outside the main thread, where Python hears of no signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    global _watch  # noqa: PLW0603 - signals are the process's, and so is this
    reader, writer = os.pipe()
    _watch = _Watch(writer)
    os.set_blocking(writer, False)
    handlers = {number: signal.getsignal(number) for number in _NAMES}
    former = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    thread = threading.Thread(target=_watch.read, args=(reader,), daemon=True)
    thread.start()
    try:
        for number in _NAMES:
            signal.signal(number, signal.default_int_handler)
        yield
    finally:
        signal.set_wakeup_fd(former)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        os.write(writer, bytes([_END]))
        thread.join()
        _watch.writer = None
        os.close(reader)
        os.close(writer)


def received() -> signal.Signals | None:
    """The first signal that came; None: none has."""
    _watch.catch_up()
    return _watch.received


@contextlib.contextmanager
def ending(con: "duckdb.DuckDBPyConnection") -> Iterator[None]:
    """Interrupt what the connection does when a signal comes."""
    watch = _watch
    with watch.lock:
        watch.connections.append(con)
    try:
        yield
    finally:
        with watch.lock:
            watch.connections.remove(con)


@contextlib.contextmanager
def in_one_line(project: Project) -> Iterator[None]:
    """Say in one line that a signal ended the command, and which release stands.

    Raises:
        Interrupted: a signal came, whatever it became since.
    """
    try:
        yield
    except BaseException as err:
        number = received()
        if number is None or isinstance(err, Interrupted):
            raise
        raise Interrupted(_line(project, number), number) from err


def _line(project: Project, number: signal.Signals) -> str:
    from releases import store  # noqa: PLC0415 - reads manifests

    return (
        f"interrupted by {_NAMES[number]}: what was not finished is not published;"
        f" {store.which_stands(project)}; the same command takes it up again"
    )
