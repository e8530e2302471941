"""Former versions of files: kept for whoever asks what was known at an earlier time.

Their rows are moved out of the tables that count, into tables of the same names in the
schema `former`: what does not ask for them neither reads nor pays for them.
"""

import datetime
from collections.abc import Sequence

import duckdb

from ingest.raw_tables import retype
from ingest.sql_text import Sql, identifier, select_named, sql
from sql.contracts import Contract, feeds
from sql.transactions import transaction

SCHEMA = "former"
# What came of files beside the rows of their feeds, and which of it is kept: checks
# that run after loading run again, on what was known then.
BESIDE = {
    "rejected_rows": Sql("not is_late"),
    "corrected_records": Sql("true"),
}


def keep(
    con: duckdb.DuckDBPyConnection,
    feed: Contract,
    file_ids: Sequence[int],
    at: datetime.datetime,
) -> None:
    """Copy what came of files that are about to be replaced, within a transaction."""
    if not file_ids:
        return
    given = {"ids": list(file_ids)}
    con.execute(sql("create schema if not exists {name}", name=identifier(SCHEMA)))
    for table, rows in (
        (feed.table, Sql("list_contains($ids, _file_id)")),
        *(
            (name, sql("list_contains($ids, file_id) and {only}", only=only))
            for name, only in BESIDE.items()
        ),
    ):
        make_table(con, table)
        con.execute(
            sql(
                "insert into {former} by name from {raw} where {rows}",
                former=identifier(SCHEMA, table),
                raw=identifier("raw", table),
                rows=rows,
            ),
            given,
        )
    _note(con, file_ids, at, is_kept=True)


def forget(
    con: duckdb.DuckDBPyConnection, file_ids: Sequence[int], at: datetime.datetime
) -> None:
    """Remove the rows of all former versions of files, within a transaction.

    So are those of equal files that were moved to where these lie, maybe from another
    feed. That there were such files is remembered: an earlier time cannot be told in
    full.
    """
    # The ledger says where the files lay; they are still in it.
    rows = con.execute(
        select_named("replaced_files/versions"), {"ids": list(file_ids)}
    ).fetchall()
    _remove(con, dict(rows))
    _note(con, file_ids, at, is_kept=False)


def remove_older(con: duckdb.DuckDBPyConnection, than: datetime.datetime) -> None:
    """Remove the rows of versions that were replaced before a time.

    That there were such versions stays noted, so that a run for an earlier time names
    what it lacks.
    """
    rows = con.execute(
        "select feed, list(file_id order by file_id) from raw.former_files"
        " where is_kept and replaced_at < $than group by feed order by feed",
        {"than": than},
    ).fetchall()
    with transaction(con):
        _remove(con, dict(rows))


def _remove(con: duckdb.DuckDBPyConnection, by_feed: dict[str, list[int]]) -> None:
    for feed, file_ids in by_feed.items():
        if not file_ids:
            continue
        given = {"ids": file_ids}
        for table, column in (
            (feed, "_file_id"),
            *((name, "file_id") for name in BESIDE),
        ):
            make_table(con, table)
            con.execute(
                sql(
                    "delete from {former} where list_contains($ids, {column})",
                    former=identifier(SCHEMA, table),
                    column=identifier(column),
                ),
                given,
            )
        con.execute(
            "update raw.former_files set is_kept = false"
            " where list_contains($ids, file_id)",
            given,
        )


def _note(
    con: duckdb.DuckDBPyConnection,
    file_ids: Sequence[int],
    at: datetime.datetime,
    *,
    is_kept: bool,
) -> None:
    con.execute(
        "insert into raw.former_files by name"
        " select *, $at as replaced_at, $is_kept as is_kept from raw.files"
        " where list_contains($ids, file_id)",
        {"ids": list(file_ids), "at": at, "is_kept": is_kept},
    )


def make_table(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Make the table of former rows like that of `raw`, which may have grown since."""
    raw, former = identifier("raw", table), identifier(SCHEMA, table)
    con.execute(
        sql("create table if not exists {f} as from {raw} limit 0", f=former, raw=raw)
    )
    described = "select column_name, column_type from (describe {table})"
    has = dict(con.execute(sql(described, table=former)).fetchall())
    for name, kind in con.execute(sql(described, table=raw)).fetchall():
        if name in has and has[name] != kind:
            retype(con, former, name, kind)
        elif name not in has:
            con.execute(
                sql(
                    "alter table {former} add column {name} {kind}",
                    former=former,
                    name=identifier(name),
                    kind=Sql(kind),
                )
            )


def tables(
    con: duckdb.DuckDBPyConnection, catalog: str | None = None
) -> frozenset[str]:
    """The tables with former rows that there are.

    Args:
        con: the warehouse.
        catalog: an attached database; by default, the connection's own.
    """
    rows = con.execute(
        "select table_name from duckdb_tables()"
        " where database_name = coalesce($catalog, current_database())"
        " and schema_name = $schema",
        {"catalog": catalog, "schema": SCHEMA},
    ).fetchall()
    return frozenset(name for (name,) in rows) & {*feeds(), *BESIDE}
