"""Dagster's event log for runs in this process: written in batches, read from memory.

A run tells some nine hundred events. Dagster stores each in several transactions, and
asks the database before each step for what the run itself has stored a moment ago: as
measured, 2.5 of the 4 s that a run spent in Dagster. Here events wait until a step
begins or a run changes its state, and are then written together; what a run asks about
its own materializations is answered from memory. Whatever else is read is written
before. The webserver and the daemon use Dagster's own log, on the same files. See
`docs/adr/0015-events-are-written-in-batches.md`.

What is overridden or called here and private to Dagster: `_connect`, `_initdb`,
`_event_to_row`, `_get_asset_entry_values`, `_store_asset_event_tags`,
`_construct_asset_record_from_row`. It was tried with Dagster 1.13, to which
`pyproject.toml` pins it: who raises the pin compares `store_event` of Dagster's log in
SQLite with `_index` here, and runs `tests/pipelines/test_storage.py`, which holds all
tables against those that Dagster's own log writes.
"""

import itertools
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import sqlalchemy
import sqlalchemy.exc
from dagster import AssetKey, AssetRecordsFilter, DagsterEventType
from dagster._core.definitions.data_version import DATA_VERSION_TAG
from dagster._core.event_api import (
    EventLogCursor,
    EventLogRecord,
    EventRecordsResult,
)
from dagster._core.events import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    EVENT_TYPE_TO_PIPELINE_RUN_STATUS,
)
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.base import AssetRecord
from dagster._core.storage.event_log.schema import (
    AssetKeyTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
)
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from sqlalchemy import RowMapping
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import StaticPool

_MOST = 500  # events wait in memory
_LONGEST = 1.0  # seconds that an event waits, if another follows it
# What is in the index of all runs, beside the log of its own run.
_INDEXED = {*ASSET_EVENTS, *ASSET_CHECK_EVENTS, *EVENT_TYPE_TO_PIPELINE_RUN_STATUS}
_ENDS = {
    DagsterEventType.RUN_SUCCESS,
    DagsterEventType.RUN_FAILURE,
    DagsterEventType.RUN_CANCELED,
}
_WRITTEN_AT_ONCE = {
    *EVENT_TYPE_TO_PIPELINE_RUN_STATUS,
    DagsterEventType.STEP_START,
    DagsterEventType.STEP_FAILURE,
}
# The columns that a record of an asset is made from.
_OF_RECORDS = ("id", "asset_key", "last_run_id", "asset_details", "cached_status_data")
_REVISION = "select version_num from alembic_version"
_INSERT = SqlEventLogStorageTable.insert()
_INSERT_NUMBERED = _INSERT.returning(
    SqlEventLogStorageTable.c.id, sort_by_parameter_order=True
)
_Row = dict[str, Any]


class _Database:
    """One file of the log, on one connection that is kept open."""

    def __init__(self, url: str) -> None:
        self.engine = sqlalchemy.create_engine(
            url,
            poolclass=StaticPool,
            connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS},
        )
        self.waiting: list[tuple[EventLogEntry, _Row]] = []
        self.under_way: sqlalchemy.Connection | None = None
        connection = self.engine.raw_connection().driver_connection
        if not isinstance(connection, sqlite3.Connection):
            raise TypeError("the log is in SQLite")
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[sqlalchemy.Connection]:
        """A transaction, which is under way meanwhile."""
        with self.engine.begin() as connection:
            self.under_way = connection
            try:
                yield connection
            finally:
                self.under_way = None

    @property
    def n_changes(self) -> int:
        """How many rows were changed here so far."""
        return self._connection.total_changes

    @property
    def version(self) -> int:
        """A number that changes when another process has written."""
        (version,) = self._connection.execute("pragma data_version").fetchone()
        return int(version)


