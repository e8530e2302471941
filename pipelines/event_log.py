"""Dagster's event log with its connections kept open, for runs in this process.

What is overridden here is private to Dagster (`_connect`, `_db_lock`, `_initdb`,
`_initialized_dbs`). It was tried with Dagster 1.13, to which `pyproject.toml` pins it:
who raises the pin compares `SqliteEventLogStorage._connect` of the new version with
this one, and runs `tests/pipelines/test_event_log.py`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Self

import sqlalchemy
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    SqliteEventLogStorage,
)
from dagster._serdes import ConfigurableClassData


class KeptOpenEventLog(SqliteEventLogStorage):
    """The event log in SQLite, as Dagster's own writes and reads it.

    Dagster makes an engine for each of the thousand statements of a run, which then
    plans each statement anew: as measured, 3 of the 6 s that a run spends in Dagster.
    Those that stay up for long, the webserver and the daemon, use Dagster's own.
    """

    def __init__(
        self, base_dir: str, inst_data: ConfigurableClassData | None = None
    ) -> None:
        """Keep no connection yet."""
        self._engines: dict[str, sqlalchemy.Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData | None,
        config_value: Mapping[str, object],
    ) -> Self:
        """Make it from the settings of an instance."""
        return cls(str(config_value["base_dir"]), inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sqlalchemy.Connection]:
        """A transaction on the database of a run, or on the index of all."""
        with self._db_lock:
            engine = self._engines.get(shard)
            if engine is None:
                engine = sqlalchemy.create_engine(self.conn_string_for_shard(shard))
                self._engines[shard] = engine
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def dispose(self) -> None:
        """Close the connections, which writes what SQLite still holds beside."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()
