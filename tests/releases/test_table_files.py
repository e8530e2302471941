"""A table that did not change is in the former release's file; others are written."""

import errno
import os
import stat

import duckdb
import pytest

from project import modes
from releases import table_files
from releases.building import (
    begin,
    files_beside,
    released,
    write_table,
    write_view,
)
from releases.digest import DEFINITION, content_digest, table_digest
from releases.publishing import publish
from releases.table_files import Former, Table, file_table
from releases.verification import findings
from sql.contracts import contract
from tests.releases.conftest import CONTRACTS, SUMMARIZED

PEOPLE = (
    "select 'C' || i as id, i::integer as n, (i / 8)::decimal(18, 2) as amount,"
    " if(i % 3 = 0, null, 'x') as word, 7::integer as seven"
    " from range({n}) r(i) order by i"
)


class Counted:
    """A connection that remembers what is executed on it."""

    def __init__(self, con):
        self._con, self.seen = con, []

    def execute(self, statement, *values):
        self.seen.append(statement.partition(" ")[0])
        return self._con.execute(statement, *values)

    def __getattr__(self, name):
        return getattr(self._con, name)


@pytest.fixture
def folder(tmp_path):
    """The folder of a release that is being written."""
    made = tmp_path / "later"
    (made / "tables").mkdir(parents=True)
    return made


@pytest.fixture
def table(con):
    """Makes the table `people` of the release that is being written."""

    def make(select=PEOPLE, n=3000, **more):
        con.execute(f"create or replace table people as {select.format(n=n)}")
        return Table("people", "people", n, **more)

    return make


@pytest.fixture
def former(con, tmp_path, table, manifest):
    """Makes the release that was published before, with the table `people`."""

    def make(select=PEOPLE, n=3000, **more):
        made = table(select, n, **more)
        place = tmp_path / "former"
        (place / "tables").mkdir(parents=True)
        filed = file_table(con, place, None, made)
        modes.freeze(place)
        (place / "tables").chmod(0o755)  # some tests harm it
        proof = {"line": filed.line, "without": made.without}
        told = manifest(
            "former",
            tables={"people": n},
            table_digests={"people": proof},
            files={made.file: filed.sha256},
            digest_definition=DEFINITION,
        )
        return Former(place, told)

    return make


def inode(place):
    return (place / "tables/people.parquet").stat().st_ino


@pytest.mark.parametrize("n", [0, 1, 3000])
def test_an_equal_table_is_linked_with_nothing_written_or_digested(
    con, folder, former, table, n
):
    before = former(n=n)
    counted = Counted(con)
    filed = file_table(counted, folder, before, table(n=n))
    assert filed.is_linked
    assert inode(folder) == inode(before.folder)
    assert filed.line == table_digest(con, "people")
    assert filed.sha256 == table_files.sha256_of(folder / "tables/people.parquet")
    # The rows are compared once; of a table without any nothing is asked at all.
    assert counted.seen == ["select"] * (n > 0)


@pytest.mark.parametrize(
    "select",
    [
        PEOPLE.replace("3 = 0, null", "3 = 1, null"),
        PEOPLE.replace("select 'C' || i", "select if(i = 2999, 'D', 'C' || i)"),
        PEOPLE.replace("as word", "as words"),
        PEOPLE.replace("i::integer", "i::bigint"),
        PEOPLE.replace("i::integer as n", "7::integer as seven").replace(
            ", 7::integer as seven from", ", i::integer as n from"
        ),
        PEOPLE.replace("as word", "as word, 1 as more"),
        PEOPLE.replace(", if(i % 3 = 0, null, 'x') as word", ""),
        PEOPLE.replace("null, 'x'", "'', 'x'"),
    ],
    ids=[
        "values",
        "the last row",
        "a name",
        "a type",
        "the order of columns",
        "one column more",
        "one column less",
        "empty for null",
    ],
)
def test_a_table_that_differs_in_anything_is_written(
    con, folder, former, table, select
):
    before = former()
    filed = file_table(con, folder, before, table(select))
    assert not filed.is_linked
    assert inode(folder) != inode(before.folder)
    assert filed.line == table_digest(con, "people")
    held = con.execute(f"from '{folder}/tables/people.parquet'").fetchall()
    assert held == con.execute("from people").fetchall()


