"""Who reads a release keeps it: retention passes it over until they have read it."""

import pytest

from project.errors import RunError
from project.folder import Project
from project.settings import Settings
from releases import lease, store


@pytest.fixture
def project(tmp_path):
    """A project that keeps one release."""
    settings = {"name": "shop", "publish": {"keep_releases": 1}}
    made = Project(tmp_path, Settings.model_validate(settings))
    made.releases.mkdir(parents=True)
    return made


@pytest.fixture(autouse=True)
def three_releases(release):
    """The releases `a`, `b` and `c`, of one date, in the order of publication."""
    for minute, name in enumerate("abc"):
        release(name, minute=minute)


def names(project):
    return [made.release_id for made in store.releases(project)]


def test_retention_waits_for_those_who_read(project):
    with (
        lease.held(project, lambda: store.release(project, "a")) as held,
        lease.held(project, lambda: store.release(project, "a")),
    ):
        store.retire(project)
        assert names(project) == ["a", "c"]
        assert held.release_id == "a"
    store.retire(project)
    assert names(project) == ["c"]
    assert list(project.releases.glob(".*")) == []


def test_whoever_finds_a_release_gone_looks_again(project, manifest):
    found = iter([manifest("gone"), manifest("b", minute=1)])
    with lease.held(project, lambda: next(found)) as held:
        assert held.release_id == "b"


def test_that_releases_go_as_they_are_found_is_told_in_words(project, manifest):
    with (
        pytest.raises(RunError, match=r"gone: was removed meanwhile, as publish\.keep"),
        lease.held(project, lambda: manifest("gone")),
    ):
        pytest.fail("it is not there")


def test_what_a_killed_removal_left_is_no_release(project):
    (project.releases / "a").rename(project.releases / f"{store.REMOVED}a")
    assert names(project) == ["b", "c"]
