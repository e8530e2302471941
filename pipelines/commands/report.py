"""`fenji report`: a page about some schemes, as a file to send.

The page is laid out by `releases.report`; a release itself never changes.
"""

from pathlib import Path

import duckdb

from pipelines.commands import terminal
from pipelines.commands.export import current
from project.choices import Language
from project.errors import ConfigurationError, RunError
from project.folder import Project
from releases import lease, reading, store
from releases.building import CATALOG
from releases.exporting import beside, refuse_place
from releases.report import scheme_report


def report(
    project: Project,
    schemes: str,
    file: Path,
    lang: Language,
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Write a page about some schemes of the current release into a file.

    Raises:
        ConfigurationError: the release does not know a scheme, or a file is there.
        RunError: the release cannot be read, or the file cannot be written.
    """
    names = list(dict.fromkeys(filter(None, map(str.strip, schemes.split(",")))))
    if not names:
        raise ConfigurationError(
            "--scheme: names no scheme; `fenji schemes` lists them"
        )
    if file.suffix != ".html":
        raise ConfigurationError(f"--to {file}: must end in .html")
    refuse_place(project, file, force=force)
    with lease.held(project, lambda: current(project)) as manifest:
        database = store.database(project, manifest.release_id)
        with duckdb.connect() as con, reading.in_words([database]):
            reading.attach(con, database, CATALOG)
            try:
                page = scheme_report(con, CATALOG, manifest, project, names, lang)
            except (duckdb.CatalogException, duckdb.BinderException):
                raise RunError(
                    f"{manifest.release_id}: an earlier version of Fenji made it, with"
                    " other tables; `fenji run` publishes a new one"
                ) from None
    with beside(file) as part:
        part.write_text(page, encoding="utf-8")
    if as_json:
        terminal.say_json(
            {
                "file": str(file),
                "release_id": manifest.release_id,
                "as_of_date": str(manifest.as_of_date),
                "schemes": names,
            }
        )
        return
    terminal.console().print(
        f"{file}: {', '.join(names)}, as of {manifest.as_of_date}", soft_wrap=True
    )
