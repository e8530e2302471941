"""Who may read what a run makes, whatever the user's mask is."""

import os
import shutil
import stat
import tempfile
from pathlib import Path

import duckdb
import pytest

from ingest.warehouse import opened
from project import modes
from project.folder import open_project


@pytest.fixture(params=[0o022, 0o027])
def mask(request):
    """The mask of the user."""
    former = os.umask(request.param)
    yield request.param
    os.umask(former)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_all_that_duckdb_makes_beside_the_warehouse_is_private(tmp_path, mask):
    (tmp_path / "fenji.yaml").write_text("name: test\n", encoding="utf-8")
    project = open_project(tmp_path)
    seen = set()
    with opened(project) as con:
        con.execute("set threads = 1")
        con.execute("set memory_limit = '40MB'")
        for statement in (
            "create table names as select md5(i::varchar) as n from range(400000) r(i)",
            "checkpoint",
            "insert into names values ('Anna Muster')",
        ):
            con.execute(statement)
            seen |= {path.name for path in project.data.iterdir()}
            made = project.data.rglob("warehouse*")
            assert {mode(path) & 0o077 for path in made} == {0}
    assert "warehouse.duckdb.wal" in seen
    assert mode(project.data) == 0o777 & ~mask
    assert os.umask(mask) == mask


def test_what_is_shared_has_the_modes_of_the_users_mask(tmp_path, mask):
    folder = tmp_path / "releases" / "one"
    with modes.private():
        modes.make_shared(folder.parent)
        (folder / "tables").mkdir(parents=True)
        (folder / "tables" / "a.parquet").touch()
        (folder / "link").symlink_to(tmp_path)
        assert mode(folder / "tables") == 0o700
        modes.share(folder)
    for path in (folder.parent, folder, folder / "tables"):
        assert mode(path) == 0o777 & ~mask
    assert mode(folder / "tables" / "a.parquet") == 0o666 & ~mask


@pytest.fixture
def own_folder():
    """A folder of a user whom file modes bind, as they do not bind root."""
    nobody = 65534
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.geteuid() != 0:
            yield folder
            return
        os.chown(folder, nobody, nobody)
        os.seteuid(nobody)
        try:
            yield folder
        finally:
            os.seteuid(0)


def test_what_is_frozen_is_read_and_never_written(own_folder, mask):
    folder = own_folder / "release"
    (folder / "tables").mkdir(parents=True)
    database = folder / "fenji.duckdb"
    with duckdb.connect(str(database)) as con:
        con.execute("create table t as select 1 as a")
    before = database.read_bytes()

    modes.freeze(folder)

    assert {mode(folder), mode(folder / "tables")} == {0o555 & ~mask}
    assert mode(database) == 0o444 & ~mask
    with pytest.raises(duckdb.IOException, match="Permission denied"):
        duckdb.connect(str(database))
    with duckdb.connect(str(database), read_only=True) as con:
        assert con.execute("from t").fetchall() == [(1,)]
    assert database.read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["fenji.duckdb", "tables"]


def test_what_is_frozen_is_moved_and_removed_as_a_whole(own_folder):
    folder = own_folder / ".building"
    (folder / "quality" / "pages").mkdir(parents=True)
    (folder / "quality" / "pages" / "index.html").touch()
    modes.freeze(folder)
    with pytest.raises(PermissionError):
        shutil.rmtree(folder)

    moved = folder.rename(own_folder / "release")
    modes.remove(moved)

    assert list(own_folder.iterdir()) == []
