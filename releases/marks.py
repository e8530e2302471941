"""The mark of a release that was retracted: a file in its folder, and nothing else.

What was published stays as it is; the mark is added to it. Where retention has removed
the tables, the folder with the mark alone goes on saying that the release was wrong.
"""

import datetime
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from project.folder import Project

MARK_FILE = "retracted.json"


class Mark(BaseModel):
    """What is known of a release that was retracted, and why it was."""

    model_config = ConfigDict(frozen=True)

    release_id: str
    as_of_date: datetime.date
    known_at: datetime.datetime | None  # of a look back
    published_at: datetime.datetime
    reason: str
    retracted_at: datetime.datetime


def is_marked(folder: Path) -> bool:
    """Whether the release of a folder was retracted."""
    return (folder / MARK_FILE).is_file()


def marks(project: Project) -> list[Mark]:
    """All retracted releases, the one retracted last at the end."""
    files = project.releases.glob(f"[!.]*/{MARK_FILE}")
    found = [Mark.model_validate_json(file.read_bytes()) for file in files]
    return sorted(found, key=lambda mark: (mark.retracted_at, mark.release_id))


def put(project: Project, mark: Mark) -> None:
    """Mark a release, in one rename; where its folder is gone, one for the mark."""
    folder = project.releases / mark.release_id
    folder.mkdir(exist_ok=True)
    with _writable(folder):
        written = folder / f".{MARK_FILE}"
        written.write_text(mark.model_dump_json(indent=2) + "\n", encoding="utf-8")
        written.replace(folder / MARK_FILE)


def keep_mark_only(project: Project, mark: Mark) -> None:
    """Remove what a retracted release held, and keep its mark."""
    folder = project.releases / mark.release_id
    with _writable(folder):
        for path in list(folder.iterdir()):
            if path.name == MARK_FILE:
                continue
            if path.is_dir():
                for inside in (path, *path.rglob("*/")):
                    # What is removed from a read-only folder needs the right to it.
                    inside.chmod(inside.stat().st_mode | stat.S_IRWXU)
                shutil.rmtree(path)
            else:
                path.unlink()


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """Let a file be added to the folder of a release, which is read-only."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    folder.chmod(mode | stat.S_IWUSR)
    try:
        yield
    finally:
        folder.chmod(mode)
