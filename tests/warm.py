"""What every run reads and compiles, once for all commands that tests start.

The server of `tests/forked.py` imports this before it forks: schemes, contracts and
public holidays are then known to each process, as modules are. No database is opened
here, since its threads would not be forked.
"""

import tempfile
from pathlib import Path

import runs.preflight  # noqa: F401 - is imported when a run needs it
from project.folder import Project
from project.settings import Settings
from schemes.plan import make_plan
from schemes.tables.public_holidays import public_holidays
from sql.contracts import all_columns

with tempfile.TemporaryDirectory() as folder:
    make_plan(Project(Path(folder), Settings(name="any")), all_columns())
public_holidays("CN")
