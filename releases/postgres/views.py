"""What readers are shown: views in schemas whose names stay, over one release.

All of them are pointed at another release in one transaction, which first locks them
all: whoever is reading one of them, be it in a transaction of several statements, is
waited for, and whoever comes meanwhile waits for the few moments that it takes. So
nobody ever sees two releases at once.

A reader that holds one view and waits for another that is locked already would wait for
ever: what readers are seen to hold most is what they begin with, and is locked first.
"""

import hashlib
import time
from collections import Counter
from dataclasses import dataclass

from psycopg import errors

from project.errors import RunError
from releases.postgres.connection import SETTING, Connection, execute, rows
from releases.postgres.loading import comment
from releases.postgres.tables import Table
from sql.selects import quoted

# New readers queue behind a lock that is waited for, so that a try is short. It ends
# before the server would take it for a deadlock and end a reader (1 second).
_TRY = "500ms"
_PAUSE_SECONDS = 0.1
_LOOKS = 4  # at what readers hold, before each try
_LOOK_SECONDS = 0.02
_BUSY = (errors.QueryCanceled, errors.LockNotAvailable, errors.DeadlockDetected)


@dataclass(frozen=True)
class View:
    """A view that readers are shown, over a table of a release."""

    schema: str
    table: Table
    names: tuple[str, ...]  # the columns that are shown
    source: str  # the quoted name of the table
    rows: str = ""  # the condition of the rows that are shown; all where it is empty

    @property
    def place(self) -> str:
        """Its quoted name."""
        return quoted(self.schema, self.table.name)

    @property
    def sql(self) -> str:
        """The statement that makes it or points it at another release."""
        listed = ", ".join(f"shown.{quoted(name)}" for name in self.names)
        # Without a barrier a function in a reader's condition may look at other rows.
        barrier = " with (security_barrier)" if self.rows else ""
        condition = f" where {self.rows}" if self.rows else ""
        return (
            f"create or replace view {self.place}{barrier} as"
            f" select {listed} from {self.source} as shown{condition}"
        )


@dataclass(frozen=True)
class Shown:
    """All that readers are shown, and who may read it."""

    schema: str  # of everything; the names of all other schemas begin with it
    views: tuple[View, ...]
    grants: tuple[str, ...] = ()

    @property
    def schemas(self) -> list[str]:
        """The schemas of the views."""
        return sorted({view.schema for view in self.views})

    @property
    def digest(self) -> str:
        """Tells whether this is what readers are shown already."""
        said = [view.sql for view in self.views] + list(self.grants)
        return hashlib.sha256("\n".join(said).encode()).hexdigest()


def show(
    con: Connection, shown: Shown, sources: list[str], noted: str, wait: int
) -> None:
    """Point all views at a release, or none.

    Args:
        con: the connection to the server.
        shown: the views and grants.
        sources: the schemas of releases.
        noted: the statement that notes which release is shown.
        wait: for how many seconds readers are waited for, in short tries.

    Raises:
        RunError: readers held on to a view all the time.
    """
    for schema in shown.schemas:
        execute(con, f"create schema if not exists {quoted(schema)}")
    ends = time.monotonic() + wait
    held: Counter[str] = Counter()
    while not _try(con, shown, sources, noted, held):
        if time.monotonic() > ends:
            raise RunError(
                f"{SETTING}: readers held on to the views for {wait} s, in transactions"
                " that they keep open; the release is loaded, and the next run or"
                " `fenji publish` shows it"
            )
        time.sleep(_PAUSE_SECONDS)
    _describe(con, shown)


def _try(
    con: Connection, shown: Shown, sources: list[str], noted: str, held: Counter[str]
) -> bool:
    """Whether all views could be locked and pointed at the release.

    `held` counts what readers were seen to hold, in this try and those before.
    """
    wanted = {view.place for view in shown.views}
    there = _views(con, shown.schema, sources)
    _look(con, held)
    try:
        with con.transaction():
            _lock(con, there, held)
            gone = [place for place in there if place not in wanted]
            if gone:
                execute(con, f"drop view {', '.join(gone)}")
            for view in shown.views:
                _point(con, view)
            for statement in (*shown.grants, noted):
                execute(con, statement)
    except _BUSY:
        return False
    return True


