"""The tables that the settings ask for, and where their rows land.

So are the lists of services and the objects of buckets: each is a folder below that of
its feed. Nothing of what reads them is imported here, so that the settings can be
judged where the extras are missing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from project.documents import nearest
from project.errors import ConfigurationError
from project.folder import Project
from project.origins import (
    BucketSettings,
    DatabaseSettings,
    PulledObjects,
    PulledResource,
    PulledTable,
    ServiceSettings,
)
from project.places import Place
from sql.contracts import feeds

# By setting: the extra, and the libraries that it brings.
_LIBRARIES = {
    "databases": (
        "databases",
        ("dlt", "pyarrow", "adbc_driver_postgresql", "psycopg"),
    ),
    "services": ("services", ("dlt",)),
    "buckets": ("object-storage", ("obstore",)),
}

Source = DatabaseSettings | ServiceSettings | BucketSettings


@dataclass(frozen=True)
class Table:
    """A table, list or pattern of the settings, and where its files lie."""

    database: str  # the name of the database, service or bucket
    feed: str
    pulled: PulledTable | PulledResource | PulledObjects
    place: Place
    folder: Path


def is_asked(project: Project) -> bool:
    """Whether the settings name anything to pull from."""
    return any(_sources(project).values())


def tables_of(project: Project, only: Sequence[str] = ()) -> tuple[Table, ...]:
    """What is to be pulled, in the order of the settings.

    Args:
        project: the project.
        only: the names of databases, services and buckets; empty: all.

    Raises:
        ConfigurationError: the settings name nothing to pull from, an unknown feed, or
            two tables whose files would lie in one folder; or `only` an unknown name.
    """
    if not is_asked(project):
        raise ConfigurationError(
            "names no database; write databases: {crm: {url_variable: CRM_DATABASE_URL,"
            " feeds: {transactions: {table: orders}}}}, or services: or buckets:",
            project.place_of_setting("databases"),
        )
    seen: dict[str, str] = {}
    for kind, sources in _sources(project).items():
        for name in sources:
            if name in seen:
                raise ConfigurationError(
                    f"is the name of one of '{seen[name]}', too; name it otherwise",
                    project.place_of_setting(kind, name),
                )
            seen[name] = kind
    for name in only:
        if name not in seen:
            what = "database" if project.settings.databases else "source"
            raise ConfigurationError(
                f"there is no {what} '{name}'; there are: {', '.join(seen)}",
                project.place_of_setting(next(iter(seen.values()))),
            )
    tables = tuple(_tables(project))
    folders: set[Path] = set()
    for table in tables:
        if table.folder in folders:
            raise ConfigurationError(
                f"two tables land in {table.folder.name}; give one a 'name'",
                table.place,
            )
        folders.add(table.folder)
    return tuple(table for table in tables if not only or table.database in only)


def refuse_without_extra(project: Project) -> None:
    """Refuse to pull where what reads a database or service is not installed.

    Raises:
        ConfigurationError: it names what to install.
    """
    for kind, sources in _sources(project).items():
        extra, libraries = _LIBRARIES[kind]
        missing = [name for name in libraries if find_spec(name) is None]
        if sources and missing:
            raise ConfigurationError(
                f"needs {missing[0]}; pip install 'fenji[{extra}]'",
                project.place_of_setting(kind),
            )


def _sources(project: Project) -> dict[str, Mapping[str, Source]]:
    """What is pulled from, by the setting that names it."""
    settings = project.settings
    return {
        "databases": settings.databases,
        "services": settings.services,
        "buckets": settings.buckets,
    }


def _tables(project: Project) -> Iterator[Table]:
    for kind, sources in _sources(project).items():
        for name, settings in sources.items():
            for feed, given in settings.feeds.items():
                place = project.place_of_setting(kind, name, "feeds", feed)
                if feed not in feeds():
                    hint = nearest(feed, list(feeds()))
                    raise ConfigurationError(f"is not a feed{hint}", place)
                folder = project.landing / feed / name
                for pulled in given:
                    yield Table(name, feed, pulled, place, folder / pulled.folder)
