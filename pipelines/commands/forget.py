"""`fenji forget`: take the rows of landing files out of the warehouse.

The rows are taken out by `ingest.forget`; the files themselves stay where they are.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.commands import terminal
from pipelines.commands.common import say_waiting
from project.errors import ConfigurationError
from project.folder import Project
from project.places import Place
from releases import store
from runs import warehouse_state
from runs.opening import hold_warehouse

if TYPE_CHECKING:
    from ingest.forget import Forgotten


def forget(
    project: Project,
    names: Sequence[str],
    *,
    vanished: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take files' rows out of the warehouse, or show what that would take out.

    Args:
        project: the project.
        names: files, or patterns of files.
        vanished: only those that are gone from their folders.
        dry_run: only show them.
        as_json: print one JSON object.

    Raises:
        ConfigurationError: nothing is named, or what is named is not there.
    """
    from ingest.forget import find  # noqa: PLC0415
    from ingest.forget import forget as take_out  # noqa: PLC0415
    from ingest.warehouse import is_there, opened  # noqa: PLC0415

    if not names and not vanished:
        raise ConfigurationError(
            "FILE: name a file, such as transactions/2026/may.csv, a pattern, such as"
            " 'transactions/2026/*', or --vanished"
        )
    if not is_there(project):
        raise ConfigurationError(
            "nothing has been loaded yet", Place(project.warehouse)
        )
    with (
        hold_warehouse(project, on_wait=say_waiting),
        opened(project, tell=terminal.say_note) as con,
    ):
        files = find(con, project, names, vanished=vanished)
        if files and not dry_run:
            warehouse_state.note_run_key(con, None)
            take_out(con, project, files, store.now(project))
    if as_json:
        terminal.say_json(
            {
                "is_dry_run": dry_run,
                "n_rows": sum(file.n_rows for file in files),
                "files": [
                    {
                        "feed": file.feed,
                        "file": file.path,
                        "n_rows": file.n_rows,
                        "still_at": str(file.still_at) if file.still_at else None,
                    }
                    for file in files
                ],
            }
        )
        return
    _show(project, files, dry_run=dry_run)


def _show(project: Project, files: Sequence["Forgotten"], *, dry_run: bool) -> None:
    out = terminal.console()
    if not files:
        out.print("No such file: all that was loaded still lies in its folder.")
        return
    n_rows = sum(file.n_rows for file in files)
    told = f"{_counted(len(files), 'file')}, {_counted(n_rows, 'row')}"
    feeds = dict.fromkeys(file.feed for file in files)
    if len(files) > 1:
        for feed in feeds:
            members = [file for file in files if file.feed == feed]
            count = _counted(sum(file.n_rows for file in members), "row")
            out.print(f"{feed}: {_counted(len(members), 'file')}, {count}")
            for file in members:
                out.print(f"  {file.n_rows:>13,}  {file.path}", soft_wrap=True)
    else:
        told = f"{files[0].feed}/{files[0].path}: {_counted(n_rows, 'row')}"
    if dry_run:
        out.print(f"Would forget {told}.", soft_wrap=True)
    else:
        out.print(f"Forgot {told}. `fenji run` publishes without them.", soft_wrap=True)
    standing = [file.still_at for file in files if file.still_at is not None]
    if standing:
        first = standing[0]
        if first.is_relative_to(project.root):
            first = first.relative_to(project.root)
        more = f" and {len(standing) - 1:,} more" if len(standing) > 1 else ""
        out.print(
            f"Still in the folder: {first}{more}; remove what is to stay away, or the"
            " next run loads it again.",
            soft_wrap=True,
        )


def _counted(n: int, name: str) -> str:
    return f"{n:,} {name}" if n == 1 else f"{n:,} {name}s"
