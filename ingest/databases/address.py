"""Where a database is: its address, which the environment alone holds.

Address and password are shown nowhere. What a server or a driver says of an error is
not passed on, as it quotes addresses and values: the kind of error is told, and the way
out.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import adbc_driver_manager
import sqlalchemy
from sqlalchemy import exc

from project.errors import ConfigurationError, RunError
from project.folder import Project
from project.places import Place

POSTGRESQL = "postgresql"
# The driver by which SQLAlchemy asks a database for its columns, unless the address
# names another: the one that the extra `databases` installs.
_DRIVERS = {"postgres": "postgresql+psycopg", POSTGRESQL: "postgresql+psycopg"}
_SECONDS = 10  # to wait for an answer
# Of what databases say of an error, and what it means.
_MEANINGS = (
    ("password authentication failed", "the name or the password is wrong"),
    ("access denied", "the name or the password is wrong"),
    ("login failed", "the name or the password is wrong"),
    ("no password supplied", "the server asks for a password"),
    ("no pg_hba.conf entry", "the server lets nobody in from here"),
    ("permission denied", "the login may not read it"),
    ("command denied", "the login may not read it"),
    ("connection refused", "nothing answers at that host and port"),
    ("timeout expired", "nothing answers at that host and port"),
    ("timed out", "the server did not answer in time"),
    ("could not translate host name", "there is no such host"),
    ("failed to resolve host", "there is no such host"),
    ("name or service not known", "there is no such host"),
    ("unable to open database file", "there is no such file, or it cannot be read"),
    ("no such column", "a column that is asked for is not there"),
    ("unknown column", "a column that is asked for is not there"),
    ("no such table", "there is no such table"),
    ("syntax error", "the query is not as this database writes queries"),
    ("ssl", "encryption was not agreed on"),
    ("certificate", "the certificate of the server was not accepted"),
)
_NO_COLUMN = re.compile(r"column \S+ does not exist")
_NO_TABLE = re.compile(r"(relation|table|view) \S+ (does not|doesn't) exist")
_NO_DATABASE = re.compile(r"database \S+ does not exist")


@contextmanager
def engine_of(
    project: Project, database: str, place: Place
) -> Iterator[sqlalchemy.Engine]:
    """SQLAlchemy's engine of a database of the project.

    Args:
        project: the project.
        database: its name in the settings.
        place: what errors are about.

    Raises:
        ConfigurationError: the environment names no address, or none that SQLAlchemy
            reads, a file that is not there, or the package that speaks with such a
            database is missing.
    """
    variable = project.settings.databases[database].url_variable
    given = os.environ.get(variable, "").strip()
    if not given:
        raise ConfigurationError(
            f"the environment variable {variable} is not set; set it to the address of"
            " the database, such as postgresql://NAME:PASSWORD@HOST/DATABASE",
            project.place_of_setting("databases", database, "url_variable"),
        )
    kind, colon, rest = given.partition("://")
    try:
        engine = sqlalchemy.create_engine(f"{_DRIVERS.get(kind, kind)}{colon}{rest}")
    except ModuleNotFoundError as err:
        problem = f"needs the package {err.name}: pip install {err.name}"
        raise ConfigurationError(problem, place) from None
    except (exc.ArgumentError, ValueError):
        raise ConfigurationError(
            f"the environment variable {variable} holds no address as SQLAlchemy writes"
            " it, such as postgresql://NAME:PASSWORD@HOST/DATABASE",
            project.place_of_setting("databases", database, "url_variable"),
        ) from None
    if _is_missing_file(engine.url):
        raise ConfigurationError(
            f"the environment variable {variable} names a file that is not there; the"
            " path of a file is absolute after sqlite:////, and starts in the current"
            " folder after sqlite:///",
            project.place_of_setting("databases", database, "url_variable"),
        )
    try:
        yield engine
    finally:
        engine.dispose()


def _is_missing_file(url: sqlalchemy.URL) -> bool:
    """Whether SQLite would begin a new database, as no file of that name is there."""
    name = url.database
    if (
        url.get_backend_name() != "sqlite"
        or not name
        or name.startswith(("file:", ":"))
    ):
        return False
    return not Path(name).exists()


def native_url(engine: sqlalchemy.Engine) -> str:
    """The address as PostgreSQL's own library reads it, with the password in it."""
    url = engine.url.set(drivername=POSTGRESQL)
    if "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": str(_SECONDS)})
    return url.render_as_string(hide_password=False)


@contextmanager
def in_words(place: Place) -> Iterator[None]:
    """Say what went wrong without what the database says of it.

    Raises:
        ConfigurationError: there is no such table or column.
        RunError: the database cannot be reached, or refuses what is asked.
    """
    try:
        yield
    except exc.NoSuchTableError:
        raise ConfigurationError("there is no such table or view", place) from None
    except (exc.SQLAlchemyError, adbc_driver_manager.Error) as err:
        said = " ".join(str(cause) for cause in _causes(err)).lower()
        if _NO_COLUMN.search(said) or _NO_TABLE.search(said):
            what = "column that is asked for" if _NO_COLUMN.search(said) else "table"
            raise ConfigurationError(f"there is no such {what}", place) from None
        raise RunError(f"{place}: {_meaning(said, err)}") from None
    except OverflowError:
        raise RunError(
            f"{place}: a whole number has more than 64 bits; read the table by a"
            " 'query' that casts it to text"
        ) from None


def _causes(err: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that it follows from."""
    while err is not None:
        yield err
        err = err.__cause__


def _meaning(said: str, err: Exception) -> str:
    if _NO_DATABASE.search(said):
        return "the server has no database of that name"
    for words, meaning in _MEANINGS:
        if words in said:
            return meaning
    names = [type(cause).__name__ for cause in _causes(err)]
    return f"cannot be read ({names[-1]}); try its query with the database's own tools"
