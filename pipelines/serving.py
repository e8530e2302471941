"""After a release: where else it is shown is brought up to date, as the settings ask.

The release is published by then and stays: what fails here is told, and tried again by
the next run and by `fenji publish`.
"""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from project.errors import ConfigurationError, FenjiError
from project.folder import Project

if TYPE_CHECKING:
    from releases.object_storage.pushing import Pushed as PushedToStorage
    from releases.postgres.pushing import Pushed as PushedToPostgres

_STANDS = "the release stands; the next run or `fenji publish` tries again"


@dataclass(frozen=True)
class Place:
    """Where releases are shown, too.

    Attributes:
        setting: what asks for it, below `publish`.
        name: what people call it.
        library: the module that it needs.
        extra: the extra of Fenji that installs it.
        module: what brings it up to date: `push`.
    """

    setting: str
    name: str
    library: str
    extra: str
    module: str


PLACES = (
    Place(
        setting="postgres",
        name="PostgreSQL",
        library="psycopg",
        extra="postgres",
        module="releases.postgres.pushing",
    ),
    Place(
        setting="object_storage",
        name="Object storage",
        library="obstore",
        extra="object-storage",
        module="releases.object_storage.pushing",
    ),
)


@dataclass(frozen=True)
class Served:
    """What became of a place: either what readers of it see, or why they do not."""

    place: Place
    pushed: "PushedToPostgres | PushedToStorage | None"
    error: FenjiError | None = None

    def as_dict(self) -> dict[str, Any]:
        """What `--json` says of it."""
        if self.pushed is None:
            why = _on_one_line(self.error) if self.error else None
            return {"status": "failed" if self.error else "no release", "error": why}
        status = "shown" if self.pushed.is_new else "unchanged"
        return {"status": status, **asdict(self.pushed)}

    @property
    def line(self) -> str:
        """What readers see, in one line."""
        if self.pushed is None:
            return f"{self.place.name} shows no release: there is none yet."
        return self.pushed.line

    @property
    def notes(self) -> list[str]:
        """What somebody has to see to, a line each."""
        if self.error is not None:
            return [f"{_on_one_line(self.error)}; {_STANDS}"]
        return self.pushed.notes if self.pushed else []


def serve(project: Project) -> list[Served]:
    """Bring the places up to date that the settings ask for."""
    asked = [
        (place, getattr(project.settings.publish, place.setting)) for place in PLACES
    ]
    return [
        _served(project, place, settings)
        for place, settings in asked
        if settings is not None
    ]


def _served(project: Project, place: Place, settings: object) -> Served:
    try:
        if importlib.util.find_spec(place.library) is None:
            raise ConfigurationError(
                f"{place.library} is not installed; install it:"
                f" pip install 'fenji[{place.extra}]'",
                project.place_of_setting("publish", place.setting),
            )
        # Takes 0.1 s: only for those who ask for it.
        module = importlib.import_module(place.module)
        return Served(place, module.push(project, settings))
    except FenjiError as err:
        return Served(place, None, err)


def serve_and_tell(project: Project, tell: Callable[[str], None]) -> list[Served]:
    """As `serve`; what somebody has to see to is told, a line each.

    Who is told of a run that failed is told of a failure as well.
    """
    served = serve(project)
    for shown in served:
        for note in shown.notes:
            tell(note)
        if shown.error is not None:
            from pipelines import notices  # noqa: PLC0415 - imports Dagster

            why = _on_one_line(shown.error)
            notices.tell_unserved(project, shown.place.name, why, tell)
    return served


def said(served: list[Served]) -> dict[str, Any]:
    """What `--json` of a command has besides: nothing where it was not asked for."""
    return {shown.place.setting: shown.as_dict() for shown in served}


def _on_one_line(err: FenjiError) -> str:
    return " ".join(str(err).split())