def _look(con: Connection, held: Counter[str]) -> None:
    """Count what readers hold just now, several times where they hold anything."""
    for _ in range(_LOOKS):
        found = rows(
            con,
            "select nspname::text, relname::text, count(distinct pid) from pg_locks"
            " join pg_class on pg_class.oid = relation"
            " join pg_namespace on pg_namespace.oid = relnamespace"
            " where locktype = 'relation' and granted and relkind = 'v'"
            " and pid <> pg_backend_pid() and database ="
            " (select oid from pg_database where datname = current_database())"
            " group by 1, 2",
        )
        for schema, name, n_readers in found:
            held[quoted(str(schema), str(name))] += int(str(n_readers))
        if not found:
            return
        time.sleep(_LOOK_SECONDS)


def _lock(con: Connection, views: list[str], held: Counter[str]) -> None:
    """Lock all views until the transaction ends.

    Raises:
        QueryCanceled: readers held on to one that they were seen to hold.
        LockNotAvailable: readers hold another one by now.
    """
    there = set(views)
    first = [view for view, _ in held.most_common() if view in there]
    rest = [view for view in views if view not in held]
    mode = "in access exclusive mode"
    execute(con, f"set local statement_timeout = '{_TRY}'")
    if first:
        execute(con, f"lock table {', '.join(first)} {mode}")
    if rest:
        execute(con, f"lock table {', '.join(rest)} {mode} nowait")
    execute(con, "set local statement_timeout = 0")


def _point(con: Connection, view: View) -> None:
    """Make a view, or point it at another table."""
    try:
        with con.transaction():
            execute(con, view.sql)
    except errors.InvalidTableDefinition:
        # Its columns are others than they were.
        execute(con, f"drop view {view.place}; {view.sql}")


def _views(con: Connection, schema: str, sources: list[str]) -> list[str]:
    """The quoted names of the views over releases, always in the same order.

    Views that others made, over Fenji's views or in schemas of their own, are theirs.
    """
    found = rows(
        con,
        "select distinct named.nspname::text, views.relname::text"
        " from pg_class as views"
        " join pg_namespace as named on named.oid = views.relnamespace"
        " join pg_rewrite on ev_class = views.oid"
        " join pg_depend on classid = 'pg_rewrite'::regclass"
        " and objid = pg_rewrite.oid and refclassid = 'pg_class'::regclass"
        " join pg_class as tables on tables.oid = refobjid"
        " join pg_namespace as sources on sources.oid = tables.relnamespace"
        " where views.relkind = 'v' and sources.nspname = any(%s)"
        " and (named.nspname = %s or starts_with(named.nspname, %s)) order by 1, 2",
        sources,
        schema,
        f"{schema}_",
    )
    return [quoted(str(schema), str(name)) for schema, name in found]


def _describe(con: Connection, shown: Shown) -> None:
    """Put the words of the tables on the views, where others stand or none.

    Nobody need wait for it: what is said is the same from release to release.
    """
    found = rows(
        con,
        "select nspname::text, relname::text, coalesce(attname::text, ''), description"
        " from pg_description join pg_class on pg_class.oid = objoid"
        " join pg_namespace on pg_namespace.oid = relnamespace"
        " left join pg_attribute on attrelid = objoid and attnum = objsubid"
        " and objsubid > 0"
        " where classoid = 'pg_class'::regclass and nspname = any(%s)",
        shown.schemas,
    )
    there = {tuple(place): said for *place, said in found}
    said = [
        comment("view", view.place, column, words)
        for view in shown.views
        for column, words in view.table.words.items()
        if (not column or column in view.names)
        and there.get((view.schema, view.table.name, column)) != words
    ]
    if said:
        with con.transaction():
            execute(con, ";".join(said))
