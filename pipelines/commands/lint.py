"""`fenji lint`: check scheme files."""

from dataclasses import asdict
from pathlib import Path

from pipelines import terminal
from project.errors import ConfigurationError
from project.folder import Project


def lint(project: Project, files: list[Path], *, as_json: bool) -> None:
    """Check scheme files.

    Raises:
        ConfigurationError: at least one finding is an error.
    """
    from schemes.linter import lint as findings_of  # noqa: PLC0415

    found = findings_of(project, files)
    if as_json:
        listed = [{**asdict(one), "path": str(one.path)} for one in found]
        terminal.say_json({"findings": listed})
    else:
        for one in found:
            terminal.console().print(str(one), soft_wrap=True)
    n_errors = sum(one.severity == "error" for one in found)
    if n_errors:
        raise ConfigurationError(f"{n_errors} errors in scheme files")
    if not as_json:
        terminal.console().print(f"No errors, {len(found)} warnings.")
