"""`fenji pull`: bring what is new in databases, services, buckets to the landing."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ingest.databases.tables import refuse_without_extra
from pipelines.commands import terminal
from pipelines.commands.common import say_waiting
from project.folder import Project
from project.lock import hold
from project.quantities import number_of

if TYPE_CHECKING:
    from ingest.databases.pulling import Pulled


def pull(project: Project, databases: Sequence[str], *, as_json: bool) -> None:
    """Pull the tables of databases, and tell what came of each.

    Raises:
        ConfigurationError: the settings, the environment, or a name is wrong, or the
            extra `fenji[databases]` is missing.
        RunError: a database cannot be reached, or refuses what is asked.
    """
    done = []
    for pulled in pulled_from(project, databases):
        done.append(pulled)
        if not as_json:
            show(pulled)
    if as_json:
        terminal.say_json({"pulled": as_dicts(done)})


def pulled_from(project: Project, databases: Sequence[str]) -> Iterator["Pulled"]:
    """Pull the tables of databases one by one; no run reads files meanwhile.

    Raises:
        ConfigurationError: as for `pull`.
        RunError: as for `pull`.
    """
    refuse_without_extra(project)
    from ingest.databases import pulling  # noqa: PLC0415 - imports SQLAlchemy

    with hold(project.lock, on_wait=say_waiting):
        yield from pulling.pull(project, only=tuple(databases))


def show(pulled: "Pulled") -> None:
    """Say in a line what came of a table."""
    name = f"{pulled.database}.{pulled.table} → {pulled.feed}"
    read = number_of(pulled.n_read, pulled.unit)
    if pulled.file is None:
        came = f"nothing new in {read}"
    elif pulled.n_new == pulled.n_read:
        came = read
    else:
        came = f"{number_of(pulled.n_new, f'new {pulled.unit}')} of {pulled.n_read:,}"
    terminal.console().print(f"  {name}: {came}")


def as_dicts(pulled: Sequence["Pulled"]) -> list[dict[str, Any]]:
    """What `--json` says of tables."""
    return [
        {
            **asdict(table),
            "file": None if table.file is None else str(table.file),
            "since": None if table.since is None else str(table.since),
        }
        for table in pulled
    ]
