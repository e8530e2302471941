"""The Parquet file of a table of a release: linked, or written.

A table that holds what the release published last holds, row by row, has that
release's file: a hard link, which outlives the older folder, or a copy where the file
system has no links. Nothing of it is written or digested again. `building` says which
tables there are; what proves a release afterwards stands in `verification`.

That two tables are equal is found out by comparing them, not by comparing hashes of
them: both stand in the order of their keys, so that they are read side by side, and
the first row that differs ends it. Where equal rows stand in another order the file is
written again, which costs time and changes nothing.
"""

import glob
import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from project import modes
from releases import digest
from releases.manifest import Manifest
from sql.selects import quoted, text

FOLDER = "tables"
# Columns of few values have a dictionary; of others trying takes longer than it saves.
# Rows stand in the order of their keys, so that the smallest and the largest value of
# each group of rows say what a Bloom filter would.
_FORMAT = (
    "format parquet, compression zstd, dictionary_size_limit 4096,"
    " write_bloom_filter false"
)
AS_OF_DATE = "as_of_date"  # the column of tables that state it in each row
# Two values of these types may be equal and read differently: -0.0, 30 days.
_UNSURE = re.compile(r"FLOAT|DOUBLE|INTERVAL|TIME WITH")
# What is stored as one of a closed list is text in a file.
_CHOICE = re.compile(r"ENUM\(.*\)")


@dataclass(frozen=True)
class Former:
    """The release published last, as it lies there."""

    folder: Path
    manifest: Manifest


@dataclass(frozen=True)
class Table:
    """A table or view of the release that is being written."""

    name: str
    place: str  # quoted, with its catalog
    n_rows: int | None = None  # None: a view, of which there is no digest
    without: tuple[str, ...] = ()  # columns that the digest leaves out

    @property
    def file(self) -> str:
        """Its path below the folder of a release."""
        return f"{FOLDER}/{self.name}.parquet"


@dataclass(frozen=True)
class Filed:
    """The file of a table, and what was found out about it."""

    sha256: str
    line: str  # the digest line; of a view none, which is empty
    is_linked: bool


def file_table(
    con: duckdb.DuckDBPyConnection, folder: Path, former: Former | None, table: Table
) -> Filed:
    """Link the former release's file where it holds the table; else write it.

    Args:
        con: a connection with the release that is being written.
        folder: of that release.
        former: whose files may be linked; None: none.
        table: the table.
    """
    linked = None if former is None else _linked(con, folder, former, table)
    return linked or _written(con, folder, table)


def _written(con: duckdb.DuckDBPyConnection, folder: Path, table: Table) -> Filed:
    file = folder / table.file
    con.execute(f"copy {table.place} to {text(str(file))} ({_FORMAT})")
    line = ""
    if table.n_rows is not None:
        # Most tables of a small company have no rows: nothing is asked of those.
        line = digest.NO_ROWS
        if table.n_rows:
            line = digest.table_digest(con, table.place, table.without)
    return Filed(sha256_of(file), line, is_linked=False)


def _linked(
    con: duckdb.DuckDBPyConnection, folder: Path, former: Former, table: Table
) -> Filed | None:
    """The former release's file, linked; None where it is not known to be equal."""
    source, target = former.folder / table.file, folder / table.file
    published = former.manifest.files.get(table.file)
    line = _known_line(former.manifest, table)
    if published is None or line is None or not _holds(con, source, table):
        return None
    try:
        _link(source, target)
        # What was compared must be what was published, or its digest is that of
        # something else.
        if sha256_of(target) == published:
            return Filed(published, line, is_linked=True)
    except OSError:
        pass  # it was removed just now, or there is no room: writing will tell
    target.unlink(missing_ok=True)
    return None


def _known_line(manifest: Manifest, table: Table) -> str | None:
    """The digest line that the table has if it is equal; None: it cannot be."""
    if table.n_rows is None:
        return ""
    proof = manifest.table_digests.get(table.name)
    if (
        proof is None
        or proof.without != table.without
        or manifest.tables.get(table.name) != table.n_rows
        or manifest.digest_definition != digest.DEFINITION
    ):
        return None
    return proof.line


def _holds(con: duckdb.DuckDBPyConnection, source: Path, table: Table) -> bool:
    """Whether a file holds the table; not if it cannot be read."""
    # DuckDB would take some paths for patterns.
    if not source.is_file() or glob.escape(str(source)) != str(source):
        return False
    try:
        return _is_equal(con, source, table)
    except duckdb.InterruptException:
        raise
    except duckdb.Error:
        return False


def _is_equal(con: duckdb.DuckDBPyConnection, source: Path, table: Table) -> bool:
    """Whether a file has the columns of the table, and its rows in the same order."""
    stored, held = con.table(table.place), con.from_parquet(str(source))
    types = [_CHOICE.sub("VARCHAR", str(kind)) for kind in stored.types]
    if (
        stored.columns != held.columns
        or types != [str(kind) for kind in held.types]
        or any(_UNSURE.search(kind) for kind in types)
    ):
        return False
    file = text(str(source))
    if table.n_rows is None:
        counts = f"select (select count(*) from {table.place}) = count(*) from {file}"
        if con.execute(counts).fetchall() != [(True,)]:
            return False
    if table.n_rows == 0:
        return True
    if AS_OF_DATE in stored.columns and _are_of_other_dates(con, table.place, file):
        return False
    return not _differ(con, table.place, file, stored.columns)


def _are_of_other_dates(con: duckdb.DuckDBPyConnection, one: str, other: str) -> bool:
    """Whether two relations state other dates: then no row needs to be compared."""
    dates = " is distinct from ".join(
        f"(select max({AS_OF_DATE}) from {relation})" for relation in (one, other)
    )
    return con.execute(f"select {dates}").fetchall() == [(True,)]


def _differ(
    con: duckdb.DuckDBPyConnection, one: str, other: str, columns: Sequence[str]
) -> bool:
    """Whether two relations of equal length differ, read side by side."""
    differs = " or ".join(
        f"one.{quoted(name)} is distinct from other.{quoted(name)}" for name in columns
    )
    # All of it is fetched: what is left would hold the cursor in its transaction, which
    # does not see the next table.
    return bool(
        con.execute(
            f"select true from {one} as one positional join {other} as other"
            f" where {differs} limit 1"
        ).fetchall()
    )


def _link(source: Path, target: Path) -> None:
    """One file in two folders, or a copy of it where that cannot be.

    Links share their mode: where it is not what a release has today, there is none.

    Raises:
        OSError: neither could be made.
    """
    try:
        if modes.is_frozen(source):
            os.link(source, target)
            return
    except OSError:
        pass  # the file system has no links, or refuses this one
    shutil.copyfile(source, target)


def sha256_of(file: Path) -> str:
    """The SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