class BatchedEventLog(SqliteEventLogStorage):
    """The event log in SQLite, with the same rows as Dagster's own writes.

    All that use a database take turns.
    """

    def __init__(self, base_dir: str) -> None:
        """Keep no connection yet, and no event."""
        self._lock = threading.RLock()
        self._databases: dict[str, _Database] = {}
        self._tables: set[str] = set()
        self._written_at = time.monotonic()
        # Of assets that this process has materialized, while nobody else writes.
        self._records: dict[AssetKey, AssetRecord] = {}
        self._version: int | None = None
        super().__init__(base_dir)

    def has_table(self, table_name: str) -> bool:
        """Whether there is a table in the index; one that was there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def store_event(self, event: EventLogEntry) -> None:
        """Keep an event, and write all that wait when it is time."""
        with self._lock:
            waiting = (event, self._event_to_row(event))
            of_run = self._database(event.run_id).waiting
            of_run.append(waiting)
            if event.dagster_event_type in _INDEXED:
                self._database(INDEX_SHARD_NAME).waiting.append(waiting)
            if (
                event.dagster_event_type in _WRITTEN_AT_ONCE
                or len(of_run) >= _MOST
                or time.monotonic() > self._written_at + _LONGEST
            ):
                self._write_all()
            if event.dagster_event_type in _ENDS:
                # A backfill of a year would keep a year of databases open.
                self._close(event.run_id)

    def get_asset_records(
        self, asset_keys: Sequence[AssetKey] | None = None
    ) -> Sequence[AssetRecord]:
        """What is known of assets, in the order of their keys."""
        if asset_keys is not None:
            with self._lock:
                records = self._own_records()
                if all(key in records for key in asset_keys):
                    in_order = sorted(set(asset_keys), key=AssetKey.to_string)
                    return [records[key] for key in in_order]
        return super().get_asset_records(asset_keys)

    def get_latest_tags_by_partition(
        self,
        asset_key: AssetKey,
        event_type: DagsterEventType,
        tag_keys: Sequence[str],
        asset_partitions: Sequence[str] | None = None,
        before_cursor: int | None = None,
        after_cursor: int | None = None,
    ) -> Mapping[str, Mapping[str, str]]:
        """The tags of the latest events of an asset, by partition."""
        if (
            event_type == DagsterEventType.ASSET_MATERIALIZATION
            and [*tag_keys] == [DATA_VERSION_TAG]
            and before_cursor is None
            and after_cursor is None
        ):
            record = self._own_materialization(asset_key, asset_partitions)
            made = record.asset_materialization if record else None
            if made is not None and made.partition is not None:
                version = (made.tags or {}).get(DATA_VERSION_TAG)
                return {made.partition: {DATA_VERSION_TAG: version}} if version else {}
        return super().get_latest_tags_by_partition(
            asset_key,
            event_type,
            tag_keys,
            asset_partitions,
            before_cursor,
            after_cursor,
        )

    def fetch_materializations(
        self,
        records_filter: AssetKey | AssetRecordsFilter,
        limit: int,
        cursor: str | None = None,
        ascending: bool = False,
    ) -> EventRecordsResult:
        """The materializations of an asset, the latest first."""
        if (
            isinstance(records_filter, AssetRecordsFilter)
            and records_filter
            == AssetRecordsFilter(
                records_filter.asset_key, records_filter.asset_partitions
            )
            and limit == 1
            and cursor is None
            and not ascending
        ):
            record = self._own_materialization(
                records_filter.asset_key, records_filter.asset_partitions
            )
            if record is not None:
                after = EventLogCursor.from_storage_id(record.storage_id).to_string()
                return EventRecordsResult([record], cursor=after, has_more=True)
        return super().fetch_materializations(records_filter, limit, cursor, ascending)

    def dispose(self) -> None:
        """Write what waits, and close the connections.

        Closing them writes what SQLite still holds in files beside the databases.
        """
        with self._lock:
            try:
                self._write_all()
            finally:
                for shard in (*self._databases,):
                    self._close(shard)
                super().dispose()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sqlalchemy.Connection]:
        """A transaction on the database of a run, or on the index of all.

        What waits is written before, so that whoever reads finds it.
        """
        with self._lock:
            database = self._database(shard)
            if database.under_way is not None:  # Dagster's part of what is written
                yield database.under_way
                return
            self._write(shard)
            before = database.n_changes
            with database.transaction() as connection:
                yield connection
            if database.n_changes != before:
                self._records.clear()

    def _initdb(
        self,
        engine: sqlalchemy.Engine,
        for_index_shard: bool = False,
    ) -> None:
        """Make the tables of a database; that of a run has those of the index."""
        if is_set_up(engine):
            return
        if for_index_shard:
            super()._initdb(engine, for_index_shard=True)
            return
        with self._connect(INDEX_SHARD_NAME) as index, engine.connect() as connection:
            definitions = index.exec_driver_sql(
                "select sql from sqlite_master where sql is not null order by rowid"
            )
            revision = index.exec_driver_sql(_REVISION).scalar_one()
            connection.exec_driver_sql("pragma journal_mode = wal")
            connection.exec_driver_sql("begin")
            for definition in definitions.scalars():
                connection.exec_driver_sql(definition)
            connection.exec_driver_sql(
                "insert into alembic_version values (?)", (revision,)
            )
            connection.commit()

    def _database(self, shard: str) -> _Database:
        """The database of a run, or the index of all; it is made if need be."""
        database = self._databases.get(shard)
        if database is None:
            database = _Database(self.conn_string_for_shard(shard))
            self._initdb(database.engine, for_index_shard=shard == INDEX_SHARD_NAME)
            self._databases[shard] = database
        return database

    def _close(self, shard: str) -> None:
        """Close a database, which is opened again by whoever asks for it."""
        self._databases.pop(shard).engine.dispose()

    def _write_all(self) -> None:
        """Write all events that wait."""
        for shard in (*self._databases,):
            self._write(shard)
        self._written_at = time.monotonic()

    def _write(self, shard: str) -> None:
        """Write the events that wait for one database, in one transaction.

        What cannot be written is given up, as by Dagster: it is told once.
        """
        database = self._database(shard)
        waiting, database.waiting = database.waiting, []
        if not waiting:
            return
        rows = [row for _, row in waiting]
        with database.transaction() as connection:
            if shard != INDEX_SHARD_NAME:
                connection.execute(_INSERT, rows)
                return
            numbers = connection.execute(_INSERT_NUMBERED, rows).scalars()
            # Nobody else writes until this transaction has ended.
            self._forget_if_others_wrote()
            records = [
                EventLogRecord(storage_id=number, event_log_entry=event)
                for number, (event, _) in zip(numbers, waiting, strict=True)
            ]
            self._index(connection, records)

    def _index(
        self, connection: sqlalchemy.Connection, records: list[EventLogRecord]
    ) -> None:
        """Note what assets and checks are found by, as Dagster's `store_event` does."""
        of_assets = [record for record in records if record.event_type in ASSET_EVENTS]
        self._store_asset_event_tags(
            connection,
            [record.event_log_entry for record in of_assets],
            [record.storage_id for record in of_assets],
        )
        for _, alike in itertools.groupby(of_assets, lambda record: record.event_type):
            self._note_assets(connection, [*alike])
        for record in records:
            if record.event_type in ASSET_CHECK_EVENTS:
                self.store_asset_check_event(record.event_log_entry, record.storage_id)

    def _note_assets(
        self, connection: sqlalchemy.Connection, records: list[EventLogRecord]
    ) -> None:
        """Note of assets what happened last, from events of one type."""
        by_key = {
            record.asset_key.to_string(): record
            for record in records
            if record.asset_key is not None
        }
        values = [
            {
                "asset_key": key,
                **self._get_asset_entry_values(
                    record.event_log_entry,
                    record.storage_id,
                    has_asset_key_index_cols=True,
                ),
            }
            for key, record in by_key.items()
        ]
        changed = [name for name in next(iter(values), ()) if name != "asset_key"]
        if changed:
            noted = connection.execute(_upsert(*changed), values)
            for row in noted.mappings():
                self._remember(row, by_key[row["asset_key"]])

    def _remember(self, row: RowMapping, record: EventLogRecord) -> None:
        """Keep what is known of an asset, if this process has materialized it."""
        key = record.asset_key
        if key is None:
            return
        last: EventLogRecord | None = record
        if record.asset_materialization is None:
            known = self._records.get(key)
            last = known.asset_entry.last_materialization_record if known else None
        if last is not None:
            self._records[key] = self._construct_asset_record_from_row(
                row, last, can_read_asset_status_cache=True
            )

    def _own_records(self) -> dict[AssetKey, AssetRecord]:
        """What this process has materialized, as it is stored."""
        waiting = self._database(INDEX_SHARD_NAME).waiting
        if any(event.dagster_event_type in ASSET_EVENTS for event, _ in waiting):
            self._write(INDEX_SHARD_NAME)
        self._forget_if_others_wrote()
        return self._records

    def _own_materialization(
        self, asset_key: AssetKey, partitions: Sequence[str] | None
    ) -> EventLogRecord | None:
        """The latest materialization of an asset, if it is this process's own.

        Args:
            asset_key: the asset.
            partitions: those that are asked for; only one can be answered.
        """
        with self._lock:
            record = self._own_records().get(asset_key)
        last = record.asset_entry.last_materialization_record if record else None
        if last is None or partitions is None or [*partitions] != [last.partition_key]:
            return None
        return last

    def _forget_if_others_wrote(self) -> None:
        """Answer from memory only while no other process writes, such as the UI's."""
        version = self._database(INDEX_SHARD_NAME).version
        if version != self._version:
            self._version = version
            self._records.clear()


@cache
def _upsert(*columns: str) -> sqlalchemy.Executable:
    """Set columns of an asset, whether or not it is known; what is known of it then."""
    insert = sqlite.insert(AssetKeyTable)
    return insert.on_conflict_do_update(
        index_elements=[AssetKeyTable.c.asset_key],
        set_={column: insert.excluded[column] for column in columns},
    ).returning(*(AssetKeyTable.c[name] for name in _OF_RECORDS))


def is_set_up(engine: sqlalchemy.Engine) -> bool:
    """Whether Dagster's tables are in a database."""
    with engine.connect() as connection:
        try:
            revision = connection.exec_driver_sql(_REVISION).scalar()
        except sqlalchemy.exc.OperationalError:
            return False
    return revision is not None
