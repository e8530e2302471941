"""Workbooks as Parquet files, written by a process of their own.

The library that reads them is native code that holds a sheet as one block: a single
cell far away from the others makes it ask for 512 GiB, at which its process dies. So it
works elsewhere (`ingest.reading_process`); a file that kills that process, or keeps it
too long, is refused, and a new one goes on with the next file.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ingest.sniffing import Empty
from ingest.unpacking import (
    OverLimit,
    Unreadable,
    check_expansion,
)
from ingest.written import BLANKS
from project.settings import Limits

_OUT_OF_MEMORY = (b"memory allocation of", b"capacity overflow", b"MemoryError")
_LAST_WORDS = 4096  # bytes of what the process has said at its end
_MOMENT = 5  # seconds in which a process that breaks comes to its end


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook, written as Parquet without its blank rows and columns."""

    height: int  # rows of the sheet, the blank ones among them
    width: int
    n_rows: int  # that were written
    kept: tuple[int, ...]  # the places of the columns that were written


@dataclass
class WorkbookReader:
    """Reads workbooks, one after the other; it is closed when it is done with."""

    limits: Limits
    _process: "subprocess.Popen[bytes] | None" = None
    _said: IO[bytes] = field(default_factory=tempfile.TemporaryFile)

    def read(self, file: Path, target: Path, *, sheet: str | None) -> Sheet:
        """Write a sheet of the workbook, by default the first one, as Parquet.

        Raises:
            Empty: the sheet has no cells.
            OverLimit: it asks for too much.
        Unreadable: it is no workbook, or has no such sheet.
        """
        n_packed = file.stat().st_size
        answer = self._ask(
            {
                "file": str(file),
                "target": str(target),
                "sheet": sheet,
                "blanks": BLANKS,
                "most_expanded": self.limits.most_expanded(n_packed),
            }
        )
        match answer["status"]:
            case "read":
                return Sheet(
                    answer["height"],
                    answer["width"],
                    answer["n_rows"],
                    tuple(answer["kept"]),
                )
            case "empty":
                raise Empty
            case "expands":
                check_expansion(answer["expanded"], n_packed, self.limits)
            case "no_sheet":
                n_sheets = answer["n_sheets"]
                it_has = "1 sheet" if n_sheets == 1 else f"{n_sheets} sheets"
                raise Unreadable(f"has no sheet '{sheet}'; it has {it_has}")
            case "memory":
                raise self._too_large()
        raise Unreadable("is no workbook that can be read")

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
        self._said.close()

    def _ask(self, task: dict[str, Any]) -> dict[str, Any]:
        """What the process answers.

        Raises:
            Unreadable: it ended without an answer.
        """
        process = self._process = self._process or self._start()
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        is_late = threading.Event()

        def end() -> None:
            is_late.set()
            process.kill()

        timer = threading.Timer(self.limits.reader_seconds, end)
        timer.start()
        line = b""
        try:
            process.stdin.write(json.dumps(task).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            pass  # it ended before it was asked
        finally:
            timer.cancel()
        if line.endswith(b"\n") and not is_late.is_set():
            answer: dict[str, Any] = json.loads(line)
            return answer
        self._process = None
        raise self._ended(process, is_late=is_late.is_set())

    def _start(self) -> "subprocess.Popen[bytes]":
        self._said.seek(0)
        self._said.truncate()
        command = [sys.executable, "-P", "-m", "ingest.reading_process"]
        command += [str(self.limits.reader_bytes), str(self.limits.reader_seconds)]
        # Threads reserve memory, and a sheet is read by one.
        environment = {**os.environ, "POLARS_MAX_THREADS": "1", "RUST_BACKTRACE": "0"}
        process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=environment,
        )
        assert process.stdout is not None  # noqa: S101 - a pipe
        if not process.stdout.readline():
            # Its libraries alone need more than it may have.
            raise self._ended(process, is_late=False)
        return process

    def _ended(
        self, process: "subprocess.Popen[bytes]", *, is_late: bool
    ) -> Unreadable:
        """Why the process ended, which is waited for."""
        with suppress(subprocess.TimeoutExpired):
            process.wait(_MOMENT)
        process.kill()
        process.communicate()
        self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, self._said.tell() - _LAST_WORDS))
        said = self._said.read()
        if is_late or -process.returncode == _TIME_IS_UP:
            return OverLimit(
                f"takes more than {self.limits.reader_time} to read"
                " (limits.reader_time in fenji.yaml)"
            )
        # Whoever kills it else, it is the system for want of memory.
        is_killed = -process.returncode == _KILLED
        if is_killed or any(words in said for words in _OUT_OF_MEMORY):
            return self._too_large()
        return Unreadable("breaks the program that reads workbooks")

    def _too_large(self) -> OverLimit:
        return OverLimit(
            f"needs more than {self.limits.reader_memory} of memory to be read"
            " (limits.reader_memory in fenji.yaml); a cell far away from the others"
            " does that"
        )


# SIGKILL and SIGXCPU, which not every system has.
_KILLED, _TIME_IS_UP = 9, 24
