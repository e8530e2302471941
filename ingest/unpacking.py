"""The bytes of packed files: read in a stream, and looked at whole before all else.

A packed file carries a checksum of all that it holds. Where that does not fit, nobody
can say which of its bytes are wrong, so the file is refused whole, and nothing reads it
before. A few bytes may also unfold to more than any disk holds: a bomb is refused as
soon as it passes the limits of the settings.
"""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import zstandard

from ingest import archives
from project.settings import Limits

# What may go wrong while a file is read or unpacked.
FAULTS = (OSError, EOFError, zlib.error, zstandard.ZstdError)

_CHUNK = 1 << 20
_GZIP = 31  # zlib's word for: with the head and the checksum of a .gz
# One block of zstd unfolds to 128 kB and takes 4 bytes at least: 64 MB a step at most.
_ZSTD_STEP = 2048


class Unreadable(Exception):  # noqa: N818 - the file is refused, it is no error
    """The file cannot be read as what it claims to be; the message says why."""


class OverLimit(Unreadable):
    """The file asks for more than the settings allow; another limit may take it."""


@contextmanager
def opened(path: Path, compression: str | None) -> Iterator[BinaryIO]:
    """The bytes of the file, unpacked."""
    with archives.opened(path) as packed:
        if compression == "gz":
            with gzip.open(packed) as plain:
                yield plain  # type: ignore[misc]  # GzipFile reads like a BinaryIO
        elif compression == "zst":
            # Several frames in one file are one stream, as for the zstd tool.
            reader = zstandard.ZstdDecompressor().stream_reader(
                packed, read_across_frames=True
            )
            with reader as plain:
                yield plain
        else:
            yield packed


def system_words(err: Exception) -> str:
    """What the system says of a file, or that it is packed wrongly; no byte of it."""
    said = err.strerror if isinstance(err, OSError) else None
    return said or "it is no whole packed file of its kind"


def check_packed(path: Path, compression: str, limits: Limits) -> int:
    """Unpack the file once, to its end, keeping nothing; how many bytes it becomes.

    Raises:
        OverLimit: it becomes too large.
        Unreadable: it is damaged or cut off, or is no such file.
    """
    steps = _gzip_steps if compression == "gz" else _zstd_steps
    size = 0
    try:
        n_packed = path.stat().st_size
        for step in steps(path):
            size += step
            check_expansion(size, n_packed, limits)
    except FAULTS as err:
        raise Unreadable(f"cannot be read to its end: {system_words(err)}") from None
    return size


def check_expansion(size: int, n_packed: int, limits: Limits) -> None:
    """Refuse what unfolds to more than the settings allow.

    Args:
        size: the bytes that the file becomes.
        n_packed: its own bytes.
        limits: the project's.

    Raises:
        OverLimit: it passes a limit, which the message names.
    """
    if size > limits.expanded_bytes:
        raise OverLimit(
            f"becomes more than {limits.expanded_size} when it is unpacked"
            " (limits.expanded_size in fenji.yaml)"
        )
    if size > limits.most_expanded(n_packed):
        raise OverLimit(
            f"becomes more than {limits.expansion_ratio} times as large when it is"
            " unpacked (limits.expansion_ratio in fenji.yaml)"
        )


def _gzip_steps(path: Path) -> Iterator[int]:
    # Not by the gzip module, which takes twice as long.
    unpacker = None
    is_first = True
    with path.open("rb") as stream:
        while rest := stream.read(_CHUNK):
            while rest:
                if unpacker is None:
                    # Tapes and some programs fill the end up with zeros.
                    rest = rest if is_first else rest.lstrip(b"\0")
                    if not rest:
                        break
                    unpacker = zlib.decompressobj(_GZIP)
                    is_first = False
                yield len(unpacker.decompress(rest, _CHUNK))
                is_done = unpacker.eof
                rest = unpacker.unused_data if is_done else unpacker.unconsumed_tail
                unpacker = None if is_done else unpacker
    if unpacker is not None:
        raise EOFError


def _zstd_steps(path: Path) -> Iterator[int]:
    # The library's stream takes a file that is cut off for one that ends.
    unpacker = zstandard.ZstdDecompressor()
    frame = None
    with path.open("rb") as stream:
        while rest := stream.read(_ZSTD_STEP):
            while rest:
                frame = frame or unpacker.decompressobj()
                yield len(frame.decompress(rest))
                rest = frame.unused_data if frame.eof else b""
                frame = None if frame.eof else frame
    if frame is not None:
        raise EOFError
