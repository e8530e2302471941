"""The manifest of a release: what is in it, from what, checked how.

It is a JSON file in the folder of the release, written last and never changed. Listing
and finding releases, and telling whether a run is needed, read nothing else.
"""

import datetime
import functools
import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from project.errors import RunError

MANIFEST_FILE = "manifest.json"

# Raised when a fixed table or column is dropped, renamed, retyped or changes its grain.
CONTRACT_VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class InputFile(_Part):
    """A landing file as it was read, and what became of its rows."""

    feed: str
    file: str
    digest: str
    status: str
    n_read: int | None
    n_loaded: int | None
    n_duplicate: int | None
    n_rejected: int | None
    n_skipped: int | None = None  # of releases before there was such a thing
    loaded_at: datetime.datetime | None = None  # since when its rows are known


class TableDigest(_Part):
    """What a stored table held when it was published, in whatever order."""

    line: str  # rows, and two sums of hashes, as `releases.digest` makes it
    without: tuple[str, ...] = ()  # columns that it leaves out
    is_fact: bool = True  # the content digest covers it


class CheckOutcome(_Part):
    """A check of the release."""

    table_name: str
    check_name: str
    severity: str
    passed: bool
    n_failed: int | None


class Manifest(_Part):
    """All that a reader needs to know of a release before opening it."""

    release_id: str
    as_of_date: datetime.date
    contract_version: int
    content_digest: str
    settings_digest: str  # of the resolved settings and schemes
    inputs: tuple[InputFile, ...]
    schemes: dict[str, str]  # scheme → version
    # Scheme → version → digest of what it said: of these and of all published before.
    scheme_digests: dict[str, dict[str, str]] = {}
    tables: dict[str, int]  # stored table → rows
    checks: tuple[CheckOutcome, ...]
    fenji_version: str
    # Outside the content digest: what the run was decided by, and the clock.
    run_key: str
    previous_release_id: str | None
    published_at: datetime.datetime
    # Where only what was known at an earlier time counts: that time, and the files that
    # were known then and whose rows are gone.
    known_at: datetime.datetime | None = None
    missing_inputs: tuple[str, ...] = ()
    # What proves that the release is what was published: `fenji verify`.
    table_digests: dict[str, TableDigest] = {}  # by stored table
    digest_definition: int = 1  # by which they were made: `releases.digest`
    files: dict[str, str] = {}  # path below the folder → SHA-256, but of the manifest

    def write(self, folder: Path) -> None:
        """Write the manifest into the folder of its release."""
        text = json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False)
        (folder / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")


class NoManifestError(RunError):
    """A release has no manifest: it is damaged, or was removed just now."""


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the release in the folder.

    Raises:
        NoManifestError: there is none.
        RunError: it is not what Fenji wrote.
    """
    file = folder / MANIFEST_FILE
    try:
        found = file.stat()
        which = (found.st_ino, found.st_mtime_ns, found.st_size)
        return _read(file.resolve(), *which)
    except (FileNotFoundError, NotADirectoryError):
        raise NoManifestError(f"{file}: is missing; {_way_out(folder)}") from None
    except (ValidationError, IsADirectoryError):
        raise RunError(
            f"{file}: is damaged: not all of it is what was written; {_way_out(folder)}"
        ) from None


@functools.lru_cache(maxsize=4096)
def _read(file: Path, *_which: int) -> Manifest:
    """A file is parsed once while it is the same: a run asks for all several times."""
    return Manifest.model_validate_json(file.read_bytes())


def _way_out(folder: Path) -> str:
    return (
        f"put it back from a backup, or move the folder {folder} elsewhere: later runs"
        " then go on from the releases that are left"
    )
