"""The last step of a run: a folder that moves into place, whole and for good."""

import stat

import pytest

from releases import store
from releases.building import begin
from releases.manifest import read_manifest
from releases.publishing import publish


@pytest.fixture
def published(con, building, project, manifest):
    """The release `may`, of the tables of its report alone."""
    return publish(con, building, manifest("may"), project)


def test_a_release_moves_into_place_and_is_shown(project, building, published):
    folder = project.releases / "may"
    assert not building.folder.exists()
    assert read_manifest(folder) == published
    assert project.current.resolve() == folder
    assert project.latest.resolve() == folder


def test_its_manifest_has_the_digest_of_every_file(project, published):
    files = {path.name for path in (project.releases / "may").iterdir()}
    assert files == {"manifest.json", "tables", *published.files}
    assert {"fenji.duckdb", "report.html"} <= published.files.keys()


@pytest.mark.usefixtures("published")
def test_nobody_can_write_to_it(project):
    folder = project.releases / "may"
    for path in (folder, *folder.rglob("*")):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o222, path


@pytest.mark.usefixtures("published")
def test_the_database_is_detached(con):
    names = con.execute("select database_name from duckdb_databases()").fetchall()
    assert ("release",) not in names


def test_where_it_is_there_already_the_old_one_stands(con, project, building, release):
    stands = release("may", minute=5)
    again = stands.model_copy(update={"published_at": building.published_at})
    assert publish(con, building, again, project) == stands
    assert not building.folder.exists()
    assert [made.release_id for made in store.releases(project)] == ["may"]


def test_an_earlier_date_leaves_current_where_it_is(con, project, building, manifest):
    (project.releases / "june").mkdir()
    manifest("june", "2026-06-30").write(project.releases / "june")
    publish(con, building, manifest("may", minute=1), project)
    assert project.current.resolve().name == "june"


def test_what_the_history_was_cleared_in_is_removed(con, project, building, manifest):
    project.cleared_history.mkdir()
    publish(con, building, manifest("may"), project)
    assert not project.cleared_history.exists()


@pytest.mark.usefixtures("published")
def test_the_next_one_can_be_begun(con, project):
    assert begin(con, project, "key").folder.is_dir()
