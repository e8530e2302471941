"""Bringing PostgreSQL up to date: readers there see the release of `data/current`.

What is there already is not done again, so that any run, or `fenji publish`, mends what
an earlier one could not finish. The schema `<schema>_admin` notes what is there.
"""

from dataclasses import dataclass

import duckdb
from psycopg import errors

from project.folder import Project
from project.quantities import number_of
from project.settings import PostgresSettings
from releases import lease, marks, reading, store
from releases.manifest import Manifest
from releases.postgres import roles
from releases.postgres.connection import (
    SETTING,
    Connection,
    execute,
    in_words,
    opened,
    rows,
)
from releases.postgres.loading import load
from releases.postgres.tables import Table, tables_of
from releases.postgres.views import Shown, View, show
from sql.access import ACCESS_ROLES
from sql.selects import quoted, text

_NOTES = "_admin"
_DROP_WAIT = "2s"


@dataclass(frozen=True)
class Pushed:
    """What readers of PostgreSQL see now, and what was done for it.

    Attributes:
        release_id: the release that they see.
        schema: the schema of the views.
        n_tables: how many tables were loaded; 0 where all were there.
        n_rows: how many rows they have.
        is_new: whether readers saw something else before.
        dropped: the schemas of older releases that were dropped.
        kept: those that are to be dropped and that somebody uses.
        missing_roles: the statements for a DBA that make the roles that are missing.
    """

    release_id: str
    schema: str
    n_tables: int
    n_rows: int
    is_new: bool
    dropped: tuple[str, ...]
    kept: tuple[str, ...]
    missing_roles: tuple[str, ...]

    @property
    def line(self) -> str:
        """What readers see, in one line."""
        told = f"PostgreSQL shows {self.release_id} in the schema {self.schema}"
        if self.n_tables:
            tables = number_of(self.n_tables, "table")
            told += f": {tables}, {number_of(self.n_rows, 'row')} loaded"
        return f"{told}."

    @property
    def notes(self) -> list[str]:
        """What somebody has to see to, a line each."""
        notes = []
        if self.missing_roles:
            notes.append(
                f"{SETTING}: the login may make no roles; a DBA must run:"
                f" {'; '.join(self.missing_roles)};"
            )
        notes += [
            f"{SETTING}: {schema} is to be dropped, but somebody reads it or has"
            " views on it; the next run tries again"
            for schema in self.kept
        ]
        return notes


def push(project: Project, settings: PostgresSettings) -> Pushed | None:
    """Let readers of PostgreSQL see the current release; None: there is none.

    Raises:
        ConfigurationError: the environment names no server.
        RunError: it could not be done; what readers see stays as it was.
    """
    with opened(project, settings) as con:
        # One after the other, also from two machines; it goes with the connection.
        rows(con, "select pg_advisory_lock(hashtext(%s))", f"fenji {settings.schema_}")
        if store.current(project) is None:
            _Push(project, settings, con, None).withdraw()
            return None
        with lease.held(project, lambda: _current(project)) as manifest:
            database = store.database(project, manifest.release_id)
            with reading.opened(database) as release:
                return _Push(project, settings, con, manifest).carry_out(release)


def _current(project: Project) -> Manifest:
    shown = store.current(project)
    assert shown is not None  # noqa: S101 - a release that is current stays so or moves
    return shown


def schema_of_release(schema: str, release_id: str) -> str:
    """The schema of a release, such as fenji_2026_05_31_dcbc1615."""
    return f"{schema}_{release_id.replace('-', '_')}"