@pytest.mark.parametrize("n", [2999, 3001])
def test_a_table_with_more_or_fewer_rows_is_written(con, folder, former, table, n):
    before = former()
    assert not file_table(con, folder, before, table(n=n)).is_linked


def test_rows_of_nothing_count_as_well(con, folder, former, table):
    nothing = "select null::integer as id from range({n})"
    before = former(nothing, 3)
    assert not file_table(con, folder, before, table(nothing, 4)).is_linked


def test_a_closed_list_is_text_in_a_file(con, folder, former, table):
    kind = "'x'::enum('x', 'y') as word"
    before = former(PEOPLE.replace("as word", f"as w, {kind}"))
    more = PEOPLE.replace("as word", f"as w, {kind.replace('y', 'z')}")
    assert file_table(con, folder, before, table(more)).is_linked


def test_values_that_are_equal_and_read_otherwise_are_written(
    con, folder, former, table
):
    month = PEOPLE.replace("as word", "as word, interval {length} as term")
    before = former(month.replace("{length}", "1 month"))
    filed = file_table(con, folder, before, table(month.replace("{length}", "30 days")))
    assert not filed.is_linked


def test_what_the_digest_leaves_out_must_be_the_same_as_well(
    con, folder, former, table
):
    before = former(without=("word",))
    changed = PEOPLE.replace("'x'", "'y'")
    assert not file_table(
        con, folder, before, table(changed, without=("word",))
    ).is_linked
    assert not file_table(con, folder, before, table(without=("n",))).is_linked
    assert file_table(con, folder, before, table(without=("word",))).is_linked


def test_a_digest_of_another_definition_is_not_taken_over(con, folder, former, table):
    before = former()
    told = before.manifest.model_copy(update={"digest_definition": DEFINITION - 1})
    assert not file_table(con, folder, Former(before.folder, told), table()).is_linked


def test_a_file_that_is_not_what_was_published_is_written_anew(
    con, folder, former, table
):
    before = former()
    file = before.folder / "tables/people.parquet"
    file.unlink()
    con.execute(f"copy people to '{file}' (format parquet, compression snappy)")
    filed = file_table(con, folder, before, table())
    assert not filed.is_linked
    assert inode(folder) != inode(before.folder)
    assert file_table(con, folder, before, table()).sha256 == filed.sha256


@pytest.mark.parametrize("harm", ["gone", "short", "no Parquet"])
def test_a_file_that_cannot_be_read_is_written_anew(con, folder, former, table, harm):
    before = former()
    file = before.folder / "tables/people.parquet"
    held = file.read_bytes()
    file.unlink()
    if harm != "gone":
        file.write_bytes(held[:-9] if harm == "short" else b"none")
    assert not file_table(con, folder, before, table()).is_linked


def test_a_path_that_reads_as_a_pattern_is_not_followed(
    con, folder, former, table, tmp_path
):
    before = former()
    odd = Former(before.folder.rename(tmp_path / "former[1]"), before.manifest)
    assert not file_table(con, folder, odd, table()).is_linked


def test_where_the_file_system_has_no_links_the_file_is_copied(
    con, folder, former, table, monkeypatch
):
    def refuse(*_):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    before = former()
    monkeypatch.setattr(os, "link", refuse)
    counted = Counted(con)
    filed = file_table(counted, folder, before, table())
    assert filed.is_linked
    assert counted.seen == ["select"]
    assert inode(folder) != inode(before.folder)
    assert (folder / "tables/people.parquet").read_bytes() == (
        before.folder / "tables/people.parquet"
    ).read_bytes()


# Whole releases.


@pytest.fixture
def published(con, project, manifest):
    """Publishes customers with their metrics, and a view over them as Parquet."""

    def make(release_id, *, spend=1, threads=2, **more):
        con.execute(f"set threads = {threads}")
        building = begin(con, project, release_id)
        tables = [
            released(CONTRACTS[name], shown=()) for name in dict.fromkeys(SUMMARIZED)
        ]
        with con.cursor() as cursor, files_beside(cursor, building):
            for table in tables:
                fill(con, table, spend)
                write_table(con, building, table)
            write_view(con, building, PROFILE, VIEW, as_parquet=True)
        told = manifest(
            release_id,
            tables=building.rows,
            table_digests=building.digests,
            content_digest=content_digest(building.fact_lines),
            **more,
        )
        return building, publish(con, building, told, project)

    return make


