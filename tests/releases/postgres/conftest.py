"""A PostgreSQL of the tests' own, a project that publishes to it, and its readers."""

import psycopg
import pytest

from releases.postgres.pushing import push
from tests import postgresql
from tests.releases import small_releases

PASSWORD = "s3cret-word"  # noqa: S105 - of a server that this test starts
PUBLISHER = "publisher"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The address of a PostgreSQL for a login, and for a database of another name.

    As root it runs as a user that its package adds to the machine.
    """
    started = postgresql.started(tmp_path_factory.mktemp("pg"))
    address = started.get_uri()

    def as_login(name, database="fenji_tests"):
        return address.replace("postgres:@", f"{name}:{PASSWORD}@").replace(
            "/postgres?", f"/{database}?"
        )

    with psycopg.connect(address, autocommit=True) as con:
        con.execute(f"create role {PUBLISHER} login createrole")
        con.execute(f"create database fenji_tests owner {PUBLISHER}")
    yield as_login
    started.cleanup()


@pytest.fixture
def address(server, monkeypatch):
    """That address; the server is empty, and the environment names it."""
    monkeypatch.setenv("FENJI_POSTGRES_URL", server(PUBLISHER))
    with psycopg.connect(server("postgres"), autocommit=True) as con:
        for (schema,) in con.execute(
            "select nspname from pg_namespace where nspname like 'fenji%'"
        ).fetchall():
            con.execute(f'drop schema "{schema}" cascade')
    return server


@pytest.fixture
def connect(address):
    """Opens a connection of a login, by itself the one that publishes."""
    return lambda name=PUBLISHER: psycopg.connect(address(name), autocommit=True)


@pytest.fixture
def ask(connect):
    """The rows of a query of a login, by itself the one that publishes."""

    def rows(query, name=PUBLISHER):
        with connect(name) as con:
            return con.execute(query).fetchall()

    return rows


@pytest.fixture
def shop(tmp_path, address, monkeypatch):  # noqa: ARG001 - where it publishes to
    """A project, and how it publishes a small release and pushes what is current."""
    usual = {"keep": 2, "wait": "30 seconds"}
    return small_releases.shop_of(tmp_path, monkeypatch, push, "postgres", usual)
