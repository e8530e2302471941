"""The Dagster instance of a project: its runs and events, below `data/dagster`.

`InstanceRef` is private to Dagster: `pyproject.toml` pins Dagster to the minor version
that this was tried with.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from sqlalchemy import event
from sqlalchemy.engine import Engine

from pipelines.storage import Storage
from project.folder import Project

# The same file stands at the top of the checkout, for those who run Dagster by hand.
SETTINGS = Path(__file__).with_name("dagster.yaml")


def prepare_home(project: Project) -> Path:
    """The folder for DAGSTER_HOME, with the instance settings in it."""
    home = project.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(SETTINGS, home / "dagster.yaml")
    return home


@contextlib.contextmanager
def instance_of(project: Project) -> Iterator[dg.DagsterInstance]:
    """The instance that the command line and the UI of a project share, while open."""
    home = prepare_home(project)
    os.environ["DAGSTER_HOME"] = str(home)
    storage = {
        "module": Storage.__module__,
        "class": Storage.__name__,
        "config": {"base_dir": str(home)},
    }
    ref = InstanceRef.from_dir(str(home), overrides={"storage": {"custom": storage}})
    with not_waiting_for_the_disk(home), dg.DagsterInstance.from_ref(ref) as instance:
        yield instance


@contextlib.contextmanager
def not_waiting_for_the_disk(home: Path) -> Iterator[None]:
    """Let the operating system write the databases of an instance when it likes.

    Each event is a commit of its own, and each waited for the disk: 20 s of a run
    of 27 s, as measured. What a power failure may cost is a run's entry in the UI;
    releases are synced on their own.

    Dagster makes an engine whenever it needs one, so that engines as such are watched,
    only while the instance is open, and only databases below its folder are changed.
    """
    folder = home.resolve()

    def on_connect(connection: object, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection) and _is_below(connection, folder):
            connection.execute("pragma synchronous = off")

    event.listen(Engine, "connect", on_connect)
    try:
        yield
    finally:
        event.remove(Engine, "connect", on_connect)


def _is_below(connection: sqlite3.Connection, folder: Path) -> bool:
    """Whether the database of a connection is a file below the folder."""
    (_, _, path), *_ = connection.execute("pragma database_list").fetchall()
    return bool(path) and Path(path).resolve().is_relative_to(folder)
