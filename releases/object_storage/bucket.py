"""The bucket that releases go to: what is there, and what is sent."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import obstore

from project.errors import RunError
from project.object_storage import in_words as told
from project.object_storage import store_of
from project.settings import ObjectStorageSettings

SETTING = "publish.object_storage"
# Files are sent in parts; so much of one file is in memory at once.
_PART_BYTES = 16 * 1024 * 1024
_PARTS_AT_ONCE = 4
_DIGEST = "sha256"  # of the metadata of an object
_RIGHTS = "s3:ListBucket, GetObject, PutObject, DeleteObject"


@dataclass(frozen=True)
class Found:
    """An object that is there."""

    path: str  # below the address of the setting
    size: int
    sent_at: datetime.datetime


class Bucket:
    """What is below the address of the setting.

    Raises:
        RunError: by whatever it does: the server cannot be reached, or refuses.
    """

    def __init__(self, settings: ObjectStorageSettings) -> None:
        with in_words():
            self._store = store_of(settings.bucket, settings.prefix)

    def found(self, folder: str) -> list[Found]:
        """All objects below a folder."""
        with in_words():
            return [
                Found(str(meta["path"]), meta["size"], meta["last_modified"])
                for several in obstore.list(self._store, folder, chunk_size=1000)
                for meta in several
            ]

    def digest(self, path: str) -> str | None:
        """The SHA-256 that an object was sent with."""
        with in_words():
            head = obstore.get(self._store, path, options={"head": True})
            return head.attributes.get(_DIGEST)

    def read(self, path: str) -> bytes | None:
        """What is in a small object; None: it is not there."""
        with in_words():
            try:
                return bytes(obstore.get(self._store, path).bytes())
            except FileNotFoundError as err:
                if "NoSuchBucket" in str(err):
                    raise
                return None

    def write(self, path: str, content: bytes) -> None:
        """Write a small object, in one request."""
        attributes = {"Content-Type": "application/json", "Cache-Control": "no-cache"}
        with in_words():
            obstore.put(self._store, path, content, attributes=attributes)

    def send(self, file: Path, path: str, digest: str) -> None:
        """Send a file, which is there as a whole or not at all."""
        try:
            opened = file.open("rb")
        except OSError as err:
            raise RunError(f"{file}: cannot be read: {err.strerror}") from None
        with opened, in_words():
            obstore.put(
                self._store,
                path,
                opened,
                attributes={_DIGEST: digest},
                chunk_size=_PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
            )

    def delete(self, paths: list[str]) -> None:
        """Delete objects; those that are gone already are no error."""
        with in_words():
            obstore.delete(self._store, paths)


@contextmanager
def in_words() -> Iterator[None]:
    """Say what went wrong with publishing, as `project.object_storage` does."""
    with told(SETTING, _RIGHTS):
        yield
