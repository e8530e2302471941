"""Archives in landing folders: each member is a landing file, as if it lay in a folder.

`orders.zip` with a member `2026/may.csv` stands for a file `orders.zip/2026/may.csv`.
Such a path is written like any other, so here is asked what it stands for: where the
member lies, how large it is, what its bytes are. Nothing is unpacked but in a stream,
and no name of a member ever becomes the name of a file that is written.

It is asked before anything heavy is imported, and imports what reads archives late.
"""

import errno
import hashlib
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, BinaryIO, cast

from project.quantities import number_of
from project.settings import Limits

# By the ends of their names.
_ZIP = (".zip",)
_TAR = (".tar", ".tar.gz", ".tgz")

_CHUNK = 1 << 20
_UTF8_NAME = 0x800  # of a member's flags


@dataclass(frozen=True)
class Member:
    """A file within an archive."""

    name: str  # with forward slashes
    size: int  # bytes, unpacked
    n_packed: int  # bytes; of a .tar those of the whole archive
    number: int  # in the archive, from 0 on
    digest: str | None  # of its bytes; a .zip does not tell it


class BrokenArchive(Exception):  # noqa: N818 - the file is refused, it is no error
    """The archive cannot be read; the message says why."""


class LargeArchive(BrokenArchive):
    """It asks for more than the settings allow; another limit may take it."""


def is_archive(name: str) -> bool:
    """Whether a file of this name is an archive."""
    return name.lower().endswith((*_ZIP, *_TAR))


def _is_zip(archive: Path) -> bool:
    return archive.name.lower().endswith(_ZIP)


def inside(path: Path) -> tuple[Path, str] | None:
    """The archive that a path leads into, and the member; None where it does not."""
    for parent in path.parents:
        if is_archive(parent.name) and parent.is_file():
            return parent, path.relative_to(parent).as_posix()
    return None


def members(archive: Path, limits: Limits | None = None) -> tuple[Member, ...]:
    """The files within an archive, in its order.

    A .tar.gz tells what it unfolds to only while it is read, so whoever asks first
    says how far that may go.

    Args:
        archive: its place.
        limits: how much it may hold and become; None: those by which it was listed.

    Raises:
        LargeArchive: it passes a limit.
        BrokenArchive: it is none, is damaged, or its names lead astray.
    """
    stat = archive.stat()
    listing = _listing(archive, stat.st_size, stat.st_mtime_ns)
    if listing.found is None or (
        isinstance(listing.found, LargeArchive) and limits not in {None, listing.limits}
    ):
        listing.limits = limits or Limits()
        listing.found = _listed(archive, stat.st_size, listing.limits)
    if isinstance(listing.found, BrokenArchive):
        raise type(listing.found)(*listing.found.args)
    return listing.found


@dataclass
class _Listing:
    """The members of an archive, or what is wrong with it; None until it is read."""

    found: tuple[Member, ...] | BrokenArchive | None = None
    limits: Limits | None = None  # by which it was listed


@lru_cache(maxsize=256)
def _listing(_archive: Path, _size: int, _mtime_ns: int) -> _Listing:
    """What is known of an archive, once while the file stays the same."""
    return _Listing()


def _listed(
    archive: Path, n_packed: int, limits: Limits
) -> tuple[Member, ...] | BrokenArchive:
    """The members, or what is wrong."""
    most = limits.most_expanded(n_packed)
    found: list[Member] = []
    try:
        with _in_words():
            listed = (
                _zip_members(archive)
                if _is_zip(archive)
                else _tar_members(archive, most)
            )
            for member in listed:
                found.append(member)
                if len(found) > limits.members:
                    few = number_of(limits.members, "file")
                    return LargeArchive(
                        f"holds more than {few} (limits.members in fenji.yaml)"
                    )
    except _UnfoldsError:
        name = "expanded_size" if most == limits.expanded_bytes else "expansion_ratio"
        return LargeArchive(
            f"becomes more than {most:,} bytes when it is unpacked (limits.{name} in"
            " fenji.yaml)"
        )
    except (OSError, UnicodeError):
        return BrokenArchive("is no archive that can be read to its end")
    names = [member.name for member in found]
    if len(set(names)) < len(names):
        return BrokenArchive("holds two members of one name")
    if any(part in {"", ".", ".."} for name in names for part in name.split("/")):
        return BrokenArchive("holds a member whose name leads out of it")
    return tuple(found)


def stat(path: Path) -> tuple[int, int]:
    """Size in bytes and time of change, in nanoseconds since 1970, of a landing file.

    Of a member: its own size, and the time of its archive.

    Raises:
        FileNotFoundError: there is no such file, or member any more.
    """
    if (place := _place(path)) is None:
        found = path.stat()
        return found.st_size, found.st_mtime_ns
    archive, member = place
    return member.size, archive.stat().st_mtime_ns


def digest(path: Path) -> str:
    """The digest of a landing file's bytes.

    Raises:
        OSError: it may not be read, or is broken.
    """
    place = _place(path)
    if place is not None and place[1].digest is not None:
        return place[1].digest
    with opened(path) as stream:
        whole = hashlib.sha256()
        while chunk := stream.read(_CHUNK):
            whole.update(chunk)
        return whole.hexdigest()


def member_of(path: Path) -> Member | None:
    """The member that a path stands for; None where it is no path into an archive.

    Raises:
        FileNotFoundError: there is no such member any more.
    """
    place = _place(path)
    return None if place is None else place[1]


