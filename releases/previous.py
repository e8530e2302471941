"""The release that movement is measured against, and the tiers it stated.

Its folder may have been removed since: what it stated stays in the history of the
release published last. The tiers are written into the schema `marts` of the warehouse,
where the select of movements reads them.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from project.folder import Project
from releases import marks, reading, store
from releases.cleared_history import cleared
from sql.selects import quoted, text

_CATALOG = "previous"
_TIERS = "previous_tiers_stated"
_NO_SCOPE_TIERS = (
    "(select null as customer_id, null as scheme, null as scope, null as tier"
    " where false)"
)


@dataclass(frozen=True)
class Previous:
    """The release with the greatest earlier as-of date that was ever published.

    One that was retracted is none.
    """

    release_id: str
    as_of_date: datetime.date
    schemes: tuple[str, ...]  # that it graded by
    told_by: str  # the release published last, whose history tells of it


def previous_to(
    project: Project,
    as_of_date: datetime.date,
    known_at: datetime.datetime | None = None,
) -> Previous | None:
    """The release that movement is measured against; None: there is no earlier date.

    Of several for that date, the one published last.

    Args:
        project: the project.
        as_of_date: the date that is graded; the release found has an earlier one.
        known_at: where given, only releases that were published by then count.
    """
    stated = store.statements(project, known_at)
    if not stated:
        return None
    told_by = stated[-1].release_id
    history = store.database(project, told_by)
    retracted = [mark.release_id for mark in marks.marks(project)]
    with reading.opened(history) as con:
        found = con.execute(
            "select release_id, as_of_date, schemes from tier_statements"
            " where as_of_date < $as_of_date"
            " and not list_contains($retracted::varchar[], release_id)"
            " order by as_of_date desc, statement_no desc limit 1",
            {"as_of_date": as_of_date, "retracted": retracted},
        ).fetchone()
    if found is None:
        return None
    release_id, day, schemes = found
    return Previous(release_id, day, tuple(schemes), told_by)


def create_previous_tiers(
    con: duckdb.DuckDBPyConnection,
    project: Project,
    previous: Previous | None,
    schemes: Sequence[str],
) -> None:
    """Make marts.previous_tiers and marts.previous_scope_tiers.

    The first has a row per customer: customer_id and `<scheme>_tier`, null where the
    former release lacks the scheme or the customer. The second has a row per customer,
    scheme and scope such as a category: customer_id, scheme, scope, tier. Neither has
    rows where there is no former release.

    Args:
        con: a connection with the warehouse.
        project: the project.
        previous: the former release; None where there is none.
        schemes: the schemes that get a column, whether the former release has them or
            not.

    Raises:
        RunError: the database of the former release is damaged.
    """
    con.execute("create schema if not exists marts")
    if previous is None:
        _write(con, schemes, "(select null as customer_id where false)", set())
        _write_scopes(con, _NO_SCOPE_TIERS)
        return
    database = store.database(project, previous.release_id)
    if database.is_file():
        reading.attach(con, database, _CATALOG)
        profile = f"{_CATALOG}.main.customer_profile"
        described = con.execute(f"describe {profile}").fetchall()
        _write(con, schemes, profile, {name for name, *_ in described})
        _write_scopes(con, f"{_CATALOG}.main.customer_tiers")
    else:
        reading.attach(con, cleared(project, previous.told_by), _CATALOG)
        _take_from_history(con, previous)
        known = [scheme for scheme in schemes if scheme in previous.schemes]
        tiers = [
            f"max(tier) filter (scheme = {text(scheme)}) as {quoted(f'{scheme}_tier')}"
            for scheme in known
        ]
        columns = ", ".join(["customer_id", *tiers])
        wide = f"(select {columns} from {_TIERS} where scope = '' group by customer_id)"
        _write(con, schemes, wide, {f"{scheme}_tier" for scheme in known})
        _write_scopes(con, _TIERS)
        con.execute(f"drop table {_TIERS}")
    con.execute(f"detach {_CATALOG}")


def _take_from_history(con: duckdb.DuckDBPyConnection, previous: Previous) -> None:
    """The tiers of a date as they are known: what its last release stated."""
    con.execute(
        f"create or replace temp table {_TIERS} as"
        " select customer_id, scheme, scope, tier"
        f" from {_CATALOG}.main.customer_tier_history"
        " where known_to is null and valid_from <= $as_of_date"
        " and coalesce(valid_to > $as_of_date, true)"
        " and list_contains($schemes, scheme)",
        {"as_of_date": previous.as_of_date, "schemes": list(previous.schemes)},
    )


def _write(
    con: duckdb.DuckDBPyConnection,
    schemes: Sequence[str],
    relation: str,
    known: set[str],
) -> None:
    """Write marts.previous_tiers from a relation with the known columns."""
    names = [f"{scheme}_tier" for scheme in schemes]
    tiers = [
        f"{quoted(name) if name in known else 'null'}::varchar as {quoted(name)}"
        for name in names
    ]
    columns = ", ".join(["customer_id::varchar as customer_id", *tiers])
    con.execute(
        f"create or replace table marts.previous_tiers as select {columns}"
        f" from {relation}"
    )


def _write_scopes(con: duckdb.DuckDBPyConnection, relation: str) -> None:
    """Write marts.previous_scope_tiers from a relation with a row per tier."""
    con.execute(
        "create or replace table marts.previous_scope_tiers as"
        " select customer_id::varchar as customer_id, scheme::varchar as scheme,"
        f" scope::varchar as scope, tier::varchar as tier from {relation}"
        " where scope <> ''"
    )
