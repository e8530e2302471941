"""Object storage (S3 and what speaks like it), and its errors in words.

Keys and endpoint come from the environment and are shown nowhere. What the server or
the library says of an error is not passed on: it quotes addresses and requests. What is
told is the kind of error, and the way out.

Importing this module imports obstore, the extra `fenji[object-storage]`.
"""

import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError
from obstore.store import S3Store

from project.errors import RunError

if TYPE_CHECKING:
    from obstore.store import ClientConfig

_TRIES = 3
_CONNECT_TIME = datetime.timedelta(seconds=10)
# A connection on which nothing moves for so long is broken.
_SILENT_TIME = datetime.timedelta(seconds=60)
_RETRY_TIME = datetime.timedelta(seconds=60)
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
    ("AccessDenied", "the credentials lack a right: {rights}"),
    ("403 Forbidden", "the credentials are wrong or lack a right: {rights}"),
    ("401 Unauthorized", "the credentials are not accepted"),
    ("error sending request", "nothing answers there: AWS_ENDPOINT_URL, AWS_REGION"),
    ("builder error", "AWS_ENDPOINT_URL is no address"),
)


def store_of(bucket: str, prefix: str) -> S3Store:
    """A bucket, or a folder of it, by the credentials of the environment."""
    return S3Store(
        bucket,
        prefix=prefix or None,
        client_options=_client(),
        retry_config={"max_retries": _TRIES, "retry_timeout": _RETRY_TIME},
    )


@contextmanager
def in_words(setting: str, rights: str) -> Iterator[None]:
    """Say what went wrong without what the server or the library says of it.

    Args:
        setting: what it is about.
        rights: those that the credentials need.

    Raises:
        RunError: the server cannot be reached, or refuses.
    """
    try:
        yield
    except (BaseError, OSError, ValueError) as err:
        raise RunError(f"{setting}: {_meaning(err).format(rights=rights)}") from None


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
