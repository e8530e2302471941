"""`fenji publish`: show `data/current` in PostgreSQL and object storage."""

from pipelines import serving
from pipelines.commands import terminal
from pipelines.commands.common import show_served
from project.errors import ConfigurationError
from project.folder import Project


def publish(project: Project, *, as_json: bool) -> None:
    """Let readers elsewhere see the current release.

    Raises:
        ConfigurationError: the settings do not ask for it, or the environment names no
            server.
        RunError: it could not be done.
    """
    served = serving.serve(project)
    if not served:
        raise ConfigurationError(
            "asks for no place to show releases; write publish: {postgres: {}} or"
            " publish: {object_storage: {url: s3://BUCKET/FOLDER}}",
            project.place_of_setting("publish"),
        )
    if as_json:
        terminal.say_json(serving.said(served))
    else:
        show_served(served)
    failed = [shown.error for shown in served if shown.error is not None]
    for shown in served:
        # The first failure is what the command ends with.
        if shown.error is None or shown.error is not failed[0]:
            for note in shown.notes:
                terminal.say_note(note)
    if failed:
        raise failed[0]
