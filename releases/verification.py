"""Proving a release by its manifest: whether it is what was published.

Every file by its SHA-256, every stored table by its digest line, all of them together
by the content digest. Nothing is mended here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from releases.digest import content_digest, table_digest
from releases.manifest import MANIFEST_FILE, Manifest
from releases.table_files import sha256_of
from sql import machine_faults
from sql.selects import quoted

_DATABASE = "fenji.duckdb"
# The manifest itself, and what may be added to a release: that it was retracted.
_UNPROVEN = (MANIFEST_FILE, "retracted.json")


@dataclass(frozen=True)
class Finding:
    """A part of a release that is not what was published."""

    part: str  # a file below the release's folder, or a table
    problem: str


def file_digests(
    folder: Path, known: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Each file of a release by its path below the folder, but its manifest.

    Args:
        folder: of the release.
        known: files that need not be read again, with their digests.
    """
    files = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return {
        name: (known or {}).get(name) or sha256_of(path)
        for name, path in files.items()
        if name not in _UNPROVEN
    }


def findings(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    """What differs from the manifest: files first, then tables.

    Args:
        folder: of the release.
        manifest: what was published, with digests of files and tables.
    """
    if manifest.release_id != folder.name:
        yield Finding(MANIFEST_FILE, f"is that of {manifest.release_id}")
    yield from _files(folder, manifest)
    database = folder / _DATABASE
    why = machine_faults.why_unopened(database)
    if why is not None:
        if why != "is missing":  # which was said of the file
            yield Finding(_DATABASE, f"{why}; it should be a DuckDB database")
        return
    try:
        with duckdb.connect(str(database), read_only=True) as con:
            yield from _tables(con, manifest)
    except duckdb.Error as err:
        yield Finding(_DATABASE, machine_faults.why_refused(err))


def _files(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    found = file_digests(folder)
    for name, digest in manifest.files.items():
        if name not in found:
            yield Finding(name, "is missing")
        elif found[name] != digest:
            yield Finding(name, "is not what was published: its SHA-256 differs")
    for name in found.keys() - manifest.files.keys():
        yield Finding(name, "was not published with the release")


def _tables(con: duckdb.DuckDBPyConnection, manifest: Manifest) -> Iterator[Finding]:
    stored = dict(
        con.execute(
            "select table_name, schema_name from duckdb_tables()"
            " where database_name = current_database()"
        ).fetchall()
    )
    lines = {}
    for name, proof in manifest.table_digests.items():
        if name not in stored:
            yield Finding(name, "is missing from the database")
            continue
        line = table_digest(con, quoted(stored[name], name), proof.without)
        if line != proof.line:
            yield Finding(name, _difference(line, proof.line))
        if proof.is_fact:
            lines[name] = line
    for name in stored.keys() - manifest.table_digests.keys():
        yield Finding(name, "is a table that was not published with the release")
    if content_digest(lines) != manifest.content_digest:
        yield Finding(MANIFEST_FILE, "its content digest is not that of the tables")


def _difference(found: str, published: str) -> str:
    n_found, n_published = (int(line.partition("\t")[0]) for line in (found, published))
    if n_found == n_published:
        return "holds other rows than were published"
    return f"holds {n_found:,} rows, {n_published:,} were published"
