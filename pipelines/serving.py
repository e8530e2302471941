"""After a release: PostgreSQL is brought up to date, where the settings ask for it.

The release is published by then and stays: what fails here is told, and tried again by
the next run and by `fenji publish`.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from project.errors import ConfigurationError, FenjiError
from project.folder import Project
from project.quantities import number_of

if TYPE_CHECKING:
    from releases.postgres.pushing import Pushed

_STANDS = "the release stands; the next run or `fenji publish` tries again"


@dataclass(frozen=True)
class Served:
    """What became of it: either what readers of PostgreSQL see, or why they do not."""

    pushed: "Pushed | None"
    error: FenjiError | None = None

    def as_dict(self) -> dict[str, Any]:
        """What `--json` says of it."""
        if self.pushed is None:
            why = " ".join(str(self.error).split()) if self.error else None
            return {"status": "failed" if self.error else "no release", "error": why}
        status = "shown" if self.pushed.is_new else "unchanged"
        return {"status": status, **asdict(self.pushed)}

    @property
    def line(self) -> str:
        """What readers of PostgreSQL see, in one line."""
        pushed = self.pushed
        if pushed is None:
            return "PostgreSQL shows no release: there is none yet."
        told = f"PostgreSQL shows {pushed.release_id} in the schema {pushed.schema}"
        if pushed.n_tables:
            tables = number_of(pushed.n_tables, "table")
            told += f": {tables}, {number_of(pushed.n_rows, 'row')} loaded"
        return f"{told}."

    @property
    def notes(self) -> list[str]:
        """What somebody has to see to, a line each."""
        if self.error is not None:
            return [f"{_on_one_line(self.error)}; {_STANDS}"]
        if self.pushed is None:
            return []
        notes = []
        if self.pushed.missing_roles:
            notes.append(
                "publish.postgres: the login may make no roles; a DBA must run:"
                f" {'; '.join(self.pushed.missing_roles)};"
            )
        notes += [
            f"publish.postgres: {schema} is to be dropped, but somebody reads it or has"
            " views on it; the next run tries again"
            for schema in self.pushed.kept
        ]
        return notes


def serve(project: Project) -> Served | None:
    """Bring PostgreSQL up to date; None: the settings do not ask for it."""
    settings = project.settings.publish.postgres
    if settings is None:
        return None
    try:
        if importlib.util.find_spec("psycopg") is None:
            raise ConfigurationError(
                "psycopg is not installed; install it: pip install 'fenji[postgres]'",
                project.place_of_setting("publish", "postgres"),
            )
        # Takes 0.1 s: only for those who ask for it.
        from releases.postgres.pushing import push  # noqa: PLC0415

        return Served(push(project, settings))
    except FenjiError as err:
        return Served(None, err)


def serve_and_tell(project: Project, tell: Callable[[str], None]) -> Served | None:
    """As `serve`; what somebody has to see to is told, a line each.

    Who is told of a run that failed is told of a failure as well.
    """
    served = serve(project)
    for note in served.notes if served else ():
        tell(note)
    if served is not None and served.error is not None:
        from pipelines import notices  # noqa: PLC0415 - imports Dagster

        notices.tell_unserved(project, _on_one_line(served.error), tell)
    return served


def said(served: Served | None) -> dict[str, Any]:
    """What `--json` of a command has besides: nothing where it was not asked for."""
    return {"postgres": served.as_dict()} if served else {}


def _on_one_line(err: FenjiError) -> str:
    return " ".join(str(err).split())
