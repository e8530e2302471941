"""The history of tiers without what retracted releases stated.

Every release carries the whole history, so a retracted one may have left its marks in
those that were published after it. Its statement cannot be cut out row by row: it may
have ended stretches of others, and others that only confirmed it left no row of their
own. So the other statements are made again, one after the other, as if it had never
been published: what each of them stated is read from the history, where it is kept
whole. The work begins at the latest release before the retracted one that still stands.
"""

import datetime
import hashlib
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from project.folder import Project
from releases import marks, reading, store, tier_history
from releases.building import CATALOG
from releases.tier_history import (
    OPEN,
    STATEMENTS,
    STRETCHES,
    TREND_STATEMENTS,
    VIEW,
    TierHistory,
)
from sql.contracts import STORAGE
from sql.selects import quoted, select_in, text

_SELECTS = Path(__file__).parent / "sql" / "cleared_history"
_FOLDER = ".clearing-history-"
_WHOLE = "whole"  # the history with the statements of retracted releases
_WHOLE_STRETCHES, _WHOLE_OPEN = "whole_stretches", "whole_open_tiers"
_STATED = "stated_tiers"


@dataclass(frozen=True)
class _Statement:
    """What one release stated: when, of which date, by which schemes."""

    number: int
    release_id: str
    as_of_date: datetime.date
    published_at: datetime.datetime
    schemes: tuple[str, ...]


def holds_retracted(project: Project, release_id: str) -> bool:
    """Whether the history in a release tells what a retracted one stated."""
    return bool(_retracted_in(project, release_id))


def cleared(project: Project, release_id: str) -> Path:
    """The database whose history goes on from a release, without retracted statements.

    It is the release's own wherever nothing in it was retracted. Another one is kept
    below `data/` until a run has published it; the lock is held.

    Raises:
        RunError: the database of a release is damaged or missing.
    """
    database = store.database(project, release_id)
    retracted = _retracted_in(project, release_id)
    if not retracted:
        return database
    which = hashlib.sha256("\n".join(sorted(retracted)).encode()).hexdigest()[:8]
    made = project.cleared_history / f"{release_id}-{which}.duckdb"
    if not made.exists():
        made.parent.mkdir(exist_ok=True)
        begin = _begin(project, database, retracted)
        clear(database, made, retracted, begin=begin)
    return made


def _retracted_in(project: Project, release_id: str) -> frozenset[str]:
    """The retracted releases that the history in a release tells of."""
    retracted = {mark.release_id for mark in marks.marks(project)}
    if not retracted:
        return frozenset()
    statements = _statements(store.database(project, release_id))
    return frozenset(retracted & {statement.release_id for statement in statements})


def _statements(database: Path) -> list[_Statement]:
    """The statements of a history, in their order."""
    with reading.opened(database) as con:
        rows = con.execute(
            "select statement_no, release_id, as_of_date, published_at, schemes"
            f" from {STATEMENTS} order by statement_no"
        ).fetchall()
    return [
        _Statement(number, release_id, day, published_at, tuple(schemes))
        for number, release_id, day, published_at, schemes in rows
    ]


def _begin(project: Project, database: Path, retracted: Collection[str]) -> Path | None:
    """The last release before those that were retracted, where it still stands."""
    statements = _statements(database)
    first = min(
        statement.number
        for statement in statements
        if statement.release_id in retracted
    )
    standing = {manifest.release_id for manifest in store.releases(project)}
    for statement in reversed(statements):
        is_before = statement.number < first and statement.release_id in standing
        if is_before and not holds_retracted(project, statement.release_id):
            return store.database(project, statement.release_id)
    return None


def clear(
    whole: Path, target: Path, without: Collection[str], *, begin: Path | None = None
) -> None:
    """Write the history of a database anew, as if some releases had stated nothing.

    Args:
        whole: a database with the history, retracted statements and all.
        target: the file to make; it holds the tables of the history and their view.
            Where no statement is left it is not made.
        without: the releases that are left out.
        begin: a database with the history as it was before all of them; None: the
            history is written from its beginning.
    """
    begun = 0 if begin is None else _statements(begin)[-1].number
    kept = [
        statement
        for statement in _statements(whole)
        if statement.number > begun and statement.release_id not in without
    ]
    base = begin
    with (
        tempfile.TemporaryDirectory(prefix=_FOLDER, dir=target.parent) as folder,
        duckdb.connect() as con,
    ):
        types = _attach_whole(con, whole)
        for statement in kept:
            made = Path(folder) / f"{statement.number}.duckdb"
            con.execute(f"attach {text(str(made))} as {CATALOG}")
            con.execute(f"create schema {quoted(CATALOG, STORAGE)}")
            _write_results(con, statement, types)
            _write_history(con, base, statement, with_view=statement is kept[-1])
            if statement is kept[-1]:
                _keep_trend(con)
            con.execute(f"detach {CATALOG}")
            if base not in (None, begin):
                base.unlink()
            base = made
        if base is not None:
            base.replace(target)


