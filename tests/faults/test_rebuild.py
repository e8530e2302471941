"""A warehouse that is made again says what the lost one said, or what it cannot say."""

import datetime
import os
import shutil

import duckdb
import pytest

from ingest import known_files, warehouse
from releases import store
from tests.faults.test_warehouse import content


@pytest.fixture
def with_past(graded):
    """One file is gone from its folder, one was changed, one was moved, one is new."""
    gone = graded.land("customers/gone.csv", "customer_id,industry\nC50,Glass\nC3,X\n")
    graded.land("customers/changed.csv", "customer_id\nC60\n")
    moved = graded.land("customers/moved.csv", "customer_id\nC70\n,\n")
    graded.load()
    gone.unlink()
    graded.land("customers/changed.csv", "customer_id\nC60\nC61\n")
    moved.rename(moved.with_name("z.csv"))
    graded.load()
    return graded


def times(shop):
    with warehouse.reading(shop.project) as con:
        return con.execute(
            "select feed, path, content_digest, loaded_at from raw.files order by all"
        ).fetchall()


def former(shop):
    with warehouse.reading(shop.project) as con:
        return con.execute(
            "select path, content_digest, loaded_at, replaced_at, is_kept"
            " from raw.former_files order by all"
        ).fetchall()


def test_a_warehouse_that_can_be_read_is_made_again_in_full(with_past):
    before = content(with_past), times(with_past), former(with_past)
    ended = with_past.call("rebuild", "--json")
    assert ended.status == 0, ended.err
    assert (content(with_past), times(with_past), former(with_past)) == before
    assert ended.json["kept"] == ["landing/customers/gone.csv"]
    assert ended.json["lost"] == []
    assert ended.json["n_former"] == 1
    # Rejected rows are in quarantine, and the old ones aside.
    assert list(with_past.data.glob("quarantine/transactions/*.csv"))
    (aside,) = (with_past.data / "damaged").iterdir()
    assert {path.name for path in aside.iterdir()} == {"warehouse.duckdb", "quarantine"}
    assert not list(with_past.data.glob(".rebuild"))


def corrected(shop):
    with warehouse.reading(shop.project) as con:
        return con.execute(
            "select f.path, f.corrects is null, c.line_no, c.known_from, by_file.path"
            " from raw.corrected_records as c"
            " inner join raw.files as f on c.file_id = f.file_id"
            " inner join raw.files as by_file on c.correction_id = by_file.file_id"
            " order by all"
        ).fetchall()


def test_corrections_outlast_the_warehouse(graded):
    for name in ("stays", "gone"):
        graded.land(f"customers/{name}.csv", f"customer_id,party_type\n{name},x\n")
    graded.load()
    assert graded.call("retry", "--write").status == 0
    for name in ("stays", "gone"):
        place = graded.project.landing / f"customers/{name}.csv.retry.csv"
        text = place.read_text(encoding="utf-8")
        place.write_text(text.replace(f"{name},x", f"{name},person"), encoding="utf-8")
    graded.load()
    (graded.project.landing / "customers/gone.csv").unlink()
    graded.load()
    before = content(graded), corrected(graded)
    assert [row[0] for row in before[1]] == ["gone.csv", "stays.csv"]
    ended = graded.call("rebuild", "--json")
    assert ended.status == 0, ended.err
    assert (content(graded), corrected(graded)) == before


def spoil_block_of(shop, table):
    """Overwrite the first block of a table, behind the back of the ledger."""
    path = shop.project.warehouse
    with duckdb.connect(str(path)) as con:
        con.execute("checkpoint")
        ((block,),) = con.execute(
            f"select min(block_id) from pragma_storage_info('{table}')"
            " where block_id >= 0"
        ).fetchall()
    with path.open("r+b") as stream:
        stream.seek(3 * 4096 + block * 262_144 + 5000)
        stream.write(b"\xde" * 1000)


def test_what_a_damaged_block_takes_is_named_before_it_is_given_up(with_past):
    before = times(with_past)
    spoil_block_of(with_past, "raw.customers")
    damaged = with_past.project.warehouse.read_bytes()

    ended = with_past.call("rebuild")

    assert ended.status == 1
    assert ended.line == (
        f"fenji: {with_past.project.warehouse}: cannot be made again in full: its rows"
        " of files that are gone from their folders cannot be read:"
        " landing/customers/gone.csv; put these files back, or `fenji rebuild --accept`"
        " goes on without their rows"
    )
    assert with_past.project.warehouse.read_bytes() == damaged
    ended = with_past.call("rebuild", "--accept", "--json")
    assert ended.status == 0, ended.err
    assert ended.json["lost"] == ["landing/customers/gone.csv"]
    # The ledger was readable: times are kept of all that is there.
    assert times(with_past) == [row for row in before if row[1] != "gone.csv"]


def test_a_warehouse_of_which_nothing_is_left_comes_from_landing_and_releases(
    graded, graded_once
):
    """The next release says what it would have said; times come from the manifests."""
    before = times(graded)
    (published,) = store.statements(graded.project)
    os.truncate(graded.project.warehouse, 20_000)

    ended = graded.call("rebuild", "--json")

    assert ended.status == 0, ended.err
    assert not ended.json["is_old_readable"]
    assert content(graded) == content(graded_once)
    assert times(graded) == before
    # Nothing changed for a run, and computed anew the release is the same.
    assert graded.run().json["status"] == "unchanged"
    shutil.rmtree(graded.data / "releases")
    for link in ("current", "latest"):
        (graded.data / link).unlink(missing_ok=True)
    assert graded.run().status == 0
    assert graded.digest == published.content_digest


def test_files_that_are_gone_are_known_from_the_last_release(graded):
    (graded.root / "landing/customers/all.csv").rename(graded.root / "all.csv")
    graded.project.warehouse.unlink()
    ended = graded.call("rebuild")
    assert ended.status == 1
    assert "cannot be read: landing/customers/all.csv; put these files" in ended.line
    assert not graded.project.warehouse.exists()
    (graded.root / "all.csv").rename(graded.root / "landing/customers/all.csv")
    assert graded.call("rebuild").status == 0


def test_versions_that_only_releases_name_are_missing_from_what_was_known(graded):
    """An earlier release read another version: its rows are gone with the warehouse."""
    (last,) = store.statements(graded.project)
    another = {"digest": "f" * 64, "loaded_at": None}
    inputs = [
        file.model_copy(update=another) if file.feed == "customers" else file
        for file in last.inputs
    ]
    then = last.published_at - datetime.timedelta(days=1)
    facts = {"release_id": "earlier", "inputs": tuple(inputs), "published_at": then}
    earlier = last.model_copy(update=facts)
    (graded.data / "releases/earlier").mkdir()
    earlier.write(graded.data / "releases/earlier")
    graded.project.warehouse.unlink()
    assert graded.call("rebuild").status == 0
    assert [(row[0], row[1], row[4]) for row in former(graded)] == [
        ("all.csv", "f" * 64, False)
    ]
    with known_files.opened(graded.project, then) as con:
        assert known_files.missing(con) == ("customers/all.csv",)
