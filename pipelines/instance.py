"""The Dagster instance of a project: its runs and events, below `data/dagster`."""

import os
import shutil
from pathlib import Path

import dagster as dg

from project.folder import Project

# The same file stands at the top of the checkout, for those who run Dagster by hand.
SETTINGS = Path(__file__).with_name("dagster.yaml")


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
    return dg.DagsterInstance.get()