@pytest.fixture
def compared(monkeypatch):
    """The names of the tables that are compared with the former release's files."""
    names, really = [], table_files._is_equal

    def note(con, source, table):
        names.append(table.name)
        return really(con, source, table)

    monkeypatch.setattr(table_files, "_is_equal", note)
    return names


PROFILE = contract("marts", "customer_profile").model_copy(
    update={"reads": ("core.customer_metrics",)}
)
VIEW = "select customer_id, spend_12m_amount from customer_metrics"


def fill(con, table, spend):
    """Make a table of the warehouse: three rows of the metrics, of others none."""
    columns = ", ".join(
        f"{VALUES.get(column.name, 'null')}::{column.duckdb_type} as {column.name}"
        for column in table.columns
    )
    n = 3 if table.table == METRICS else 0
    con.execute(
        f"create schema if not exists {table.layer};"
        f" create or replace table {table.name} as"
        f" select {columns} from range({n}) rows(i), (select {spend}) as paid(spend)"
    )


METRICS = "customer_metrics"
VALUES = {"customer_id": "'C' || i", "spend_12m_amount": "spend"}


def links(project, release_id):
    """How many releases have each file."""
    files = (project.releases / release_id / "tables").iterdir()
    return {file.stem: file.stat().st_nlink for file in files}


def test_a_release_shares_the_files_that_are_equal_and_no_others(
    project, published, compared
):
    _, first = published("first")
    made, second = published("second", minute=1)
    assert made.linked == {*second.tables, PROFILE.table}
    assert set(links(project, "second").values()) == {2}
    assert second.content_digest == first.content_digest
    assert second.table_digests == first.table_digests

    made, third = published("third", minute=2, spend=5)
    assert made.linked == {*third.tables} - {METRICS}
    alone = {name for name, n in links(project, "third").items() if n == 1}
    assert alone == {METRICS, PROFILE.table}
    # A view is not worked out for the sake of comparing it where what it reads changed.
    assert compared.count(PROFILE.table) == 1
    assert compared.count(METRICS) == 2
    assert third.content_digest != first.content_digest


def test_one_thread_publishes_the_same(project, published):
    _, first = published("first", threads=1)
    _, second = published("second", minute=1)
    assert second.table_digests == first.table_digests
    assert set(links(project, "second").values()) == {2}


def test_a_release_is_proven_whatever_became_of_those_that_share_its_files(
    project, published
):
    first = published("first")[1]
    second = published("second", minute=1)[1]
    folder = project.releases / "second"
    modes.remove(project.releases / "first")
    assert set(links(project, "second").values()) == {1}
    assert list(findings(folder, second)) == []
    # The one after goes on from it.
    third = published("third", minute=2)[1]
    assert set(links(project, "third").values()) == {2}
    assert list(findings(project.releases / "third", third)) == []
    assert first.content_digest == third.content_digest


def modes_of(project, release_id):
    files = sorted((project.releases / release_id / "tables").iterdir())
    return [(file.name, oct(stat.S_IMODE(file.stat().st_mode))) for file in files]


def test_a_release_has_its_modes_and_leaves_those_of_others(project, published):
    published("first")
    before = modes_of(project, "first")
    former = os.umask(0o077)
    try:
        made, _ = published("second", minute=1)
    finally:
        os.umask(former)
    assert made.linked
    assert modes_of(project, "first") == before
    assert {mode for _, mode in modes_of(project, "second")} == {"0o400"}
    assert set(links(project, "second").values()) == {1}


def test_an_error_on_the_second_thread_ends_the_writing(con, project, published):
    published("first")
    building = begin(con, project, "second")
    building.tables.rmdir()  # nothing can be written there
    table = released(CONTRACTS[METRICS], shown=())

    def write():
        with con.cursor() as cursor, files_beside(cursor, building):
            write_table(con, building, table)

    with pytest.raises(duckdb.IOException):
        write()
    assert building.second is None
