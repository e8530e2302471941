"""What the process of a command does otherwise than Python does by itself, on purpose.

Two things, and they stand nowhere else: it looks for no garbage in cycles, and it ends
without an orderly end of the interpreter. Both are for the command line alone; the
daemon and the webserver run as any Python program.
"""

import gc
import os
import sys
from typing import NoReturn


def collect_no_cycles() -> None:
    """Stop looking for objects that only refer to each other.

    Looking for them took a sixth of a run, and they hold little: 50 MB.
    """
    gc.disable()


def clear_cycles() -> None:
    """Free what was given up so far, for those who run many dates in one process.

    What stays, such as imported modules, need not be looked at again.
    """
    gc.collect()
    gc.freeze()


def end(status: int) -> NoReturn:
    """End the process with an exit status, now: nothing of it runs any more.

    Everything of ours is closed by then: an orderly end would take half a second once
    Dagster was imported, and DuckDB's bindings would report the connections that other
    modules keep.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
