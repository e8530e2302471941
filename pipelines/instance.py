"""The Dagster instance of a project: its runs and events, below `data/dagster`."""

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from sqlalchemy import event
from sqlalchemy.engine import Engine

from pipelines.event_log import KeptOpenEventLog
from project.folder import Project

# The same file stands at the top of the checkout, for those who run Dagster by hand.
SETTINGS = Path(__file__).with_name("dagster.yaml")


@event.listens_for(Engine, "connect")
def _do_not_wait_for_the_disk(connection: Any, _record: object) -> None:  # noqa: ANN401
    """Let the operating system write Dagster's event log when it likes.

    Each event is a commit of its own, and each waited for the disk: 20 s of a run
    of 27 s, as measured. What a power failure may cost is a run's entry in the UI;
    releases are synced on their own.
    """
    if isinstance(connection, sqlite3.Connection):
        connection.execute("pragma synchronous = off")


def prepare_home(project: Project) -> Path:
    """The folder for DAGSTER_HOME, with the instance settings in it."""
    home = project.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(SETTINGS, home / "dagster.yaml")
    return home


def instance_of(project: Project) -> dg.DagsterInstance:
    """The instance that the command line and the UI of a project share."""
    home = prepare_home(project)
    os.environ["DAGSTER_HOME"] = str(home)
    event_log = {
        "module": KeptOpenEventLog.__module__,
        "class": KeptOpenEventLog.__name__,
        # Where Dagster's own has it.
        "config": {"base_dir": str(home / "history" / "runs")},
    }
    return dg.DagsterInstance.from_ref(
        InstanceRef.from_dir(str(home), overrides={"event_log_storage": event_log})
    )
