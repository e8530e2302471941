"""Who reads a release keeps it: retention passes it over until they have read it."""

import datetime

import pytest

from project.errors import RunError
from project.folder import Project
from project.settings import Settings
from releases import lease, store
from releases.manifest import Manifest


@pytest.fixture
def project(tmp_path):
    settings = {"name": "shop", "publish": {"keep_releases": 1}}
    made = Project(tmp_path, Settings.model_validate(settings))
    for minute, name in enumerate("abc"):
        (made.releases / name).mkdir(parents=True)
        manifest(name, minute).write(made.releases / name)
    return made


def manifest(name, minute):
    return Manifest(
        release_id=name,
        as_of_date=datetime.date(2026, 5, 31),
        contract_version=1,
        content_digest="",
        settings_digest="",
        inputs=(),
        schemes={},
        tables={},
        checks=(),
        fenji_version="0",
        run_key="k",
        previous_release_id=None,
        published_at=datetime.datetime(2026, 6, 1, 0, minute, tzinfo=datetime.UTC),
    )


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


def test_whoever_finds_a_release_gone_looks_again(project):
    found = iter([manifest("gone", 0), manifest("b", 1)])
    with lease.held(project, lambda: next(found)) as held:
        assert held.release_id == "b"


def test_that_releases_go_as_they_are_found_is_told_in_words(project):
    with (
        pytest.raises(RunError, match=r"gone: was removed meanwhile, as publish\.keep"),
        lease.held(project, lambda: manifest("gone", 0)),
    ):
        pytest.fail("it is not there")


def test_what_a_killed_removal_left_is_no_release(project):
    (project.releases / "a").rename(project.releases / f"{store.REMOVED}a")
    assert names(project) == ["b", "c"]
