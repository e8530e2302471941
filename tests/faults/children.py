"""Commands in processes of their own, which may be killed.

They are forked from a server that has imported everything once: a run of the tiny shop
then takes a few seconds, and its imports none.
"""

import multiprocessing
import os
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

from pipelines.commands.cli import run_command

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    ["tests.faults.children", "pipelines.execution", "data_quality.validation"]
)


def start(root: Path, *arguments: str) -> BaseProcess:
    """Start a command on a project; its exit status is that of the process."""
    child = _SERVER.Process(target=_call, args=(str(root), arguments))
    child.start()
    return child


def _call(root: str, arguments: tuple[str, ...]) -> None:
    sys.argv = ["fenji", *arguments, "--project", root]
    with Path(os.devnull).open("w") as nobody:
        sys.stdout = sys.stderr = nobody
        status = run_command()
    os._exit(status)
