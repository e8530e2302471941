"""What several commands share: finding a release, words said by more than one.

What only one command prints stands with it; how it is printed, in `terminal`.
"""

from typing import TYPE_CHECKING, Any

from ingest.landing import shown_place
from pipelines.commands import terminal
from project.errors import ConfigurationError
from project.folder import Project
from project.places import Place
from project.quantities import number_of
from releases import pointing, store
from runs.dates import read_date

if TYPE_CHECKING:
    from pipelines.serving import Served
    from releases.manifest import Manifest
    from runs.run import Run


def say_waiting() -> None:
    """Tell that another process holds the warehouse."""
    terminal.console(err=True).print(
        "Another run holds the warehouse; waiting for it to end …"
    )


def say_refused(opened: "Run") -> None:
    """Name the files that could not be used, one line a feed and reason."""
    for load in opened.loads.values():
        alike: dict[str, list[str]] = {}
        for path, reason in load.refused:
            alike.setdefault(reason, []).append(path)
        for reason, paths in alike.items():
            line = (
                f"{shown_place(opened.project, load.feed, paths[0])}: refused: {reason}"
            )
            if len(paths) > 1:
                line += f" (and {number_of(len(paths) - 1, 'file')} like it)"
            terminal.say_error(line)


def show_served(served: "list[Served]") -> None:
    """Print what readers elsewhere see; a failure was told already."""
    for place in served:
        if place.error is None:
            terminal.console().print(place.line, soft_wrap=True)


def release_of(project: Project, as_of: str | None) -> "Manifest":
    """The current release, or the last one published for a date.

    Of what had been known at an earlier time only where there is no other.
    """
    current = store.current(project)
    if as_of is None and current is not None:
        return current
    if as_of is not None:
        date = read_date(project, as_of)
        found = [
            manifest
            for manifest in store.releases(project)
            if manifest.as_of_date == date
        ]
        if found:
            return max(
                found,
                key=lambda manifest: (manifest.known_at is None, manifest.published_at),
            )
    raise ConfigurationError(
        "there is no release"
        + (f" as of {as_of}" if as_of else "")
        + "; `fenji run` publishes one",
        Place(project.releases),
    )


def facts(manifest: "Manifest") -> dict[str, Any]:
    """What `--json` says of a release, whichever command names it."""
    return {
        "release_id": manifest.release_id,
        "as_of_date": manifest.as_of_date,
        "known_at": manifest.known_at,
        "missing_inputs": manifest.missing_inputs,
        "content_digest": manifest.content_digest,
    }


def current_facts(project: Project) -> dict[str, Any] | None:
    """What `--json` says of the release that readers see; None: there is none."""
    shown = store.current(project)
    if shown is None:
        return None
    return {"release_id": shown.release_id, "as_of_date": shown.as_of_date}


def where_current_points(project: Project) -> str:
    """The release that readers see, and what keeps a later one from them."""
    shown = store.current(project)
    if shown is None:
        return "data/current points at no release."
    told = f"data/current points at {shown.release_id} (as of {shown.as_of_date})"
    if pointing.is_held(project):
        told += ", held there by hand until the latest date is published again"
    return f"{told}."
