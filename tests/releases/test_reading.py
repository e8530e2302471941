"""Databases of releases: opened and attached, and what is said of damaged ones."""

import duckdb
import pytest

from project.errors import RunError
from releases import reading


@pytest.fixture
def database(tmp_path):
    """A release with a table for people, and one in its storage."""
    path = tmp_path / "fenji.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(
            "create table customers as select hash(range) as id from range(50000);"
            "create schema storage; create table storage.open_tiers as select 2 as n"
        )
    return path


@pytest.fixture
def without_storage(tmp_path):
    """A release of an earlier version of Fenji."""
    path = tmp_path / "early.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create table open_tiers as select 1 as n")
    return path


def damage(database):
    """Overwrite what is in the middle of a file."""
    size = database.stat().st_size
    with database.open("r+b") as stream:
        stream.seek(size // 2)
        stream.write(b"\xff" * 4096)


def test_tables_are_found_wherever_they_stand(database, without_storage):
    for path, n in ((database, 2), (without_storage, 1)):
        with reading.opened(path) as con:
            assert con.execute("select n from open_tiers").fetchall() == [(n,)]


def test_a_release_cannot_be_written(database):
    with (
        reading.opened(database) as con,
        pytest.raises(duckdb.InvalidInputException, match="read-only"),
    ):
        con.execute("create table more as select 1")


def test_the_place_of_a_table_of_an_attached_release(con, database, without_storage):
    reading.attach(con, database, "now")
    reading.attach(con, without_storage, "early")
    assert reading.schema_of(con, "now", "open_tiers") == "storage"
    assert reading.schema_of(con, "now", "absent") is None
    assert reading.place(con, "now", "open_tiers") == '"now"."storage"."open_tiers"'
    assert reading.place(con, "early", "open_tiers") == '"early"."main"."open_tiers"'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "is missing"),
        (b"", "is empty"),
        (b"no database at all", "holds something else"),
    ],
)
def test_what_is_no_database_is_refused_in_words(con, tmp_path, content, why):
    path = tmp_path / "fenji.duckdb"
    if content is not None:
        path.write_bytes(content)
    said = rf"fenji\.duckdb: {why}; it should be a DuckDB database; put the release"
    with pytest.raises(RunError, match=said), reading.opened(path):
        pytest.fail("it was opened")
    with pytest.raises(RunError, match=said):
        reading.attach(con, path, "a")


def test_a_damaged_block_is_told_with_the_name_of_its_file(database):
    damage(database)
    with (
        pytest.raises(RunError, match=r"fenji\.duckdb: is damaged: .* put the release"),
        reading.opened(database) as con,
    ):
        con.execute("select max(hash(id)) from customers").fetchall()


def test_of_several_the_damaged_one_is_named(con, database, without_storage):
    damage(database)
    reading.attach(con, without_storage, "a")
    reading.attach(con, database, "b")
    with (
        pytest.raises(RunError, match=r"/fenji\.duckdb: is damaged"),
        reading.in_words([without_storage, database]),
    ):
        con.execute("select max(hash(id)) from b.customers").fetchall()


def test_any_other_error_stays_what_it_is(database):
    with pytest.raises(duckdb.CatalogException), reading.opened(database) as con:
        con.execute("from absent")
