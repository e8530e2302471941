"""`fenji publish`: bring PostgreSQL up to date with `data/current`."""

from pipelines import serving
from pipelines.commands import terminal
from project.errors import ConfigurationError
from project.folder import Project


def publish(project: Project, *, as_json: bool) -> None:
    """Let readers of PostgreSQL see the current release.

    Raises:
        ConfigurationError: the settings do not ask for it, or the environment names no
            server.
        RunError: it could not be done.
    """
    served = serving.serve(project)
    if served is None:
        raise ConfigurationError(
            "is not set, so that no server is told; write publish: {postgres: {}}",
            project.place_of_setting("publish", "postgres"),
        )
    if as_json:
        terminal.say_json(served.as_dict())
    if served.error is not None:
        raise served.error
    for note in served.notes:
        terminal.say_note(note)
    if not as_json:
        terminal.console().print(served.line, soft_wrap=True)
