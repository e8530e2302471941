"""Where a run in this process keeps what Dagster is told: its runs and their events.

`storage: custom:` of an instance's settings names `Storage`. It writes the databases
that Dagster's own storage reads, so that the UI and the daemon, which use Dagster's
own, show these runs. Dagster has three: what schedules keep is for those who tick, no
run asks for it, and it is neither made nor opened here.

Both that are opened keep one connection each. Dagster makes an engine for every
statement, which then plans it anew; and it loads the scripts of all migrations to look
whether a database has ever been set up, which is one question to the database.
"""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import sqlalchemy
from dagster import StringSource
from dagster._config.config_schema import UserConfigSchema
from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.sqlite import create_db_conn_string
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from sqlalchemy.pool import StaticPool

from pipelines.event_log import BatchedEventLog, is_set_up


class KeptOpenRuns(SqliteRunStorage):
    """Dagster's runs in SQLite, on one connection."""

    def __init__(
        self, conn_string: str, inst_data: ConfigurableClassData | None = None
    ) -> None:
        """Keep the connection that the first statement makes."""
        super().__init__(conn_string, inst_data)
        self._engine = sqlalchemy.create_engine(conn_string, poolclass=StaticPool)

    @classmethod
    def opened(cls, folder: Path) -> Self:
        """Open the runs below a folder, or set them up there."""
        runs = cls(create_db_conn_string(str(folder), "runs"))
        if (folder / "runs.db").exists() and is_set_up(runs._engine):
            return runs
        runs.dispose()
        made = cls.from_local(str(folder))
        if not isinstance(made, cls):
            raise TypeError("Dagster made another storage of runs")
        return made

    def has_execution_plan_snapshot(self, execution_plan_snapshot_id: str) -> bool:
        """Whether a plan is known; Dagster reads all of it to find out."""
        return bool(self._has_snapshot_id(execution_plan_snapshot_id))

    @contextlib.contextmanager
    def connect(self) -> Iterator[sqlalchemy.Connection]:
        """A transaction."""
        with self._engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close the connection."""
        self._engine.dispose()
        super().dispose()


class Storage(DagsterStorage, ConfigurableClass):
    """The databases of runs and events, below the folder of an instance."""

    def __init__(
        self, base_dir: str, inst_data: ConfigurableClassData | None = None
    ) -> None:
        """Open them where Dagster has them."""
        super().__init__()  # type: ignore[no-untyped-call]
        self._inst_data = inst_data
        history = Path(base_dir) / "history"
        self._runs = KeptOpenRuns.opened(history)
        self._events = BatchedEventLog(str(history / "runs"))

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """What it was made from."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """The settings that it takes."""
        return {"base_dir": StringSource}

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData | None,
        config_value: Mapping[str, object],
    ) -> Self:
        """Make it from the settings of an instance."""
        return cls(str(config_value["base_dir"]), inst_data)

    @property
    def event_log_storage(self) -> BatchedEventLog:
        """The events of all runs."""
        return self._events

    @property
    def run_storage(self) -> KeptOpenRuns:
        """The runs."""
        return self._runs

    @property
    def schedule_storage(self) -> None:  # type: ignore[override] # an instance may lack it
        """None: who has schedules run uses Dagster's own storage."""
        return None
