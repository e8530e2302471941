"""The tables that the settings ask for, and where their rows land.

Nothing of what reads databases is imported here, so that the settings can be judged
where the extra `fenji[databases]` is missing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from project.documents import nearest
from project.errors import ConfigurationError
from project.folder import Project
from project.places import Place
from project.settings import PulledTable
from sql.contracts import feeds

_EXTRA = "databases"
_LIBRARIES = ("dlt", "pyarrow", "adbc_driver_postgresql", "psycopg")


@dataclass(frozen=True)
class Table:
    """A table of the settings, and where its files lie."""

    database: str
    feed: str
    pulled: PulledTable
    place: Place
    folder: Path


def tables_of(project: Project, only: Sequence[str] = ()) -> tuple[Table, ...]:
    """The tables that are to be pulled, in the order of the settings.

    Args:
        project: the project.
        only: the names of databases; empty: all.

    Raises:
        ConfigurationError: the settings name no database, an unknown feed, or two
            tables whose files would lie in one folder; or `only` an unknown database.
    """
    databases = project.settings.databases
    place = project.place_of_setting("databases")
    if not databases:
        raise ConfigurationError(
            "names no database; write databases: {crm: {url_variable: CRM_DATABASE_URL,"
            " feeds: {transactions: {table: orders}}}}",
            place,
        )
    for name in only:
        if name not in databases:
            known = ", ".join(databases)
            raise ConfigurationError(
                f"there is no database '{name}'; there are: {known}", place
            )
    tables = tuple(_tables(project))
    seen: set[Path] = set()
    for table in tables:
        if table.folder in seen:
            raise ConfigurationError(
                f"two tables land in {table.folder.name}; give one a 'name'",
                table.place,
            )
        seen.add(table.folder)
    return tuple(table for table in tables if not only or table.database in only)


def refuse_without_extra(project: Project) -> None:
    """Refuse to pull where what reads databases is not installed.

    Raises:
        ConfigurationError: it names what to install.
    """
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"needs {missing[0]}; pip install 'fenji[{_EXTRA}]'",
            project.place_of_setting("databases"),
        )


def _tables(project: Project) -> Iterator[Table]:
    for name, settings in project.settings.databases.items():
        for feed, given in settings.feeds.items():
            place = project.place_of_setting("databases", name, "feeds", feed)
            if feed not in feeds():
                hint = nearest(feed, list(feeds()))
                raise ConfigurationError(f"is not a feed{hint}", place)
            folder = project.landing / feed / name
            for pulled in given:
                yield Table(name, feed, pulled, place, folder / pulled.folder)
