"""The errors that a user sees, each one line that names what to mend.

Anything else that escapes a command is a bug.
"""


class FenjiError(Exception):
    """A failure with a one-line message; the exit status of its kind."""

    exit_status = 1


class ConfigurationError(FenjiError):
    """A setting, a scheme, an argument or a folder is wrong: status 2."""

    exit_status = 2


class RunError(FenjiError):
    """A run could not finish, or a blocking check failed: status 1."""
