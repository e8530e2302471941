"""Which release readers are pointed at: the links `data/current` and `data/latest`.

`latest` is the release of the greatest as-of date, and of one date the one published
last. `current` is the same one, unless a person points it elsewhere: that holds until
the latest release is another one. Looks back are neither, unless a person says so.
"""

from collections.abc import Iterable
from pathlib import Path

from project.folder import Project
from releases import store
from releases.manifest import Manifest


def latest(project: Project) -> Manifest | None:
    """The release of the greatest as-of date; None before the first."""
    return _latest_of(store.statements(project))


def latest_before(project: Project, release: Manifest) -> Manifest | None:
    """The release of the greatest as-of date before that of another one.

    Looks back do not count; before a look back, what was published by then. None: there
    is no such release.
    """
    stated = store.statements(project, release.known_at)
    return _latest_of(made for made in stated if made.as_of_date < release.as_of_date)


def _latest_of(made: Iterable[Manifest]) -> Manifest | None:
    """The release of the greatest as-of date, of one date the one published last."""
    return max(
        made,
        key=lambda release: (
            release.as_of_date,
            release.published_at,
            release.release_id,
        ),
        default=None,
    )


def settle(project: Project) -> None:
    """Point both links where they belong; the lock is held.

    Called whenever a run ends well and whenever a person decides: what a killed run
    left half done is mended by the next one.
    """
    newest = latest(project)
    held = _held(project, newest)
    if held is None:
        project.rolled_back.unlink(missing_ok=True)
    if newest is not None:
        _point(project, project.latest, newest.release_id)
    elif project.latest.is_symlink():
        project.latest.unlink()
    to = held or (newest.release_id if newest else None)
    if to is not None:
        _point(project, project.current, to)
    elif project.current.is_symlink():
        project.current.unlink()


def point_at(project: Project, release_id: str) -> Manifest:
    """Point `current` at a release, and keep it there until the latest is another.

    Raises:
        ConfigurationError: there is no such release.
    """
    manifest = store.release(project, release_id)
    newest = latest(project)
    newest_id = newest.release_id if newest else ""
    if release_id == newest_id:
        project.rolled_back.unlink(missing_ok=True)
    else:
        held = f"{release_id}\n{newest_id}\n"
        project.rolled_back.write_text(held, encoding="utf-8")
    settle(project)
    return manifest


def is_held(project: Project) -> bool:
    """Whether `current` stays where a person pointed it, in place of the latest."""
    return _held(project, latest(project)) is not None


def _held(project: Project, newest: Manifest | None) -> str | None:
    """The release that a person pointed `current` at, for as long as that holds."""
    try:
        written = project.rolled_back.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    release_id, *rest = [*written, ""]
    newest_then = rest[0] if rest else ""
    newest_id = newest.release_id if newest else ""
    # An earlier version of Fenji wrote the release alone.
    if newest_then and newest_then != newest_id:
        return None
    listed = {made.release_id for made in store.releases(project)}
    return release_id if release_id in listed else None


def _point(project: Project, link: Path, release_id: str) -> None:
    """Move a link to a release in one rename, so that no reader sees neither.

    Raises:
        RunError: a file or a folder is where the link is to be.
    """
    target = Path("releases") / release_id
    store.refuse_what_is_no_link(link)
    if link.is_symlink() and link.readlink() == target:
        return
    moved = project.data / f".{link.name}-{release_id}"
    moved.unlink(missing_ok=True)
    moved.symlink_to(target, target_is_directory=True)
    moved.replace(link)
    store.sync(project.data)
