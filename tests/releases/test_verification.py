"""A release is proven by its manifest: every file, every table, all together."""

import duckdb
import pytest

from releases.digest import content_digest, table_digest
from releases.manifest import TableDigest
from releases.verification import Finding, file_digests, findings


@pytest.fixture
def folder(tmp_path):
    """A release of two tables; the digest of the first leaves a column out."""
    made = tmp_path / "may"
    (made / "tables").mkdir(parents=True)
    (made / "report.html").write_text("report")
    with duckdb.connect(str(made / "fenji.duckdb")) as con:
        con.execute(
            "create table customers as select 'A' as id, 1 as n;"
            "create schema storage; create table storage.results as select 2 as n"
        )
    return made


@pytest.fixture
def proof(folder, manifest):
    """The manifest of the release as it is."""
    with duckdb.connect(str(folder / "fenji.duckdb"), read_only=True) as con:
        digests = {
            "customers": TableDigest(
                line=table_digest(con, "customers", ("n",)), without=("n",)
            ),
            "results": TableDigest(
                line=table_digest(con, "storage.results"), is_fact=False
            ),
        }
    return manifest(
        "may",
        table_digests=digests,
        content_digest=content_digest({"customers": digests["customers"].line}),
        files=file_digests(folder),
    )


def parts(folder, proof):
    return {found.part: found.problem for found in findings(folder, proof)}


def change(folder, proof, sql):
    """Change the database, and the digest of its file with it."""
    with duckdb.connect(str(folder / "fenji.duckdb")) as con:
        con.execute(sql)
    return proof.model_copy(update={"files": file_digests(folder)})


def test_a_release_that_is_what_was_published_has_no_findings(folder, proof):
    # What may be added to it.
    for name in ("manifest.json", "retracted.json"):
        (folder / name).write_text("{}")
    assert list(findings(folder, proof)) == []


def test_files_that_differ_are_gone_or_were_added(folder, proof):
    (folder / "report.html").write_text("Report")
    (folder / "tables/more.parquet").write_text("")
    assert parts(folder, proof) == {
        "report.html": "is not what was published: its SHA-256 differs",
        "tables/more.parquet": "was not published with the release",
    }
    (folder / "report.html").unlink()
    assert parts(folder, proof)["report.html"] == "is missing"


def test_a_table_with_more_rows(folder, proof):
    proof = change(folder, proof, "insert into customers values ('B', 1)")
    assert parts(folder, proof) == {
        "customers": "holds 2 rows, 1 were published",
        "manifest.json": "its content digest is not that of the tables",
    }


def test_a_table_with_other_rows(folder, proof):
    proof = change(folder, proof, "update storage.results set n = 3")
    assert parts(folder, proof) == {"results": "holds other rows than were published"}


def test_a_column_that_the_digest_leaves_out_may_be_another(folder, proof):
    proof = change(folder, proof, "update customers set n = 3")
    assert parts(folder, proof) == {}


def test_tables_that_are_gone_or_were_added(folder, proof):
    proof = change(folder, proof, "alter table storage.results rename to later")
    assert parts(folder, proof) == {
        "results": "is missing from the database",
        "later": "is a table that was not published with the release",
    }


def test_the_folder_of_another_release(folder, proof):
    moved = folder.rename(folder.with_name("june"))
    assert list(findings(moved, proof)) == [Finding("manifest.json", "is that of may")]


def test_a_database_that_is_none_is_told_once_where_it_is_missing(folder, proof):
    database = folder / "fenji.duckdb"
    database.write_text("no database at all")
    assert [found.problem for found in findings(folder, proof)] == [
        "is not what was published: its SHA-256 differs",
        "holds something else; it should be a DuckDB database",
    ]
    database.unlink()
    assert list(findings(folder, proof)) == [Finding("fenji.duckdb", "is missing")]
