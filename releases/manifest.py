"""The manifest of a release: what is in it, from what, checked how."""

import datetime
import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict

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

    def write(self, folder: Path) -> None:
        """Write the manifest into the folder of its release."""
        text = json.dumps(self.model_dump(mode="json"), indent=2, ensure_ascii=False)
        (folder / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the release in the folder."""
    return Manifest.model_validate_json((folder / MANIFEST_FILE).read_bytes())
