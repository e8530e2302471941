"""Files in object storage, copied into the landing folders as they are.

An object is copied where its ETag or size is not that of the last copy, or the copy is
gone. What was copied is noted in a hidden file beside the copies: without it all are
copied again, which changes no figure. An object that is gone leaves its copy, as a
landing file that counts until somebody removes it.

Importing this module imports obstore.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import obstore
from obstore.store import S3Store

from ingest.landing import pattern
from project.errors import RunError
from project.object_storage import in_words, store_of
from project.origins import PulledObjects
from project.places import Place

_NOTES = ".objects.json"  # path: ETag and size
_RIGHTS = "s3:ListBucket, GetObject"
_PIECE = 8 * 1024 * 1024  # bytes that are in memory


@dataclass(frozen=True)
class _Object:
    """An object that is there."""

    key: str  # below the prefix
    etag: str | None
    size: int

    @property
    def note(self) -> list[object]:
        """What tells it from other contents."""
        return [self.etag, self.size]


def copy(
    pulled: PulledObjects, folder: Path, scratch: Path, place: Place
) -> tuple[int, list[Path]]:
    """Copy what is new; how many objects there are, and the files that are new.

    Args:
        pulled: the bucket and the pattern.
        folder: below which the files land.
        scratch: an empty folder on the same disk.
        place: of the pattern in the settings, for errors.

    Raises:
        RunError: the bucket cannot be reached or refuses, or an object has a name that
            no file can have.
    """
    with in_words(str(place), _RIGHTS):
        store = store_of(pulled.bucket, pulled.prefix)
        found = _found(store, pulled, place)
    notes = _notes(folder / _NOTES)
    copied = []
    for known in found:
        target = folder / known.key
        if notes.get(known.key) == known.note and _size(target) == known.size:
            continue
        with in_words(str(place), _RIGHTS):
            came = _fetch(store, known, scratch / "object")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            (scratch / "object").replace(target)
        except OSError as err:
            raise RunError(f"{target}: cannot be written: {err.strerror}") from None
        notes[known.key] = came.note
        _write(folder / _NOTES, notes, scratch)
        copied.append(target)
    return len(found), copied


def _found(store: S3Store, pulled: PulledObjects, place: Place) -> list[_Object]:
    """The objects of the pattern, in the order of their keys."""
    within = f"{pulled.prefix}/" if pulled.prefix else ""
    taken = pattern(pulled.pattern)
    found = []
    for several in obstore.list(store, chunk_size=1000):
        for meta in several:
            key = str(meta["path"])
            if not taken.fullmatch(within + key):
                continue
            parts = key.split("/")
            if {"", ".", ".."} & set(parts) or not key.isprintable():
                raise RunError(f"{place}: {key!r} is a key that no file can have")
            found.append(_Object(key, meta["e_tag"], meta["size"]))
    return sorted(found, key=lambda known: known.key.encode())


def _fetch(store: S3Store, known: _Object, target: Path) -> _Object:
    """Write an object into a file; what it was when it came."""
    result = obstore.get(store, known.key)
    with target.open("wb") as file:
        for piece in result.stream(min_chunk_size=_PIECE):
            file.write(piece)
    return _Object(known.key, result.meta["e_tag"], target.stat().st_size)


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except OSError:
        return None


def _notes(file: Path) -> dict[str, object]:
    """What was copied; nothing where that cannot be read."""
    try:
        notes = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return notes if isinstance(notes, dict) else {}


def _write(file: Path, notes: dict[str, object], scratch: Path) -> None:
    written = scratch / "notes"
    written.write_text(json.dumps(notes, ensure_ascii=False), encoding="utf-8")
    written.replace(file)
