"""The errors that a user sees, each one line that names what to mend.

The command line prints them and ends with their exit status. Any other exception that
leaves a command is a bug.
"""

from project.places import Place


class FenjiError(Exception):
    """A failure that a user can understand: a message of one line, an exit status."""

    exit_status = 1


class ConfigurationError(FenjiError):
    """A setting, a scheme, an argument or a folder is wrong: exit status 2.

    An error about a file has a place, which `str()` writes in front of the message. An
    error about the command line has none; its message starts with the option, as in
    `--feed: 'ticket' is not a feed`.
    """

    exit_status = 2

    def __init__(self, message: str, place: Place | None = None) -> None:
        """Keep both parts, so that nobody has to cut them out of the text.

        Args:
            message: what is wrong and what to do, without the place.
            place: the file, line and field that it is about.
        """
        super().__init__(message if place is None else f"{place}: {message}")
        self.message = message
        self.place = place

    @property
    def without_path(self) -> str:
        """Field and message, for readers who know which file it is about."""
        field = self.place.field_name if self.place is not None else ""
        return f"{field}: {self.message}" if field else self.message


class RunError(FenjiError):
    """A run could not finish, or a blocking check failed: exit status 1."""
