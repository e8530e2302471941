"""The command `fenji` in processes of its own, which import nothing.

Each process is forked from a server that has imported Fenji, Dagster and Great
Expectations once: that takes as long as a run of a tiny shop. Every worker of pytest
has one server. A test of what is installed starts the program `fenji` itself.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TextIO

from pipelines.commands import cli

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    [
        "data_quality.docs",
        "data_quality.validation",
        "pipelines.backfill",
        "pipelines.commands.plan",
        "pipelines.commands.run",
        "pipelines.execution",
        "tests.forked",
        "tests.warm",
    ]
)


def start(
    arguments: Sequence[str],
    *,
    out: str | Path = os.devnull,
    err: str | Path = os.devnull,
    env: Mapping[str, str] | None = None,
) -> BaseProcess:
    """Start a command; its exit status is that of the process.

    Args:
        arguments: what follows `fenji` on a command line.
        out: the file that standard output goes to.
        err: the file that the standard error goes to.
        env: the environment of the process, otherwise that of this one.
    """
    variables = dict(os.environ if env is None else env)
    told = (str(out), str(err), variables, str(Path.cwd()))
    child = _SERVER.Process(target=_call, args=(list(arguments), *told))
    child.start()
    return child


def kill(child: BaseProcess) -> None:
    """End a command at once, and all that it has started."""
    assert child.pid
    os.killpg(child.pid, signal.SIGKILL)
    child.join()


def call(
    arguments: Sequence[str], *, seconds: float, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; its exit status and what it wrote.

    Raises:
        subprocess.TimeoutExpired: it took longer than so many seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        child = start(arguments, out=out, err=err, env=env)
        child.join(seconds)
        if child.exitcode is None:
            child.kill()
            child.join()
            raise subprocess.TimeoutExpired(list(arguments), seconds)
        return subprocess.CompletedProcess(
            list(arguments),
            child.exitcode,
            out.read_text(encoding="utf-8") if out.exists() else "",
            err.read_text(encoding="utf-8") if err.exists() else "",
        )


def _call(
    arguments: list[str], out: str, err: str, variables: dict[str, str], folder: str
) -> None:
    """Be the command, in a process that was forked for it."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    # As a shell leaves it; the server that forks ignores it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["fenji", *arguments]
    sys.stdout, sys.stderr = _written_to(1, out), _written_to(2, err)
    cli.main()


def _written_to(number: int, path: str) -> TextIO:
    """A stream to a file, which also what is no Python writes to."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, number)
    os.close(file)
    return open(number, "w", encoding="utf-8", buffering=1, closefd=False)
