"""The bucket that releases go to, and its errors in words.

Keys and endpoint come from the environment and are shown nowhere. What the server or
the library says of an error is not passed on: it quotes addresses and requests. What is
told is the kind of error, and the way out.
"""

import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from project.errors import RunError
from project.settings import ObjectStorageSettings

if TYPE_CHECKING:
    from obstore.store import ClientConfig

SETTING = "publish.object_storage"
# Files are sent in parts; so much of one file is in memory at once.
_PART_BYTES = 16 * 1024 * 1024
_PARTS_AT_ONCE = 4
_TRIES = 3
_DIGEST = "sha256"  # of the metadata of an object
_CONNECT_TIME = datetime.timedelta(seconds=10)
# A connection on which nothing moves for so long is broken.
_SILENT_TIME = datetime.timedelta(seconds=60)
_RETRY_TIME = datetime.timedelta(seconds=60)
_RIGHTS = "s3:ListBucket, GetObject, PutObject, DeleteObject"
# Of what servers and the library say of an error, and what it means.
_MEANINGS = (
    ("169.254.", "there are no credentials: set AWS_ACCESS_KEY_ID and the like"),
    ("NoSuchBucket", "there is no such bucket"),
    ("InvalidAccessKeyId", "AWS_ACCESS_KEY_ID is not known there"),
    ("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY is wrong"),
    ("ExpiredToken", "the credentials have expired"),
    ("InvalidToken", "AWS_SESSION_TOKEN is wrong"),
    ("AuthorizationHeaderMalformed", "the bucket is in another region: AWS_REGION"),
    ("PermanentRedirect", "the bucket is in another region: AWS_REGION"),
    ("RequestTimeTooSkewed", "the clock of this machine is wrong"),
    ("AccessDenied", f"the credentials lack a right: {_RIGHTS}"),
    ("403 Forbidden", f"the credentials are wrong or lack a right: {_RIGHTS}"),
    ("401 Unauthorized", "the credentials are not accepted"),
    ("error sending request", "nothing answers there: AWS_ENDPOINT_URL, AWS_REGION"),
    ("builder error", "AWS_ENDPOINT_URL is no address"),
)


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
            self._store = S3Store(
                settings.bucket,
                prefix=settings.prefix or None,
                client_options=_client(),
                retry_config={"max_retries": _TRIES, "retry_timeout": _RETRY_TIME},
            )

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
    """Say what went wrong without what the server or the library says of it."""
    try:
        yield
    except (BaseError, OSError, ValueError) as err:
        raise RunError(f"{SETTING}: {_meaning(err)}") from None


def _client() -> "ClientConfig":
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get(
        "AWS_ENDPOINT_URL", ""
    )
    return {
        # Who writes http:// means it: a server in the same house.
        "allow_http": endpoint.startswith("http://"),
        "connect_timeout": _CONNECT_TIME,
        "read_timeout": _SILENT_TIME,
        "timeout": datetime.timedelta(minutes=10),  # of one part
    }


def _meaning(err: Exception) -> str:
    said = str(err)
    for phrase, meaning in _MEANINGS:
        if phrase in said:
            return meaning
    return f"it was not done ({type(err).__name__}); see the log of the server"