def _attach_whole(con: duckdb.DuckDBPyConnection, whole: Path) -> dict[str, str]:
    """Attach the whole history, and show its tables under fixed names.

    Returns:
        The schemes that grade whole customers, and the type of their tiers in DuckDB.
    """
    reading.attach(con, whole, _WHOLE)
    for name, table in ((_WHOLE_STRETCHES, STRETCHES), (_WHOLE_OPEN, OPEN)):
        con.execute(
            f"create temp view {name} as from {reading.place(con, _WHOLE, table)}"
        )
    return {
        name.removesuffix("__tier"): kind
        for name, kind, *_ in con.execute(f"describe {_WHOLE_OPEN}").fetchall()
        if name.endswith("__tier")
    }


def _write_history(
    con: duckdb.DuckDBPyConnection,
    base: Path | None,
    statement: _Statement,
    *,
    with_view: bool,
) -> None:
    """Write the tables of the history after a statement, and the view if asked for."""
    with tier_history.continued(
        con,
        base,
        release_id=statement.release_id,
        as_of_date=statement.as_of_date,
        published_at=statement.published_at,
        number=statement.number,
    ) as history:
        for table in (STATEMENTS, OPEN, STRETCHES):
            history.write(table)
        if with_view:
            _write_view(con, history)


def _keep_trend(con: duckdb.DuckDBPyConnection) -> None:
    """Keep how many had each tier, of the statements that are left."""
    if reading.schema_of(con, _WHOLE, TREND_STATEMENTS) is None:
        return
    kept = quoted(CATALOG, STORAGE)
    con.execute(
        f"create table {kept}.{TREND_STATEMENTS} as"
        f" select trend.* from {reading.place(con, _WHOLE, TREND_STATEMENTS)} as trend"
        f" semi join {kept}.{STATEMENTS} as stated"
        " on trend.statement_no = stated.statement_no"
    )


def _write_view(con: duckdb.DuckDBPyConnection, history: TierHistory) -> None:
    with con.cursor() as inside:
        inside.execute(f"use {CATALOG}")
        inside.execute(f"create view {quoted(VIEW)} as {history.select(VIEW)}")


def _write_results(
    con: duckdb.DuckDBPyConnection, statement: _Statement, types: Mapping[str, str]
) -> None:
    """Make the tables that a release has of its tiers: what it stated of its own date.

    Args:
        con: a connection with the whole history, and with the database to write in.
        statement: what is to be stated again.
        types: the schemes that grade whole customers, and the type of their tiers.
    """
    as_of = {"as_of_date": statement.as_of_date, "number": statement.number}
    schemes = {"schemes": list(statement.schemes)}
    con.execute(
        f"create or replace temp table {_STATED} as"
        f" {select_in(_SELECTS / 'stated_tiers.sql')}",
        {**as_of, **schemes},
    )
    con.execute(
        f"create table {CATALOG}.main.schemes as"
        " select unnest($schemes::varchar[]) as scheme, true as is_applicable",
        schemes,
    )
    con.execute(
        f"create table {CATALOG}.main.customer_tiers as"
        f" from {_STATED} where scope != ''"
    )
    whole = [scheme for scheme in statement.schemes if scheme in types]
    con.execute(
        f"create table {quoted(CATALOG, STORAGE)}.scheme_results as"
        f" {_results(whole, types)}",
        as_of if whole else {},
    )


def _results(schemes: Collection[str], types: Mapping[str, str]) -> str:
    """A row per customer, with a column of tiers for each scheme: open or ended since.

    Params: as_of_date date, number integer.
    """
    still_open = [
        f"if({_column(scheme, 'valid_from')} <= $as_of_date"
        f" and {_column(scheme, 'statement_no')} <= $number,"
        f" {_column(scheme, 'tier')}, null) as {_column(scheme, 'tier')}"
        for scheme in schemes
    ]
    ended = [
        f"max(tier) filter (scheme = {text(scheme)})::{types[scheme]}"
        f" as {_column(scheme, 'tier')}"
        for scheme in schemes
    ]
    either = [
        f"coalesce(still_open.{_column(scheme, 'tier')},"
        f" ended.{_column(scheme, 'tier')}) as {_column(scheme, 'tier')}"
        for scheme in schemes
    ]
    customer = "coalesce(still_open.customer_id, ended.customer_id) as customer_id"
    return (
        f"select {', '.join([customer, *either])} from"
        f" (select {', '.join(['customer_id', *still_open])} from {_WHOLE_OPEN})"
        f" as still_open full outer join (select {', '.join(['customer_id', *ended])}"
        f" from {_STATED} where scope = '' group by customer_id) as ended"
        " on still_open.customer_id = ended.customer_id"
    )


def _column(scheme: str, part: str) -> str:
    return quoted(f"{scheme}__{part}")