class _Push:
    """One release on its way to its readers."""

    def __init__(
        self,
        project: Project,
        settings: PostgresSettings,
        con: Connection,
        manifest: Manifest | None,
    ) -> None:
        self._project = project
        self._settings = settings
        self._con = con
        self._release_id = manifest.release_id if manifest else ""
        self._as_of_date = str(manifest.as_of_date) if manifest else ""
        self._notes = f"{settings.schema_}{_NOTES}"
        self._noted = quoted(self._notes, "releases")
        self._source = schema_of_release(settings.schema_, self._release_id)

    def carry_out(self, release: duckdb.DuckDBPyConnection) -> Pushed:
        self._limit(release)
        self._prepare()
        tables = tables_of(release, self._settings.except_)
        lacking = self._lacking(tables)
        n_rows = self._load(release, lacking) if lacking else 0
        shown, missing = self._shown(release, tables)
        is_new = not self._is_shown(shown.digest)
        if is_new:
            noted = self._note_shown(shown.digest)
            wait = self._settings.wait_seconds
            with in_words("the views"):
                show(self._con, shown, self._sources(), noted, wait)
        dropped, kept = self._drop_old()
        return Pushed(
            release_id=self._release_id,
            schema=self._settings.schema_,
            n_tables=len(lacking),
            n_rows=n_rows,
            is_new=is_new,
            dropped=dropped,
            kept=kept,
            missing_roles=missing,
        )

    def withdraw(self) -> None:
        """Where the release that readers see was retracted, and no other is left."""
        if not self._has_notes():
            return
        shown = rows(
            self._con, f"select release_id from {self._noted} where is_current"
        )
        if {release_id for (release_id,) in shown} & self._retracted():
            noted = f"update {self._noted} set is_current = false, shown_digest = null"
            wait = self._settings.wait_seconds
            with in_words("the views"):
                show(
                    self._con,
                    Shown(self._settings.schema_, ()),
                    self._sources(),
                    noted,
                    wait,
                )
            self._drop_old()

    def _limit(self, release: duckdb.DuckDBPyConnection) -> None:
        """Use no more of the machine than a run may."""
        resources = self._project.settings.resources
        if resources.threads is not None:
            release.execute("set threads = $n", {"n": resources.threads})
        if resources.memory_limit is not None:
            release.execute("set memory_limit = $n", {"n": resources.memory_limit})

    def _prepare(self) -> None:
        """Make the schema of notes, where it is missing."""
        if self._has_notes():
            return
        with in_words("the schema of notes"), self._con.transaction():
            execute(
                self._con,
                f"create schema if not exists {quoted(self._notes)};"
                f"create table if not exists {self._noted} ("
                "release_id text primary key, schema_name text not null,"
                " as_of_date date not null,"
                " loaded_at timestamptz not null default now(),"
                " is_current boolean not null default false, shown_at timestamptz,"
                " shown_digest text);"
                f"comment on table {self._noted} is"
                " 'One row is a release that is loaded; readers see the current one.';"
                f"{roles.managers_table(self._notes)}",
            )

    def _has_notes(self) -> bool:
        found = rows(self._con, "select to_regclass(%s) is not null", self._noted)
        return found == [(True,)]

    # The tables of the release.

    def _lacking(self, tables: list[Table]) -> list[Table]:
        found = rows(
            self._con,
            "select relname::text from pg_class"
            " where relnamespace = to_regnamespace(%s) and relkind = 'r'",
            quoted(self._source),
        )
        there = {name for (name,) in found}
        return [table for table in tables if table.name not in there]

    def _load(self, release: duckdb.DuckDBPyConnection, lacking: list[Table]) -> int:
        """Load the tables that are lacking, all or none; returns the rows."""
        noted = [text(self._release_id), text(self._source), text(self._as_of_date)]
        with self._con.transaction():
            execute(
                self._con,
                f"create schema if not exists {quoted(self._source)};"
                f"comment on schema {quoted(self._source)} is {self._about}",
            )
            n_rows = load(self._con, release, self._source, lacking)
            execute(
                self._con,
                f"insert into {self._noted} (release_id, schema_name, as_of_date)"
                f" values ({', '.join(noted)}) on conflict (release_id)"
                " do nothing",
            )
        return n_rows

    # What readers are shown.

    def _shown(
        self, release: duckdb.DuckDBPyConnection, tables: list[Table]
    ) -> tuple[Shown, tuple[str, ...]]:
        """The views and grants, and what makes the roles that are missing."""
        schema = self._settings.schema_
        views = [
            View(schema, table, table.names, quoted(self._source, table.name))
            for table in tables
        ]
        if not self._settings.roles:
            return Shown(schema, tuple(views)), ()
        found = release.execute(
            f"select role, table_name, column_name from {quoted(ACCESS_ROLES)}"
        ).fetchall()
        may_read = [(str(role), str(name), str(column)) for role, name, column in found]
        views += roles.views_of_roles(
            tables, may_read, schema=schema, source=self._source, notes=self._notes
        )
        groups = {
            f"{self._settings.prefix}{role}": f"{schema}_{role}"
            for role in roles.roles_of(may_read)
        }
        missing = self._make_roles(list(groups))
        grants = [
            statement
            for group, place in groups.items()
            if group not in missing
            for statement in roles.grants(place, group)
        ]
        creation = tuple(roles.creation(name) for name in missing)
        return Shown(schema, tuple(views), tuple(grants)), creation

    def _make_roles(self, names: list[str]) -> list[str]:
        """Make the group roles that are missing; returns those that could not be."""
        missing = roles.missing(self._con, names)
        if not missing or not roles.may_create(self._con):
            return missing
        with in_words("the roles"), self._con.transaction():
            for name in missing:
                execute(self._con, roles.creation(name))
        return []

    def _is_shown(self, digest: str) -> bool:
        return bool(
            rows(
                self._con,
                f"select 1 from {self._noted}"
                " where release_id = %s and is_current and shown_digest = %s",
                self._release_id,
                digest,
            )
        )

    def _note_shown(self, digest: str) -> str:
        """The statement that notes what readers see; part of the same transaction."""
        this = f"release_id = {text(self._release_id)}"
        return (
            f"update {self._noted} set is_current = ({this}),"
            f" shown_at = case when {this} then now() else shown_at end,"
            f" shown_digest = case when {this} then {text(digest)} end;"
            f"comment on schema {quoted(self._settings.schema_)} is {self._about}"
        )

    @property
    def _about(self) -> str:
        """What a schema says of the release that is in it, as a literal."""
        return text(f"Fenji: release {self._release_id} as of {self._as_of_date}")

    def _sources(self) -> list[str]:
        found = rows(self._con, f"select schema_name from {self._noted}")
        return [str(name) for (name,) in found]

    # Older releases.

    def _drop_old(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Drop the releases that are too many or were retracted, unless one is used."""
        retracted = self._retracted()
        found = rows(
            self._con,
            f"select release_id, schema_name from {self._noted}"
            " order by is_current desc, shown_at desc nulls last, release_id desc",
        )
        standing = [row for row in found if row[0] not in retracted]
        staying = standing[: self._settings.keep]
        dropped: list[str] = []
        kept: list[str] = []
        for release_id, schema in found:
            if (release_id, schema) in staying or release_id == self._release_id:
                continue
            done = self._drop(str(release_id), str(schema))
            (dropped if done else kept).append(str(schema))
        return tuple(dropped), tuple(kept)

    def _retracted(self) -> set[object]:
        return {mark.release_id for mark in marks.marks(self._project)}

    def _drop(self, release_id: str, schema: str) -> bool:
        """Whether a release could be dropped: nobody reads it or builds on it."""
        tables = rows(
            self._con,
            "select relname::text from pg_class"
            " where relnamespace = to_regnamespace(%s) and relkind = 'r'",
            quoted(schema),
        )
        listed = ", ".join(quoted(schema, str(name)) for (name,) in tables)
        try:
            with self._con.transaction():
                execute(self._con, f"set local lock_timeout = '{_DROP_WAIT}'")
                if listed:
                    execute(self._con, f"drop table {listed}")
                execute(self._con, f"drop schema if exists {quoted(schema)}")
                execute(
                    self._con,
                    f"delete from {self._noted} where release_id = {text(release_id)}",
                )
        except (
            errors.DeadlockDetected,
            errors.DependentObjectsStillExist,
            errors.LockNotAvailable,
        ):
            return False
        return True