def _place(path: Path) -> tuple[Path, Member] | None:
    if path.is_file() or (place := inside(path)) is None:
        return None
    archive, name = place
    try:
        for member in members(archive):
            if member.name == name:
                return archive, member
    except BrokenArchive:
        pass
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a landing file.

    Raises:
        OSError: it cannot be opened; also while it is read, where it is broken.
    """
    place = _place(path)
    if place is None:
        with path.open("rb") as plain:
            yield plain
        return
    archive, member = place
    with _in_words():
        for _, stream in _streams(archive, [member]):
            yield stream


def extract(
    path: Path, beside: Sequence[Path], target: Callable[[Path], Path]
) -> dict[Path, Path]:
    """Write a member to a file of its own.

    A .tar can only be read from its start: others of it that are needed, too, are
    written in the same pass.

    Args:
        path: the path that stands for the member.
        beside: those of others that will be needed.
        target: the file to write for each.

    Returns:
        Where each was written to.

    Raises:
        OSError: the archive is broken there, or the disk is full.
    """
    inner = inside(path)
    is_zip = inner is not None and _is_zip(inner[0])
    paths = [path] if is_zip else [*dict.fromkeys((path, *beside))]
    places = {each: place for each in paths if (place := _place(each)) is not None}
    archive = places[path][0]
    paths_of = {
        member: each for each, (own, member) in places.items() if own == archive
    }
    done: dict[Path, Path] = {}
    with _in_words():
        for member, stream in _streams(archive, [*paths_of]):
            copy = target(paths_of[member])
            with copy.open("wb") as out:
                while chunk := stream.read(_CHUNK):
                    out.write(chunk)
            done[paths_of[member]] = copy
    return done


@contextmanager
def _in_words() -> Iterator[None]:
    """Whatever the libraries raise about a broken archive, as an error of the system.

    Raises:
        OSError: in place of theirs.
    """
    try:
        yield
    except NotImplementedError:
        raise OSError(errno.EIO, "it is packed in an unusual way") from None
    except RuntimeError:
        raise OSError(errno.EIO, "it is encrypted") from None
    except _faults() as err:
        # Whoever reads the stream may raise what is not about it.
        if isinstance(err, OSError | UnicodeError):
            raise
        raise OSError(errno.EIO, "the archive is damaged") from None


def _streams(
    archive: Path, chosen: Sequence[Member]
) -> Iterator[tuple[Member, BinaryIO]]:
    """The bytes of members, one after the other, in the order of the archive."""
    by_number = {member.number: member for member in chosen}
    streams = _zip_streams if _is_zip(archive) else _tar_streams
    for number, stream in streams(archive, frozenset(by_number)):
        yield by_number[number], cast("BinaryIO", stream)


def _zip_members(archive: Path) -> Iterator[Member]:
    import zipfile  # noqa: PLC0415 - only where there is one

    with zipfile.ZipFile(archive) as opened_zip:
        for number, info in enumerate(opened_zip.infolist()):
            if not info.is_dir():
                name = _cleaned(_zip_name(info.filename, info.flag_bits))
                yield Member(name, info.file_size, info.compress_size, number, None)


def _zip_name(name: str, flags: int) -> str:
    """The name of a member: without a flag, old programs wrote their own encoding."""
    if flags & _UTF8_NAME or name.isascii():
        return name
    written = name.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return written.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name


def _zip_streams(
    archive: Path, wanted: frozenset[int]
) -> Iterator[tuple[int, IO[bytes]]]:
    import zipfile  # noqa: PLC0415

    with zipfile.ZipFile(archive) as opened_zip:
        for number, info in enumerate(opened_zip.infolist()):
            if number not in wanted:
                continue
            try:
                stream = opened_zip.open(info)
            except UnicodeError:
                # Not to be taken for a fault of the text that is read from it.
                raise OSError(errno.EIO, "the archive is damaged") from None
            with stream:
                yield number, stream


class _UnfoldsError(Exception):
    """An archive becomes larger than it may."""


def _tar_members(archive: Path, most: int) -> Iterator[Member]:
    """The members of a .tar, as far as its first bytes, of which there may be most.

    Raises:
        _UnfoldsError: there are more.
    """
    n_packed = archive.stat().st_size
    import tarfile  # noqa: PLC0415

    with tarfile.open(archive, "r|*") as opened_tar:
        for number, info in enumerate(opened_tar):
            # Before they are read, and before they are passed over.
            if info.offset_data + info.size > most:
                raise _UnfoldsError
            stream = opened_tar.extractfile(info) if info.isreg() else None
            if stream is None:
                continue
            # To find the next one, its bytes are read in any case.
            whole = hashlib.sha256()
            while chunk := stream.read(_CHUNK):
                whole.update(chunk)
            name = _cleaned(info.name)
            yield Member(name, info.size, n_packed, number, whole.hexdigest())


def _tar_streams(
    archive: Path, wanted: frozenset[int]
) -> Iterator[tuple[int, IO[bytes]]]:
    import tarfile  # noqa: PLC0415

    with tarfile.open(archive, "r|*") as opened_tar:
        for number, info in enumerate(opened_tar):
            if number in wanted:
                stream = opened_tar.extractfile(info)
                if stream is not None:
                    yield number, stream


def _cleaned(name: str) -> str:
    """The name with forward slashes, from the archive on."""
    name = name.replace("\\", "/").lstrip("/")
    while name.startswith("./"):
        name = name[2:]
    return name.encode("utf-8", "backslashreplace").decode()


def _faults() -> tuple[type[BaseException], ...]:
    """What may go wrong while an archive is read.

    Of an archive that is cut within a head, the libraries take a part that is missing
    for one that is there, and stumble over its type.
    """
    import lzma  # noqa: PLC0415
    import tarfile  # noqa: PLC0415
    import zipfile  # noqa: PLC0415

    return (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        IndexError,
        struct.error,
        zlib.error,
        lzma.LZMAError,
        tarfile.TarError,
        zipfile.BadZipFile,
    )
