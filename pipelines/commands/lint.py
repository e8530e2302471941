"""`fenji lint`: check settings, mappings, schemes and tags, without any data.

Schemes and tags are checked by `schemes.tools.linter`, all else by `runs.preflight`.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.commands import terminal
from project.errors import ConfigurationError
from project.folder import Project
from project.places import Place
from project.quantities import number_of

if TYPE_CHECKING:
    from schemes.tools.linter import Finding


def lint(project: Project, files: list[Path], *, library: bool, as_json: bool) -> None:
    """Check the files, or the whole project; with `library`, also Fenji's own schemes.

    Raises:
        ConfigurationError: at least one finding is an error.
    """
    from schemes.tools.linter import library_files  # noqa: PLC0415 - imports the compiler
    from schemes.tools.linter import lint as findings_of  # noqa: PLC0415

    found = [*_in_mappings(project), *findings_of(project, files)]
    if library:
        found += findings_of(project, library_files())
    found = list(dict.fromkeys(found))
    if as_json:
        terminal.say_json({"findings": [finding.as_dict() for finding in found]})
    else:
        for finding in found:
            terminal.console().print(str(finding), soft_wrap=True)
    counts = Counter(finding.severity for finding in found)
    if counts["error"]:
        raise ConfigurationError(
            f"{number_of(counts['error'], 'error')},"
            f" {number_of(counts['warning'], 'warning')}",
            Place(project.root),
        )
    if not as_json:
        said = f"No errors, {number_of(counts['warning'], 'warning')}."
        terminal.console().print(said)


def _in_mappings(project: Project) -> Iterator["Finding"]:
    """What is wrong with settings beside those of schemes."""
    from runs.preflight import judge_settings  # noqa: PLC0415
    from schemes.tools.linter import finding_of  # noqa: PLC0415

    try:
        judge_settings(project)
    except ConfigurationError as err:
        yield finding_of(err, project.settings_file)
