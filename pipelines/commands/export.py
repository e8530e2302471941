"""`fenji export`: what changed, the work list, or any table, as a file.

The file is written by `releases.exporting`; here the releases are found.
"""

from contextlib import ExitStack
from pathlib import Path

from pipelines.commands import terminal
from project.choices import Language
from project.errors import ConfigurationError, RunError
from project.folder import Project
from project.quantities import number_of
from releases import lease, pointing, store
from releases.exporting import CHANGES, Exported, Wanted
from releases.exporting import export as write
from releases.manifest import Manifest


def export(
    project: Project,
    what: str,
    file: Path,
    *,
    since: str | None,
    owner: str | None,
    columns: str | None,
    lang: Language | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write a part of the current release into a file.

    Changes are counted since a release: the one of the latest earlier as-of date where
    none is named, looks back aside.
    """
    if since is not None and what != CHANGES:
        raise ConfigurationError(f"--since: is for '{CHANGES}', not for '{what}'")
    named = [name.strip() for name in columns.split(",")] if columns else []
    wanted = Wanted(what, owner, tuple(named), lang)
    with ExitStack() as held:
        latter = held.enter_context(lease.held(project, lambda: current(project)))
        former: Manifest | None = None
        if what == CHANGES:
            former = held.enter_context(
                lease.held(project, lambda: _former(project, latter, since))
            )
        found = write(project, wanted, file, latter, former, force=force)
    _show(found, latter, as_json=as_json)


def current(project: Project) -> Manifest:
    """The release that readers see.

    Raises:
        RunError: there is none yet.
    """
    shown = store.current(project)
    if shown is None:
        raise RunError(f"{project.releases}: there is no release yet; `fenji run`")
    return shown


def _former(project: Project, latter: Manifest, since: str | None) -> Manifest:
    """The release that changes are counted from.

    Raises:
        ConfigurationError: there is none.
    """
    if since is not None:
        return store.release(project, since)
    former = pointing.latest_before(project, latter)
    if former is None:
        raise ConfigurationError(
            f"--since: no release is of a date before {latter.as_of_date}; name one of"
            " `fenji releases`"
        )
    return former


def _show(found: Exported, release: Manifest, *, as_json: bool) -> None:
    if as_json:
        terminal.say_json(
            {
                "file": str(found.file),
                "what": found.what,
                "release_id": found.release_id,
                "as_of_date": str(release.as_of_date),
                "since": found.since,
                "n_rows": found.n_rows,
                "columns": list(found.columns),
            }
        )
        return
    since = f" since {found.since}" if found.since else ""
    terminal.console().print(
        f"{found.file}: {number_of(found.n_rows, 'row')} of {found.what}{since}, as of"
        f" {release.as_of_date}",
        soft_wrap=True,
    )
