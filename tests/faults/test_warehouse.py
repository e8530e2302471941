"""A warehouse that is damaged, missing, in the way, older or newer."""

import gzip
import os
import shutil
from pathlib import Path

import duckdb
import pytest

from ingest import warehouse
from project.errors import RunError

OLD = Path(__file__).with_name("data") / "first_version.duckdb.gz"


def truncate(share):
    def harm(path):
        os.truncate(path, path.stat().st_size * share // 100)

    return harm


def overwrite(path):
    path.write_bytes(b"not a database" * 1000)


def replace_by_folder(path):
    path.unlink()
    path.mkdir()


def take_ledger_out(path):
    with duckdb.connect(str(path)) as con:
        con.execute("drop view raw.loaded_rows")
        con.execute("drop table raw.files")


def note_later_version(path):
    with duckdb.connect(str(path)) as con:
        con.execute("update main.warehouse_version set version = 99")


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (truncate(0), "is empty; it should be a DuckDB database; put it back"),
        (truncate(50), "is damaged: a part of it is missing; put it back"),
        (overwrite, "holds something else; it should be a DuckDB database; put it"),
        (replace_by_folder, "is a folder; it should be a DuckDB database; put it"),
        (Path.unlink, "is missing, though releases were published from it; put it"),
        (take_ledger_out, "is damaged: its ledger lacks files whose rows are in raw."),
        (note_later_version, "was made by a newer version of Fenji (its version is 99"),
    ],
    ids=["empty", "torn", "overwritten", "folder", "missing", "ledger", "newer"],
)
def test_what_is_wrong_with_the_warehouse_is_said_in_a_line(graded, harm, why):
    current = graded.digest
    harm(graded.project.warehouse)
    graded.land("customers/new.csv", "customer_id\nC77\n")

    ended = graded.run()

    assert ended.status == 1
    assert ended.last_line.startswith(f"fenji: {graded.project.warehouse}: {why}")
    if why.startswith("was made"):
        assert "install that version again" in ended.last_line
    else:
        assert "`fenji rebuild` makes it again" in ended.last_line
    # What was right stands, and is read without the warehouse.
    assert graded.digest == current
    assert graded.call("explain", "C1").status == 0


@pytest.mark.parametrize("command", [["schemes"], ["forget", "all.csv"], ["plan"]])
def test_every_command_that_reads_the_warehouse_says_so(graded, command):
    truncate(50)(graded.project.warehouse)
    ended = graded.call(*command)
    assert ended.status == 1
    assert "warehouse.duckdb: is damaged: a part of it is missing" in ended.line


def test_a_block_that_is_found_damaged_on_the_way_is_named(graded):
    """What is read first is whole: the damage shows in the midst of the work."""
    path = graded.project.warehouse
    with duckdb.connect(str(path)) as con:
        ((block,),) = con.execute(
            "select min(block_id) from pragma_storage_info('raw.transactions')"
            " where block_id >= 0"
        ).fetchall()
    block_size, header_size = 262_144, 3 * 4096
    with path.open("r+b") as stream:
        stream.seek(header_size + block * block_size + 5000)
        stream.write(b"\xde" * 1000)
    with pytest.raises(RunError, match=r"warehouse\.duckdb: is damaged: not all of it"):
        read_ledger_then_transactions(graded)


def read_ledger_then_transactions(shop):
    with warehouse.reading(shop.project) as con:
        assert con.execute("select count(*) from raw.files").fetchall() == [(2,)]
        con.execute("select max(transaction_id || amount) from raw.transactions")


def test_what_a_killed_run_had_no_memory_for_is_removed(graded):
    left = Path(f"{graded.project.warehouse}.tmp")
    left.mkdir()
    (left / "duckdb_temp_block-1.block").write_bytes(b"x")
    assert graded.run().json["status"] == "unchanged"
    assert not left.exists()


def content(shop):
    """The raw layer and what counts of it, whatever the files' numbers."""
    query = (
        "select f.path, t._line_no, s.status,"
        " t.* exclude (_file_id, _line_no, _reject)"
        " from raw.{feed} as t inner join raw.files as f on t._file_id = f.file_id"
        " left join raw.row_status as s"
        " on t._file_id = s.file_id and t._line_no = s.line_no order by all"
    )
    with warehouse.reading(shop.project) as con:
        return [
            con.execute(query.format(feed=feed)).fetchall()
            for feed in ("customers", "transactions")
        ]


def test_the_first_warehouse_ever_is_brought_up_to_date_and_says_so(shop, graded_once):
    """One of its files is gone from the folder: the rows of that one are kept."""
    shop.data.mkdir()
    with gzip.open(OLD) as packed, shop.project.warehouse.open("wb") as stream:
        shutil.copyfileobj(packed, stream)
    (shop.root / "landing/customers/all.csv").unlink()

    ended = shop.run()

    assert ended.status == 0, ended.err
    assert "was made by an earlier version of Fenji; it is version" in ended.err
    assert shop.digest == graded_once.digest
    assert content(shop) == content(graded_once)
    # It is told once.
    shop.land("customers/new.csv", "customer_id\nC77\n")
    told = []
    with warehouse.opened(shop.project, tell=told.append):
        assert told == []


def test_a_new_warehouse_is_of_the_present_version(shop):
    told = []
    with warehouse.opened(shop.project, tell=told.append) as con:
        found = con.execute("select version from main.warehouse_version").fetchall()
    assert found == [(warehouse.VERSION,)]
    assert told == []
