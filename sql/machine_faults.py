"""Faults of the machine and of files, in words: what is wrong, and what to do about it.

DuckDB, SQLite and the operating system each report a full disk or a torn file in their
own way, and name the file or not. What of it users may read is said here alone.
"""

import errno
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb

from project.errors import RunError
from sql.selects import quoted

_UNFINISHED = "what was not finished is not published"
_FULL = f"the disk is full; {_UNFINISHED}; make room there, then run again"
_TOO_LARGE = (
    f"may not grow: the system limits the size of files (ulimit -f); {_UNFINISHED};"
    " raise the limit, then run again"
)
_READ_ONLY = (
    "lies on a file system that is read-only; make it writable, or name a project"
    " folder elsewhere with --project"
)
_FORBIDDEN = (
    "the user that runs Fenji may not open or change it; give the user the right to"
)
_DISK_ERROR = (
    f"the disk reports an error; {_UNFINISHED}; see the system's log, then put the file"
    " back from a backup"
)
_NO_SPACE_TO_SORT = (
    f"needs more memory than it may use, and found no room for temporary data;"
    f" {_UNFINISHED}; make room, or raise resources.memory_limit in fenji.yaml"
)
_TOO_LITTLE_MEMORY = (
    f"needs more memory than it may use; {_UNFINISHED}; raise resources.memory_limit in"
    " fenji.yaml"
)
_IN_USE = "another program holds it open; close that program, then run again"

_LOG_DAMAGED = (
    "the log of runs is damaged; remove this folder, and the next run makes it anew: no"
    " release depends on it"
)

_BY_NUMBER = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _TOO_LARGE,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EIO: _DISK_ERROR,
}
# What DuckDB and SQLite say, in the order in which they are looked for.
_BY_WORDS = (
    ("no space left on device|disk quota exceeded|disk is full", _FULL),
    ("file too large", _TOO_LARGE),
    ("read-only file system|readonly database", _READ_ONLY),
    ("permission denied|operation not permitted", _FORBIDDEN),
    ("could not set lock|conflicting lock|database is locked", _IN_USE),
    ("input/output error|disk i/o error", _DISK_ERROR),
    ("failed to offload|max_temp_directory_size", _NO_SPACE_TO_SORT),
    ("out of memory|could not allocate", _TOO_LITTLE_MEMORY),
)
_NAMED = re.compile(r'"([^"\\]*/[^"\\]*)\\?"')
_DAMAGED = re.compile(
    "not a valid duckdb database|could not read enough bytes|corrupt|checksum"
    "|failed to deserialize|replaying wal|attempted to read .* from location",
    re.IGNORECASE,
)
_NEWER = re.compile(r"version number|storage version|newer version", re.IGNORECASE)
_MAGIC, _MAGIC_AT = b"DUCK", 8


def in_words(err: BaseException, place: Path) -> RunError | None:
    """What the machine could not do, behind an error; None: the fault lies elsewhere.

    Args:
        err: what was raised; what caused it is looked at as well.
        place: what is named where the error names no file.
    """
    for cause in _causes(err):
        if isinstance(cause, OSError) and cause.errno in _BY_NUMBER:
            where = cause.filename or place
            return RunError(f"{_shown(where)}: {_BY_NUMBER[cause.errno]}")
        if isinstance(cause, OSError) and cause.filename and cause.strerror:
            return RunError(f"{_shown(cause.filename)}: {cause.strerror.lower()}")
        if isinstance(cause, sqlite3.Error):
            # Nothing but Dagster's storage is kept in SQLite.
            place = place / "dagster"
            if re.search("not a database|malformed", str(cause)):
                return RunError(f"{place}: {_LOG_DAMAGED}")
        elif not isinstance(cause, duckdb.Error):
            continue
        said = str(cause)
        for words, meaning in _BY_WORDS:
            if re.search(words, said, re.IGNORECASE):
                named = _NAMED.search(said)
                return RunError(f"{named[1] if named else place}: {meaning}")
    return None


def is_damage(err: BaseException) -> bool:
    """Whether DuckDB found a file to be other than it wrote it."""
    return any(
        isinstance(cause, duckdb.Error) and _DAMAGED.search(str(cause))
        for cause in _causes(err)
    )


def why_unreadable(path: Path) -> str | None:
    """Why a DuckDB file cannot be read whole; None: it can.

    Every row of every table is read, since blocks are proved when they are read.
    """
    said = why_unopened(path)
    if said is not None:
        return said
    try:
        with duckdb.connect(str(path), read_only=True) as con:
            tables = con.execute(
                "select schema_name, table_name from duckdb_tables()"
                " where database_name = current_database()"
            ).fetchall()
            for schema, table in tables:
                con.execute(
                    f"select max(hash(t)) from {quoted(schema, table)} as t"
                ).fetchall()
    except duckdb.Error as err:
        return why_refused(err)
    return None


def why_unopened(path: Path) -> str | None:
    """Why a file is no DuckDB database, by its first bytes; None: it is one.

    DuckDB itself would ask the network for a reader of whatever else it might be.
    """
    if path.is_dir():
        return "is a folder"
    try:
        with path.open("rb") as stream:
            head = stream.read(_MAGIC_AT + len(_MAGIC))
    except FileNotFoundError:
        return "is missing"
    if not head:
        return "is empty"
    return None if head[_MAGIC_AT:] == _MAGIC else "holds something else"


def why_refused(err: duckdb.Error) -> str:
    """Why DuckDB would not read a file, in words."""
    said = str(err)
    if _NEWER.search(said) and not _DAMAGED.search(said):
        return "was written by a newer version of DuckDB"
    if "enough bytes" in said:
        return "is damaged: a part of it is missing"
    return "is damaged: not all of it is what was written"


def _causes(err: BaseException) -> Iterator[BaseException]:
    """The error, what SQLAlchemy wraps, what caused it, what it came on top of."""
    # An error may be its own context again, further down.
    seen: set[int] = set()
    waiting: list[BaseException | None] = [err]
    while waiting:
        cause = waiting.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = getattr(cause, "orig", None)
        waiting.append(inner if isinstance(inner, BaseException) else None)
        waiting += [cause.__cause__, cause.__context__]


def _shown(where: str | bytes | Path | int) -> str:
    return where.decode(errors="replace") if isinstance(where, bytes) else str(where)
