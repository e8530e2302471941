"""Who may read what a run makes, whatever the user's mask is."""

import os
import stat

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
