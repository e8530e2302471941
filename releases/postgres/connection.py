"""The connection to PostgreSQL, and its errors in words.

Address and password come from the environment and are shown nowhere. What the server or
the driver says of an error is not passed on: it quotes addresses and values. What is
told is the kind of error, and the way out.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from project.errors import ConfigurationError, RunError
from project.folder import Project
from project.settings import PostgresSettings

Connection = psycopg.Connection[tuple[object, ...]]

SETTING = "publish.postgres"
_LIBPQ = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE")
_CONNECT_SECONDS = 10
# Of what libpq and the server say when a connection fails, and what it means.
_REFUSALS = (
    ("password authentication failed", "the name or the password is wrong"),
    ("no password supplied", "the server asks for a password"),
    ("no pg_hba.conf entry", "the server lets nobody in from here: pg_hba.conf"),
    ("does not exist", "there is no such database or login"),
    ("Connection refused", "nothing answers at that host and port"),
    ("too many", "the server has no connection left"),
    ("SSL", "encryption was not agreed on: sslmode"),
    ("certificate", "the certificate of the server was not accepted"),
    ("resolve", "there is no such host"),
    ("translate host name", "there is no such host"),
)
_MEANINGS: tuple[tuple[type[psycopg.Error], str], ...] = (
    (
        errors.InsufficientPrivilege,
        "the login lacks a right: CREATE on the database, or to own what is there",
    ),
    (errors.DiskFull, "the disk of the server is full"),
    (
        errors.DependentObjectsStillExist,
        "other objects depend on what must change; drop them, then `fenji publish`",
    ),
    (errors.ReadOnlySqlTransaction, "the server is read-only: a standby"),
    (errors.QueryCanceled, "the server cancelled it"),
    (errors.UniqueViolation, "two rows have one key"),
    (psycopg.OperationalError, "the connection broke off"),
)


def execute(con: Connection, statements: str) -> None:
    """Carry out one statement or several; names in them are quoted by the caller."""
    con.execute(statements.encode())


def rows(con: Connection, query: str, *params: object) -> list[tuple[object, ...]]:
    """The rows of a query, in which %s stands for a parameter."""
    return con.execute(query.encode(), params or None).fetchall()


@contextmanager
def opened(project: Project, settings: PostgresSettings) -> Iterator[Connection]:
    """A connection to the server that the environment names.

    Raises:
        ConfigurationError: the environment names none, or not as libpq reads it.
        RunError: it cannot be reached, or refuses what is asked.
    """
    variable = settings.url_variable
    url = os.environ.get(variable, "").strip()
    if not url and not any(os.environ.get(name) for name in _LIBPQ):
        raise ConfigurationError(
            f"the environment variable {variable} is not set; set it to"
            " postgresql://NAME:PASSWORD@HOST/DATABASE, or set PGHOST and the like",
            project.place_of_setting("publish", "postgres"),
        )
    with in_words():
        con = psycopg.connect(
            _with_limit(variable, url),
            autocommit=True,
            application_name="fenji",
            client_encoding="utf8",
        )
    try:
        with in_words():
            # A server may end what takes long: loading may.
            execute(
                con,
                "set search_path = pg_catalog; set TimeZone = 'UTC';"
                "set statement_timeout = 0; set lock_timeout = 0;"
                "set idle_in_transaction_session_timeout = 0",
            )
            yield con
    finally:
        con.close()


@contextmanager
def in_words(doing: str = "") -> Iterator[None]:
    """Say what went wrong without what the server or the driver says of it.

    Args:
        doing: what is being done, such as "the table customers".
    """
    try:
        yield
    except psycopg.Error as err:
        where = f"{SETTING}: {doing}: " if doing else f"{SETTING}: "
        raise RunError(where + _meaning(err)) from None


def _with_limit(variable: str, url: str) -> str:
    """The address, with how long to wait for the server unless it says so itself.

    Raises:
        ConfigurationError: it is no address.
    """
    try:
        has_limit = "connect_timeout" in conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise ConfigurationError(
            f"{SETTING}: {variable} holds no address of PostgreSQL; write"
            " postgresql://NAME:PASSWORD@HOST/DATABASE"
        ) from None
    return url if has_limit else make_conninfo(url, connect_timeout=_CONNECT_SECONDS)


def _meaning(err: psycopg.Error) -> str:
    if err.sqlstate is None and isinstance(err, psycopg.OperationalError):
        said = str(err)
        for phrase, meaning in _REFUSALS:
            if phrase in said:
                return f"the server was not reached: {meaning}"
        return (
            "the server was not reached, or the connection broke off; see its log and"
            " the address"
        )
    for kind, meaning in _MEANINGS:
        if isinstance(err, kind):
            return meaning
    return f"{type(err).__name__} (SQLSTATE {err.sqlstate}); see the log of the server"
