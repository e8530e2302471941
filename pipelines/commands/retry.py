"""`fenji retry`: what was rejected, in files of its own to be corrected.

The files are written by `ingest.retry`; the next run reads them with those that they
correct. Nothing else is changed.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipelines.commands import terminal
from pipelines.commands.common import say_waiting
from project.documents import nearest
from project.errors import ConfigurationError
from project.folder import Project
from project.places import Place
from project.quantities import number_of
from runs.opening import hold_warehouse
from sql.contracts import feeds

if TYPE_CHECKING:
    from ingest.retry import ToCorrect


def retry(project: Project, *, feed: str | None, write: bool, as_json: bool) -> None:
    """Write the correction files of rejected rows, or say which there would be.

    Args:
        project: the project.
        feed: of which feed; None: of all.
        write: whether they are written.
        as_json: print one JSON object.

    Raises:
        ConfigurationError: there is no such feed, or nothing has been loaded yet.
        RunError: a file cannot be written.
    """
    from ingest.retry import to_correct  # noqa: PLC0415
    from ingest.warehouse import is_there, opened  # noqa: PLC0415

    if feed is not None and feed not in feeds():
        raise ConfigurationError(
            f"--feed: there is no feed {feed}{nearest(feed, list(feeds()))}"
        )
    if not is_there(project):
        raise ConfigurationError(
            "nothing has been loaded yet", Place(project.warehouse)
        )
    with (
        hold_warehouse(project, on_wait=say_waiting),
        opened(project, tell=terminal.say_note) as con,
    ):
        files = to_correct(con, project, feed=feed, write=write)
    if as_json:
        terminal.say_json(
            {"is_written": write, "files": [asdict(file) for file in files]}
        )
        return
    _show(files, write=write)


def _show(files: Sequence["ToCorrect"], *, write: bool) -> None:
    out = terminal.console()
    if not files:
        out.print("No rejected row that can be corrected.")
        return
    for file in files:
        records = number_of(file.n_records, "rejected record")
        out.print(f"{file.feed}/{file.file}: {records}", soft_wrap=True)
        if file.why is not None:
            out.print(f"  not corrected: {file.why}", soft_wrap=True)
        elif not write:
            out.print(f"  to be corrected in {file.correction_file}", soft_wrap=True)
        elif file.n_new:
            new = number_of(file.n_new, "new row")
            out.print(f"  {file.correction_file}: {new}", soft_wrap=True)
        else:
            out.print(f"  {file.correction_file}: all there", soft_wrap=True)
    can = [file for file in files if file.why is None]
    if can and not write:
        out.print("`fenji retry --write` writes these files.")
    elif can:
        out.print(
            "Correct the rows in them, leave what says *** as it is, and `fenji run`"
            " takes them in place of the rejected ones.",
            soft_wrap=True,
        )
