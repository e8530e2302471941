import datetime

import pytest

from project.errors import ConfigurationError
from project.folder import Project
from project.settings import Settings
from releases import store
from releases.building import remove_unfinished
from releases.manifest import Manifest


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path, Settings(name="shop"))
    made.releases.mkdir(parents=True)
    return made


def at(minute, day=1):
    return datetime.datetime(2026, 6, day, 0, minute, tzinfo=datetime.UTC)


def release(project, release_id, as_of, *, minute, key="k", day=1, known_at=None):
    folder = project.releases / release_id
    folder.mkdir()
    manifest = Manifest(
        release_id=release_id,
        as_of_date=datetime.date.fromisoformat(as_of),
        contract_version=1,
        content_digest="",
        settings_digest="",
        inputs=(),
        schemes={},
        tables={},
        checks=(),
        fenji_version="0",
        run_key=key,
        previous_release_id=None,
        published_at=at(minute, day),
        known_at=known_at,
    )
    manifest.write(folder)
    return manifest


def test_releases_are_listed_in_the_order_they_were_published(project):
    release(project, "b", "2026-01-31", minute=1)
    release(project, "a", "2026-05-31", minute=0)
    (project.releases / ".building-x").mkdir()
    assert [one.release_id for one in store.releases(project)] == ["a", "b"]


def test_a_look_back_states_nothing_new(project):
    release(project, "march", "2026-03-31", minute=1)
    release(project, "april", "2026-04-30", minute=3)
    release(project, "back", "2026-04-30", minute=5, known_at=at(2))
    assert [one.release_id for one in store.statements(project)] == ["march", "april"]
    then = store.statements(project, at(2))
    assert [one.release_id for one in then] == ["march"]


def test_a_release_is_restated_by_a_later_one_of_its_date(project):
    first = release(project, "first", "2026-05-31", minute=0)
    release(project, "april", "2026-04-30", minute=1)
    look_back = release(project, "back", "2026-05-31", minute=2, known_at=at(0))
    assert not store.is_restated(project, first)
    second = release(project, "second", "2026-05-31", minute=3)
    restated = [store.is_restated(project, one) for one in (first, second, look_back)]
    assert restated == [True, False, False]


def test_the_time_of_day_is_later_than_every_release(project):
    before = datetime.datetime.now(datetime.UTC)
    assert store.now(project) >= before
    last = release(project, "ahead", "2026-05-31", minute=0).model_copy(
        update={"published_at": before + datetime.timedelta(days=400)}
    )
    last.write(project.releases / "ahead")
    assert store.now(project) == store.just_after(last)


def test_a_reader_of_current_keeps_what_it_opened(project):
    for name, minute in (("a", 0), ("b", 1)):
        release(project, name, "2026-05-31", minute=minute)
        (project.releases / name / "fact").write_text(name)
    store.point_current_at(project, "a")
    opened = (project.current / "fact").open()
    store.point_current_at(project, "b")
    with opened:
        assert opened.read() == "a"
    assert (project.current / "fact").read_text() == "b"
    assert str(project.current.readlink()) == "releases/b"


def test_a_rollback_outlives_a_run_that_finds_nothing_new(project):
    for name, minute in (("a", 0), ("b", 1)):
        release(project, name, "2026-05-31", minute=minute)
    store.stand_by(project, "b")
    assert store.current(project).release_id == "b"
    store.roll_back(project, "a")
    store.stand_by(project, "b")
    assert store.current(project).release_id == "a"


def test_an_unknown_release_is_named_with_the_nearest(project):
    release(project, "2026-05-31-abc", "2026-05-31", minute=0)
    with pytest.raises(ConfigurationError, match="did you mean '2026-05-31-abc'"):
        store.roll_back(project, "2026-05-31-abd")


def test_only_unfinished_folders_are_removed(project):
    release(project, "a", "2026-05-31", minute=0)
    (project.releases / ".building-x" / "tables").mkdir(parents=True)
    remove_unfinished(project)
    assert [path.name for path in project.releases.iterdir()] == ["a"]


def keep(project, **settings):
    return Project(
        project.root,
        Settings.model_validate({"name": "shop", "publish": settings}),
    )


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ({}, ["a", "b", "c", "d"]),
        ({"keep_releases": 4}, ["a", "b", "c", "d"]),
        ({"keep_releases": 3}, ["b", "c", "d"]),
        # The current one and the one published last are there whatever is asked.
        ({"keep_releases": 1}, ["b", "d"]),
        ({"keep_days": 4}, ["a", "b", "c", "d"]),
        ({"keep_days": 3}, ["b", "c", "d"]),
        ({"keep_days": 1}, ["b", "d"]),
        ({"keep_releases": 3, "keep_days": 1}, ["b", "d"]),
    ],
)
def test_releases_are_removed_by_number_and_age(project, settings, left):
    for days, release_id in enumerate("abcd"):
        release(project, release_id, "2026-05-31", minute=0, day=1 + days)
    store.point_current_at(project, "b")
    store.retire(keep(project, **settings))
    assert [one.release_id for one in store.releases(project)] == left


def test_the_last_statement_is_kept_beside_a_look_back(project):
    project = keep(project, keep_releases=1)
    release(project, "a", "2026-04-30", minute=0)
    release(project, "b", "2026-05-31", minute=1)
    release(project, "back", "2026-04-30", minute=2, known_at=at(0))
    store.point_current_at(project, "back")
    store.retire(project)
    assert [one.release_id for one in store.releases(project)] == ["b", "back"]
